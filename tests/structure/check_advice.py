"""Checks every command line in the documents and in the program's own texts: check_advice.py SOURCE INFER

Compares each `infer ...` in README, docs, examples, help and printed messages with the real --help: the command must exist, know each
flag, and accept the number of words.
"""

import pathlib
import re
import shlex
import subprocess
import sys

source, infer = pathlib.Path(sys.argv[1]), sys.argv[2]
_known = {}


def known(words):
    """Returns the subcommands of a command, its flags and whether they take a value, and its maximum number of words."""
    key = tuple(words)
    if key not in _known:
        text = subprocess.run([infer, *words, "--help"], capture_output=True, text=True, check=True).stdout
        usage = re.search(r"^Usage: (.*)$", text, re.MULTILINE).group(1)
        commands = re.findall(r"^  ([a-z][\w-]*) ", text, re.MULTILINE) if "SUBCOMMAND" in usage else []
        flags = {}
        for short, flag, rest in re.findall(r"^  (-\w)?,?(--[a-z0-9-]+)(.*)$", text, re.MULTILINE):
            takes = bool(re.match(r"[, ]*(?:[A-Z]|[\w.]*=)", rest)) and not re.match(r" *(?:Excludes|REQUIRED|Needs)", rest)
            flags[flag] = takes
            if short:
                flags[short] = takes
        places = [word for word in usage.split()[1 + len(words):] if word not in ("[OPTIONS]", "SUBCOMMAND", "[SUBCOMMAND]")]
        _known[key] = (commands, flags, 99 if any("..." in word for word in places) else len(places))
    return _known[key]


def problem(line):
    """Returns what is wrong with a command line that begins with infer, or None."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    path, rest = [], words[1:]
    while rest and known(path)[0]:
        if rest[0].startswith("-"):
            break
        if rest[0] not in known(path)[0]:
            return f"no command '{' '.join(path + [rest[0]])}'" if re.fullmatch(r"[a-z-]+", rest[0]) else None
        path.append(rest.pop(0))
    _, flags, most = known(path)
    count, value = 0, False
    for word in rest:
        if word in ("|", "&", "&&", ";", "||", ">", ">>", "2>", "<", "\\") or word.startswith((">", "2>", "…", "...")):
            break
        ends = word.endswith((";", ",", ":", ")")) or (word.endswith(".") and len(word) > 1)
        word = word.rstrip(";,:)") if ends else word
        if value:
            value = False
        elif word.startswith("-") and len(word) > 1 and not re.fullmatch(r"-?\d+", word):
            flag = word.split("=")[0].strip("[]`")
            if flag not in flags:
                return f"'{' '.join(['infer'] + path)}' has no flag {flag}"
            value = flags[flag] and "=" not in word
        else:
            count += 1
        if ends:
            break
    if count > most:
        return f"'{' '.join(['infer'] + path)}' takes {most} words, {count} are shown"
    return None


# Checks that this check can fail.
assert problem("infer promote DIR --version X") is not None and problem("infer promote DIR 1 2") is not None
assert problem("infer load http://x --slo p95=1ms") is not None or "--slo" in known(["load"])[1]
assert problem("infer promote models/co2 3-gru") is None


def in_document(text):
    """Yields the code of a document, between backquotes or in a fenced block, with continued lines joined."""
    fenced = False
    block = ""
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if fenced:
            block += line
            if block.endswith("\\"):
                block = block[:-1] + " "
                continue
            match = re.match(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?infer (.*)", block)
            if match:
                yield "infer " + match.group(1)
            block = ""
        else:
            for span in re.findall(r"`([^`]+)`", line):
                if re.match(r"infer [a-z]", span):
                    yield span


def in_source(text):
    """Yields the command lines in string literals. Adjacent literals form one text."""
    text = re.sub(r'"\s*\n\s*"', "", re.sub(r"//[^\n]*", "", text))
    # A value stands between two literals.
    text = re.sub(r'"\s*(?:<<|\+)\s*[\w.*&:>()\[\]-]+\s*(?:<<|\+)\s*"', "NAME", text)
    text = re.sub(r'"\s*(?:<<|\+)\s*[\w.*&:>()\[\]-]+\s*(?:<<|\+)\s*"', "NAME", text)
    for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', text):
        for line in literal.replace("\\n", "\n").splitlines():
            match = re.search(r"(?:^|[:;>(] |  |do |run )infer ([a-z]+ .*)", line)
            if match and not re.match(r"[a-z-]+( [a-z-]+)?: ", match.group(1)):
                yield "infer " + match.group(1)


found, wrong = 0, []
documents = [source / "README.md", source / "SECURITY.md", source / "HACKING.md", *sorted((source / "docs").glob("*.md"))]
for path in documents + sorted((source / "adapters").rglob("*.cpp")) + sorted((source / "src").rglob("*.cpp")):
    for line in (in_document if path.suffix == ".md" else in_source)(path.read_text()):
        found += 1
        if (what := problem(line)) is not None:
            wrong.append(f"{path.relative_to(source)}: {line.strip()}\n  {what}")
print("\n".join(wrong))
if wrong or found < 60:
    sys.exit(f"{len(wrong)} of {found} command lines are not accepted by the program")
print(f"{found} command lines, all accepted by the program")
