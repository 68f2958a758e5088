"""Checks that all downloads are pinned: images by digest, wheels by SHA-256 (and only wheels), URLs by version: check_pinned.py SOURCE"""

import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
SELF = "tests/structure/check_pinned.py"

listed = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True)
names = listed.stdout.split() if listed.returncode == 0 else [str(p.relative_to(root)) for p in root.rglob("*") if "build" not in p.parts]
wrong = []


def check(name, text):
    for stage in re.findall(r"^(?:ARG BASE=|FROM )(\S+)", text, re.MULTILINE) if "Dockerfile" in name else []:
        if not stage.startswith("$") and stage != "scratch" and not re.search(r"@sha256:[0-9a-f]{64}$", stage):
            wrong.append(f"{name}: image {stage} has no digest")
    for image in re.findall(r"(?:image[:=]\s*)((?:kindest|registry\.k8s\.io)/\S+)", text):
        if not re.search(r"@sha256:[0-9a-f]{64}$", image):
            wrong.append(f"{name}: image {image} has no digest")
    # A call may span several lines, as shell words or as strings of a list.
    plain = re.sub(r"\\\n|[\"',\[\]]", " ", text)
    for match in re.finditer(r"\bpip3?\s+(install|download)\b", re.sub(r"\s+", " ", plain)):
        call = re.sub(r"\s+", " ", plain)[match.start():match.start() + 400]
        if "--only-binary=:all:" not in call or ("--require-hashes" not in call and match.group(1) == "install"):
            wrong.append(f"{name}: {call[:60]}… without --only-binary=:all: and --require-hashes")
    for address in re.findall(r"https?://\S*/latest/\S*", text):
        wrong.append(f"{name}: {address} is another file every day")
    if "trusted=yes" in text or "--allow-unauthenticated" in text or re.search(r"curl\b.*(\s-k\b|--insecure)|curl\b.*\|\s*(ba)?sh\b", text):
        wrong.append(f"{name}: fetches what nobody verifies")


for name in names:
    path = root / name
    is_code = path.suffix in (".sh", ".py", ".yaml") or "Dockerfile" in name or name == "Makefile"
    if is_code and name != SELF and path.is_file():
        check(name, path.read_text())
for path in list(root.glob("scripts/locks/*.txt")) + [root / name for name in names if name.endswith("-lock.txt")]:
    for package in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE)).splitlines():
        if not re.fullmatch(r"[\w.-]+==\S+(\s+--hash=sha256:[0-9a-f]{64})+", package.strip()):
            wrong.append(f"{path.relative_to(root)}: {package[:60]} is not NAME==VERSION with SHA-256")
print("\n".join(wrong) or "all downloads are pinned")
sys.exit(1 if wrong else 0)
