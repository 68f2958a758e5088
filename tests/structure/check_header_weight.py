"""Compiles a user's file that includes all of infer/infer.h and fails above two seconds of the compiler's CPU time."""

import pathlib
import resource
import subprocess
import sys
import tempfile

compiler, root = sys.argv[1], sys.argv[2]
with tempfile.TemporaryDirectory() as work:
    source = pathlib.Path(work) / "user.cpp"
    source.write_text("#include <infer/infer.h>\nint main() {}\n")
    subprocess.run([compiler, "-std=c++20", "-fsyntax-only", f"-I{root}/include", str(source)], check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = usage.ru_utime + usage.ru_stime
print(f"infer/infer.h: {seconds:.2f} s")
sys.exit(1 if seconds > 2 else 0)
