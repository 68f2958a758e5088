"""The example in the README is the one that is compiled and run, to the letter."""

import pathlib
import sys

root = pathlib.Path(sys.argv[1])
example = (root / "examples" / "embed.cpp").read_text().strip()
sys.exit(0 if example in (root / "README.md").read_text() else "README.md does not show examples/embed.cpp")
