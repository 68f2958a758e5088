"""Checks that the README's example equals the compiled and tested file."""

import pathlib
import sys

root = pathlib.Path(sys.argv[1])
example = (root / "examples" / "embed.cpp").read_text().strip()
sys.exit(0 if example in (root / "README.md").read_text() else "README.md does not show examples/embed.cpp")
