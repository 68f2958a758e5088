"""Limits the lines that infer/infer.h adds to a user's file, because the compiler's work grows with the lines it reads, and lines can be
counted exactly. docs/benchmarks.md has the compile times."""

import pathlib
import subprocess
import sys
import tempfile

LIMIT = 90_000

compiler, root = sys.argv[1], sys.argv[2]
with tempfile.TemporaryDirectory() as work:
    source = pathlib.Path(work) / "user.cpp"
    source.write_text("#include <infer/infer.h>\nint main() {}\n")
    subprocess.run([compiler, "-std=c++20", "-fsyntax-only", f"-I{root}/include", str(source)], check=True)
    text = subprocess.run([compiler, "-std=c++20", "-E", "-P", f"-I{root}/include", str(source)], check=True,
                          capture_output=True, text=True).stdout
lines = text.count("\n")
print(f"infer/infer.h: {lines} lines after preprocessing, at most {LIMIT}")
sys.exit(1 if lines > LIMIT or "namespace torch" in text or "namespace c10" in text else 0)
