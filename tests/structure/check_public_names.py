"""Names that users and their tools rely on: check_public_names.py SOURCE INFER [--update]

Flags, metric names, JSON fields of answers, and error codes, against tests/structure/public_names.txt. A change there
needs a line in CHANGELOG.md.
"""

import pathlib
import re
import subprocess
import sys

source, infer = pathlib.Path(sys.argv[1]), sys.argv[2]
golden = source / "tests/structure/public_names.txt"


def flags():
    commands = [[]] + [line.split() for line in subprocess.run(
        [infer, "completion", "bash"], check=True, capture_output=True, text=True).stdout.split("case \"$path $word\" in")[1]
        .split(")")[0].strip().replace('"infer ', '').replace('"', '').split("|")]
    for words in commands:
        text = subprocess.run([infer, *words, "--help"], check=True, capture_output=True, text=True).stdout
        for flag in sorted(set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.MULTILINE))):
            yield f"flag infer {' '.join(words)} {flag}".replace("  ", " ")


def quoted(pattern, *folders):
    for folder in folders:
        for path in sorted((source / folder).rglob("*.cpp")):
            yield from re.findall(pattern, path.read_text())


found = sorted(set(flags()) |
               {f"metric {name}" for name in quoted(r'"((?:infer|http)_[a-z_]+)"', "src/engine", "src/serving", "adapters/http")} |
               {f"field {name}" for name in quoted(r'\bkey\("([A-Za-z_]+)"\)', "adapters", "src/tools")} |
               {f"field {name}" for name in quoted(r'(?:\{|emplace_back\()"([a-z_]+)", ', "src/serving")} |
               {f"error {name}" for name in re.findall(r'return "([A-Z]\w+)";',
                                                       (source / "include/infer/core/error.h").read_text())})
if "--update" in sys.argv:
    golden.write_text("\n".join(found) + "\n")
known = golden.read_text().splitlines()
gone, new = sorted(set(known) - set(found)), sorted(set(found) - set(known))
for title, names in (("gone", gone), ("new", new)):
    for name in names:
        print(f"{title}: {name}")
if gone or new:
    sys.exit("run this with --update if that is meant, and add a line to CHANGELOG.md")
print(f"{len(found)} names, as listed")
