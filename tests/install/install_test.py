"""Installs the build and uses it as a stranger would: install_test.py BUILD SOURCE CACHE"""

import pathlib
import subprocess
import sys
import tempfile

build, source, cache = (pathlib.Path(argument) for argument in sys.argv[1:4])


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


CORE = """
#include <infer/core/batch_policy.h>
#include <infer/core/thread_plan.h>
#include <cstdio>
int main() { std::printf("%zu workers\\n", infer::plan_threads(4, 0, 0)->workers); }
"""
CORE_PROJECT = """
cmake_minimum_required(VERSION 3.22)
project(core_user LANGUAGES CXX)
find_package(infer 0.1 REQUIRED)
add_executable(core_user main.cpp)
target_link_libraries(core_user PRIVATE infer::core)
"""

with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    prefix = work / "prefix"
    run("cmake", "--install", build, "--prefix", prefix)
    headers = [path for path in prefix.rglob("*.h") if "torch_interop" not in path.name]
    for header in headers:
        if any(f"#include <{folder}/" in header.read_text() for folder in ("torch", "ATen", "c10")):
            sys.exit(f"{header}: an installed header includes torch")

    # The examples, as a project of its own.
    run("cmake", "-S", source / "examples", "-B", work / "examples", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DINFER_CACHE={cache}")
    run("cmake", "--build", work / "examples")
    print(run(work / "examples" / "example_own_backend"), end="")

    # The header-only core alone, with nothing but itself on the link line.
    (work / "core").mkdir()
    (work / "core" / "main.cpp").write_text(CORE)
    (work / "core" / "CMakeLists.txt").write_text(CORE_PROJECT)
    run("cmake", "-S", work / "core", "-B", work / "core" / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", work / "core" / "build")
    print(run(work / "core" / "build" / "core_user"), end="")
    if "libinfer" in run("ldd", work / "core" / "build" / "core_user"):
        sys.exit("infer::core links the library")

    # pkg-config, without CMake.
    package = next(prefix.rglob("pkgconfig"))
    flags = run("pkg-config", "--cflags", "--libs", "infer", env={"PKG_CONFIG_PATH": str(package), "PATH": "/usr/bin:/bin"})
    run("g++", source / "examples" / "own_backend.cpp", "-o", work / "with_pkg_config", *flags.split())
    library = next(prefix.rglob("libinfer.so")).parent
    print(run(work / "with_pkg_config", env={"LD_LIBRARY_PATH": str(library)}), end="")

    # The installed command finds its libraries.
    print(run(prefix / "bin" / "infer", "--version"), end="")
