"""The functions that the shared library exports: symbols_test.py LIBINFER LIST [--update]

A line that goes away breaks programs that were linked before: raise the version, and say so in CHANGELOG.md.
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
    sys.exit("run this with --update if that is meant, and add a line to CHANGELOG.md")
print(f"{len(found)} symbols, as listed")
