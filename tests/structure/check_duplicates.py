"""Finds duplicated code: runs of at least LEAST equal tokens in src, include and adapters.

Names of variables, functions and types are compared. All strings count as equal, and all numbers, so that a copy with another message
is still a copy. Comments, includes and macros do not count. Tables are data, not copies: a run needs LEAST_NAMES different names and
LEAST_STATEMENTS statements.

duplicates.txt lists the pairs of files that share code, with the number of tokens. The check fails for a new pair, for a pair that
shares more than listed, and for a listed pair that shares nothing, so that the list only shrinks. --list prints the runs with their
lines, --update rewrites the list.
"""

import collections
import pathlib
import re
import sys

LEAST = 50
LEAST_STATEMENTS = 3
LEAST_NAMES = 10

root = pathlib.Path(sys.argv[1]).resolve()
list_file = root / "tests/structure/duplicates.txt"
TOKEN = re.compile(
    r'(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*#[^\n]*|\s+)'
    r'|(?P<raw>R"(?P<tag>[^()\s]*)\(.*?\)(?P=tag)")'
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)+')"
    r"|(?P<number>\d[\w.']*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>::|->|.)",
    re.DOTALL | re.MULTILINE)
KINDS = {"raw": "TEXT", "text": "TEXT", "number": "0"}


def tokens_of(text):
    """Returns the normalised tokens of a file, with their lines."""
    tokens, lines, line, at = [], [], 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        kind = match.lastgroup
        if kind != "skip":
            tokens.append(KINDS.get("raw" if match.group("raw") else kind, match.group()))
            lines.append(line)
    return tokens, lines


class Run(collections.namedtuple("Run", "one begin_one other begin_other size")):
    """Equal tokens in two places."""


def runs(files):
    """Returns all maximal runs of at least LEAST tokens. Each token of a pair of files counts in only one run."""
    places = collections.defaultdict(list)
    for name, (tokens, _) in files.items():
        for i in range(len(tokens) - LEAST + 1):
            places[hash(tuple(tokens[i:i + LEAST]))].append((name, i))
    found, covered = [], set()
    for same in places.values():
        for a in range(len(same)):
            for b in range(a + 1, len(same)):
                (one, i), (other, j) = sorted((same[a], same[b]))
                if (one, i, other, j) in covered or (one == other and j - i < LEAST):
                    continue
                x, y = files[one][0], files[other][0]
                if x[i:i + LEAST] != y[j:j + LEAST]:
                    continue
                while i > 0 and j > 0 and x[i - 1] == y[j - 1]:
                    i, j = i - 1, j - 1
                size = 0
                end = j if one == other else len(x)  # a run must not overlap its copy
                while i + size < end and j + size < len(y) and x[i + size] == y[j + size]:
                    covered.add((one, i + size, other, j + size))
                    size += 1
                run = x[i:i + size]
                names = {token for token in run if token[0].isalpha() or token[0] == "_"}
                if run.count(";") >= LEAST_STATEMENTS and len(names) >= LEAST_NAMES:
                    found.append(Run(one, i, other, j, size))
    return found


files = {}
for folder in ("src", "include", "adapters"):
    for path in sorted((root / folder).rglob("*")):
        if path.suffix in (".h", ".cpp"):
            files[path.relative_to(root).as_posix()] = tokens_of(path.read_text())
found = sorted(runs(files), key=lambda run: (-run.size, run.one, run.other))
shared = collections.Counter()
for run in found:
    shared[run.one, run.other] += run.size

if "--list" in sys.argv:
    for run in found:
        line = lambda name, at: f"{name}:{files[name][1][at]}"
        print(run.size, line(run.one, run.begin_one), line(run.other, run.begin_other))
if "--update" in sys.argv:
    list_file.write_text("".join(f"{size} {one} {other}\n" for (one, other), size in sorted(shared.items())))

listed = {}
for row in list_file.read_text().splitlines() if list_file.exists() else []:
    size, one, other = row.split()
    listed[one, other] = int(size)
wrong = []
for pair, size in sorted(shared.items()):
    if size > listed.get(pair, 0):
        wrong.append(f"{pair[0]} and {pair[1]}: {size} equal tokens, {listed.get(pair, 0)} are listed; move what they share to one place (--list shows it)")
for pair, size in sorted(listed.items()):
    if pair not in shared:
        wrong.append(f"{pair[0]} and {pair[1]}: share nothing any more; take the pair out of tests/structure/duplicates.txt")
print("\n".join(wrong) or f"{len(listed)} pairs of files share code, as the list says")
sys.exit(1 if wrong else 0)
