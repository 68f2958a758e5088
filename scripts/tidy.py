#!/usr/bin/env python3
"""Runs clang-tidy on sources, except those already known to be clean: tidy.py BUILD SOURCE...

clang-tidy is installed as a wheel, because version 22 skips system headers, which took nine tenths of the time.
A source takes seconds, and most have not changed. A source is identified by a hash of all that clang-tidy reads: the source with its
headers and comments (NOLINT), the checks, and the version. $INFER_CACHE/tidy keeps the hashes of clean sources."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

import wheels

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLEAN = wheels.CACHE / "tidy"
BUILD, SOURCES = sys.argv[1], sys.argv[2:]
LOCK = (ROOT / "scripts/locks/clang-tidy.txt").read_text()
VERSION = LOCK.split("clang-tidy==")[-1].split()[0]
PLACE = wheels.CACHE / f"clang-tidy-{VERSION}"
TIDY = PLACE / "clang_tidy/data/bin/clang-tidy"
# Limits the analyser's steps in a function. The default of 225000 takes two to four times as long for all sources.
ANALYZER = ["--extra-arg=-Xclang", "--extra-arg=-analyzer-config", "--extra-arg=-Xclang", "--extra-arg=max-nodes=20000"]


def mark_of(source):
    """Returns the file that marks `source` as clean, or None if this build does not include the source or it does not compile."""
    command = COMMANDS.get(str(ROOT / source))
    if command is None:
        return None
    arguments = shlex.split(command["command"])
    # Removes the compiler cache before the compiler, and the output file after it, from the command.
    arguments = arguments[next(i for i, word in enumerate(arguments) if word.endswith("c++")):arguments.index("-o")]
    read = subprocess.run([*arguments, source, "-E", "-P", "-C", "-w"], cwd=ROOT, capture_output=True)
    text = b"\0".join([" ".join(arguments).replace(str(ROOT), "").encode(), read.stdout, (ROOT / ".clang-tidy").read_bytes(), LOCK.encode(),
                       *map(str.encode, ANALYZER)])
    return CLEAN / hashlib.sha256(text).hexdigest() if read.returncode == 0 else None


def check(source):
    """Returns the findings of clang-tidy, or None if the source is known to be clean."""
    mark = mark_of(source)
    if mark and mark.exists():
        return None
    done = subprocess.run([TIDY, "-p", BUILD, "--quiet", "--warnings-as-errors=*", *ANALYZER, source], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        if mark:
            mark.touch()
        return ""
    said = done.stdout + "\n".join(line for line in done.stderr.splitlines() if "warnings generated" not in line)
    return said or f"{source}: clang-tidy ended with {done.returncode} and said nothing"


CLEAN.mkdir(parents=True, exist_ok=True)
if not TIDY.exists():
    wheels.install_locked("clang-tidy", PLACE)
COMMANDS = {command["file"]: command for command in json.loads((pathlib.Path(BUILD) / "compile_commands.json").read_text())}
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
    found = []
    for text in threads.map(check, SOURCES):  # prints findings early, since the whole run takes minutes
        found.append(text)
        if text:
            print(text, flush=True)
print(f"clang-tidy: {len(found)} sources, {found.count(None)} of them known to be clean")
sys.exit(any(found))
