"""Checks that every promise of SECURITY.md names a test, and that each named test exists: check_security.py SOURCE"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
tests = set()
for path in (root / "tests").rglob("*.cpp"):
    tests |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", path.read_text(), re.MULTILINE)}
tests |= set(re.findall(r"NAME (\w+\.\w+)", (root / "tests/CMakeLists.txt").read_text()))

wrong = []
in_table = False
for number, line in enumerate((root / "SECURITY.md").read_text().splitlines(), 1):
    if not line.startswith("|"):
        in_table = False
    elif line.startswith("| promise | test |"):
        in_table = True
    elif in_table and not line.startswith("|---"):
        for name in line.strip("| ").split("|")[-1].split(","):
            name = name.strip()
            if name not in tests and not (name.startswith("tests/") and (root / name).exists()):
                wrong.append(f"SECURITY.md:{number}: no test '{name}'")
print("\n".join(wrong) or "SECURITY.md: every promise has a test")
sys.exit(1 if wrong else 0)
