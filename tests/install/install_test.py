"""Installs the build and uses it like an external project: install_test.py BUILD SOURCE CACHE"""

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

MAKE = """
#include <infer/engine/manifest.h>
#include <infer/models/quantize.h>
#include <infer/models/simulator.h>
#include <cstdio>
int main(int, char** argv) {
  if (const auto made = infer::create_simulator({}, argv[1]); !made) return std::puts(made.error().message.c_str()), 1;
  const auto refused = infer::quantize_model(argv[1], {}, std::string(argv[1]) + "-int8");
  std::printf("make: %s, %s\\n", infer::read_manifest(argv[1]).value().task.c_str(), infer::to_string(refused.error().code).data());
}
"""
MAKE_PROJECT = """
cmake_minimum_required(VERSION 3.22)
project(make_user LANGUAGES CXX)
find_package(infer 0.1 REQUIRED)
add_executable(make_user main.cpp)
target_link_libraries(make_user PRIVATE infer::make)
"""
TOOLS = """
#include <infer/tools/arrivals.h>
#include <infer/tools/bench.h>
#include <infer/tools/embed_folder.h>
#include <infer/tools/read_photos.h>
#include <infer/tools/simulation.h>
#include <infer/tools/tune.h>
#include <cstdio>
int main(int, char** argv) {
  const auto found = infer::tools::read_photos({.folder = argv[1]}, {}, {});
  const auto arrivals = infer::tools::Arrivals::create({.qps = 10, .seconds = 1}).value();
  infer::tools::SimulationOptions service;
  service.replica.curve.points = {{1, 0.01, 0.01}};
  const auto predicted = infer::tools::simulate(service, arrivals);
  const bool benched = infer::tools::Bench::open({.model = argv[1]}).has_value();
  const bool tuned = infer::tools::tune_model({.model = argv[1]}, {}).has_value();
  const auto embedder = infer::ImageEmbedder::open(argv[1]);
  const bool embedded = embedder && infer::tools::embed_folder(*embedder, {.out = "v.csv"}, {}, {});
  std::printf("tools: %zu photographs, %zu answers, %d%d%d\\n", found.photos.size(), predicted.answered, benched, tuned,
              embedded);
}
"""
TOOLS_PROJECT = """
cmake_minimum_required(VERSION 3.22)
project(tools_user LANGUAGES CXX)
find_package(infer 0.1 REQUIRED COMPONENTS tools)
add_executable(tools_user main.cpp)
target_link_libraries(tools_user PRIVATE infer::tools_bench infer::tools_duplicates infer::tools_folder infer::tools_load
  infer::tools_plan infer::tools_tune)
"""

with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    prefix = work / "prefix"
    run("cmake", "--install", build, "--prefix", prefix)
    headers = [path for path in prefix.rglob("*.h") if "torch_interop" not in path.name]
    for header in headers:
        if any(f"#include <{folder}/" in header.read_text() for folder in ("torch", "ATen", "c10")):
            sys.exit(f"{header}: an installed header includes torch")

    # The examples as a separate project.
    run("cmake", "-S", source / "examples", "-B", work / "examples", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DINFER_CACHE={cache}")
    run("cmake", "--build", work / "examples")
    print(run(work / "examples" / "example_own_backend"), end="")

    # All tools libraries.
    (work / "tools").mkdir()
    (work / "tools" / "main.cpp").write_text(TOOLS)
    (work / "tools" / "CMakeLists.txt").write_text(TOOLS_PROJECT)
    run("cmake", "-S", work / "tools", "-B", work / "tools" / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", work / "tools" / "build")
    print(run(work / "tools" / "build" / "tools_user", work / "tools"), end="")

    # Model creation, which a program that only embeds inference does not link.
    (work / "make").mkdir()
    (work / "make" / "main.cpp").write_text(MAKE)
    (work / "make" / "CMakeLists.txt").write_text(MAKE_PROJECT)
    run("cmake", "-S", work / "make", "-B", work / "make" / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", work / "make" / "build")
    print(run(work / "make" / "build" / "make_user", work / "make" / "simulator"), end="")
    if "libinfer_make" in run("ldd", work / "examples" / "example_embed"):
        sys.exit("infer::infer links the library that makes models")

    # The header-only core, without any library on the link line.
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
