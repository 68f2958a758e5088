"""Compares the functions that the shared library exports with a list: symbols_test.py LIBINFER LIST [--update]

A removed line breaks programs that are linked to the library: raise the version, and add a line to CHANGELOG.md.
"""

import pathlib
import subprocess
import sys

library, golden = sys.argv[1], pathlib.Path(sys.argv[2])
out = subprocess.run(["nm", "-DC", "--defined-only", library], check=True, capture_output=True, text=True).stdout
found = sorted({line.split(" ", 2)[2] for line in out.splitlines() if " T " in line})
if "--update" in sys.argv:
    golden.write_text("\n".join(found) + "\n")
known = golden.read_text().splitlines()
foreign = [name for name in found if not name.startswith(("infer::v0::", "infer_"))]
gone, new = sorted(set(known) - set(found)), sorted(set(found) - set(known))
for title, names in (("not of libinfer", foreign), ("gone", gone), ("new", new)):
    for name in names:
        print(f"{title}: {name}")
if foreign or gone or new:
    sys.exit("if the change is intended, run this with --update and add a line to CHANGELOG.md")
print(f"{len(found)} symbols, as listed")
