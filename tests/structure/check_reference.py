"""Checks that every public symbol has a comment and each page of docs/concepts a tested example: check_reference.py SOURCE

Doxygen reads the headers as in `make docs`, and any warning fails the test. Doxygen's versions give different warnings, so the test
is skipped without the version of Debian 12. Enumerators are checked in the XML, because doxygen 1.9.4 does not require their comments."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

VERSION = "1.9.4"

source = pathlib.Path(sys.argv[1])
if not shutil.which("doxygen"):
    print("skipped: no doxygen; scripts/setup.sh --docs installs it")
    sys.exit(77)
installed = subprocess.run(["doxygen", "--version"], capture_output=True, text=True, check=True).stdout.strip()
if not installed.startswith(VERSION):
    print(f"skipped: doxygen {installed}, the reference needs {VERSION}")
    sys.exit(77)

wrong = []
symbols = 0
with tempfile.TemporaryDirectory() as work:
    config = (source / "docs" / "Doxyfile").read_text() + f"\nOUTPUT_DIRECTORY = {work}\nGENERATE_HTML = NO\nGENERATE_XML = YES\n"
    done = subprocess.run(["doxygen", "-"], input=config, capture_output=True, text=True, cwd=source)
    warnings = (done.stderr + done.stdout).replace(f"{source}/", "").split("\n")
    wrong += [line for line in warnings if line.strip()]
    if done.returncode != 0 and not wrong:
        wrong.append(f"doxygen ended with {done.returncode}")
    for path in pathlib.Path(work, "xml").glob("*.xml"):
        for element in ElementTree.parse(path).iter():
            if element.tag not in ("memberdef", "compounddef", "enumvalue"):
                continue
            name = element.findtext("name") or element.findtext("compoundname") or ""
            if "::v0" in name:
                wrong.append(f"{name}: the inline namespace is in the reader's way")
            symbols += element.tag != "compounddef" and element.get("prot") == "public"
            text = "".join("".join(element.find(kind).itertext()) for kind in ("briefdescription", "detaileddescription")
                           if element.find(kind) is not None)
            if element.tag == "enumvalue" and not text.strip():
                wrong.append(f"enumerator {name} has no comment ({path.stem})")

marks = {path.name: path.read_text() for folder in ("examples", "tests/concepts") for path in (source / folder).glob("*.c*")}
pages = sorted((source / "docs" / "concepts").glob("*.md"))
for page in pages:
    shown = re.findall(r"^\\(?:snippet|include) (\S+)(?: (\S+))?$", page.read_text(), re.MULTILINE)
    if not shown:
        wrong.append(f"docs/concepts/{page.name}: shows no example")
    for file, mark in shown:
        if file not in marks:
            wrong.append(f"docs/concepts/{page.name}: {file} is neither an example nor a test of concepts")
        elif mark and marks[file].count(f"//! [{mark}]\n") != 2:
            wrong.append(f"docs/concepts/{page.name}: {file} has no example between two marks [{mark}]")
# Checks that this check can fail.
if symbols < 500 or len(pages) < 10:
    wrong.append(f"only {symbols} symbols and {len(pages)} pages were found")
print("\n".join(wrong) or f"{symbols} public symbols and {len(pages)} pages, without a warning")
sys.exit(1 if wrong else 0)
