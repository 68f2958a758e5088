"""Checks that the tables of docs/settings.md match the program: check_settings.py SOURCE PRINT_SETTINGS [--update]"""

import pathlib
import subprocess
import sys

document = pathlib.Path(sys.argv[1]) / "docs/settings.md"
begin, end = "<!-- made by print_settings -->\n", "<!-- end -->\n"
text = document.read_text()
before, rest = text.split(begin)
after = rest.split(end)[1]
tables = subprocess.run([sys.argv[2]], check=True, capture_output=True, text=True).stdout
made = before + begin + tables + end + after
if "--update" in sys.argv:
    document.write_text(made)
elif made != text:
    sys.exit("docs/settings.md does not match the program's options; run this with --update")
print(f"{tables.count('| `')} settings, as documented")
