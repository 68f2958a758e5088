"""Checks which files may include which headers. Exits with 1 and names each forbidden include."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1]).resolve()
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")
STANDARD = re.compile(r"[a-z_]+")  # neither sched.h nor sys/resource.h
# Only src/machine asks for limits, cores, memory and descriptors of the machine or the process.
ASKS_THE_MACHINE = re.compile(r"sched_getaffinity|fs/cgroup|proc/(?:cpuinfo|meminfo|self/(?:cgroup|statm|fd))|RLIMIT_NOFILE|hardware_concurrency|_SC_[A-Z_]*PAGES\b")
TORCH_HOMES = ("src/torch/backend/", "src/torch/models/", "src/torch/quantize/", "src/torch/train/")
TORCH_FILES = ("include/infer/torch_interop.h", "benchmarks/bare_forward.cpp")

# Maps a folder below include/infer and src to the folders that it may include, as "infer/FOLDER/…" or as a private header.
LAYERS = {
    "core": {"core"},
    "backends": {"backends", "core", "engine", "series", "testing"},
    "engine": {"core", "engine", "machine"},
    "image": {"core", "engine/manifest.h", "image", "multiversion.h"},
    "int8": {"core", "int8", "multiversion.h"},
    "machine": {"core", "machine"},
    "models": {"core", "engine", "models", "series", "tasks", "text", "weights"},
    "series": {"core", "engine/manifest.h", "engine/read_file.h", "series"},
    "serving": {"core", "engine", "machine", "serving", "tasks"},
    "tasks": {"core", "engine", "image", "series", "tasks", "text"},
    "testing": {"core", "engine", "testing"},
    "text": {"core", "engine/manifest.h", "engine/read_file.h", "text"},
    "tools": {"core", "engine", "image", "machine", "series", "serving", "tasks", "text", "tools", "version.h", "weights"},
    "torch": {"core", "engine", "int8", "models", "series", "tasks", "text", "torch", "torch_interop.h", "weights"},
    "weights": {"core", "engine/read_file.h", "engine/tensor.h", "weights"},
}
# Maps a folder of adapters/http to the folders there that it may include. "" is the server itself.
HTTP = {
    "": {"exchange", "message", "operations", "transport"},
    "calls": {"exchange", "json", "message"},
    "exchange": {"message", "protocols/oip/inference_request.h", "transport"},
    "json": {"exchange", "message"},
    "message": set(),
    "native": {"", "calls", "exchange", "json", "protocols/tei"},
    "operations": {"", "exchange", "json", "protocols/oip", "transport"},
    "page": {""},
    "protocols/openai": {"", "calls", "exchange", "json", "message", "protocols/tei"},
    "transport": {"message"},
}
# What each folder below protocols may include, unless it has a row of its own.
PROTOCOL = {"", "calls", "exchange", "json", "message"}
MOST_FILES = 15  # maximum number of files in such a folder
# Files besides tests that may include cpp-httplib. Only the first one may use that library's internals.
HTTPLIB_FILES = ("adapters/http/client.cpp", "adapters/http/httplib_config.h", "examples/own_route.cpp")
HTTPLIB_INSIDES = re.compile(r"httplib::(detail|ClientImpl|Stream)\b")
# Files beside the folders combine the layers: the C interface, and stubs for parts that a build omits.
ROOTS = {"src/c_api.cpp", "src/json_absent.cpp", "src/multiversion.h",
         "include/infer/c.h", "include/infer/export.h", "include/infer/infer.h", "include/infer/torch_interop.h", "include/infer/version.h"}
# Folders that may include private headers of the library, src/FOLDER/…; adapters may include none of src/tools.
PRIVATE = {"adapters/cli", "adapters/common", "tests"}
# Private headers that every adapter may include: the JSON writer, and functions on vectors.
SHARED = {"engine/json_writer.h", "engine/utf8.h", "tasks/vectors.h"}


def target_of(path, include):
    """Returns an include's path below include/infer or src, such as "engine/stack.h", or None for other headers."""
    if include.startswith("infer/"):
        return include.removeprefix("infer/")
    for base in (path.parent, root / "src"):
        file = (base / include).resolve()
        if file.is_file() and file.is_relative_to(root / "src"):
            return file.relative_to(root / "src").as_posix()
    return None


broken = []
for folder in ("include", "src", "adapters", "tests", "examples", "benchmarks"):
    for path in sorted((root / folder).rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        name = path.relative_to(root).as_posix()
        parts = name.split("/")
        layer = parts[2] if parts[0] == "include" and len(parts) > 3 else parts[1] if parts[0] == "src" and len(parts) > 2 else None
        if parts[0] in ("include", "src") and name not in ROOTS and layer not in LAYERS:
            broken.append(f"{name}: its folder has no row in LAYERS")
            continue
        text = path.read_text()
        for asked in ASKS_THE_MACHINE.findall(text) if parts[0] in ("include", "src", "adapters") and layer != "machine" else ():
            broken.append(f"{name}: {asked} asks the machine, which is for src/machine")
        if HTTPLIB_INSIDES.search(text) and name != HTTPLIB_FILES[0]:
            broken.append(f"{name}: only {HTTPLIB_FILES[0]} may use what is internal to cpp-httplib")
        for include in INCLUDE.findall(text):
            if TORCH.match(include) and not (root / "src" / include).exists() and not name.startswith(TORCH_HOMES) and name not in TORCH_FILES:
                broken.append(f"{name}: torch header {include}")
            if "httplib" in include and name not in HTTPLIB_FILES and not name.startswith("tests/"):
                broken.append(f"{name}: only {HTTPLIB_FILES[0]} may include {include}")
            target = target_of(path, include)
            if target and layer:
                if target.split("/")[0] not in LAYERS[layer] | {"export.h"} and target not in LAYERS[layer]:
                    broken.append(f"{name}: layer {layer} may not include {include}")
            elif target and not include.startswith("infer/") and name not in ROOTS and (
                    not name.startswith(tuple(PRIVATE)) or (parts[0] == "adapters" and target.startswith("tools/"))) and not (
                    name.startswith("adapters/") and target in SHARED):
                broken.append(f"{name}: {include} is a private header of the library")
            if layer == "core" and not include.startswith("infer/core/") and not STANDARD.fullmatch(include):
                broken.append(f"{name}: core needs only the standard library, not {include}")
    if folder == "adapters":
        http = root / "adapters/http"
        for path in sorted(http.rglob("*")):
            here = path.relative_to(http).parent.as_posix().removeprefix(".")
            if path.is_dir() and sum(file.is_file() for file in path.iterdir()) > MOST_FILES:
                broken.append(f"{path.relative_to(root)}: more than {MOST_FILES} files")
            if path.suffix not in (".h", ".cpp"):
                continue
            for include in INCLUDE.findall(path.read_text()):
                there = pathlib.PurePosixPath(include).parent.as_posix().removeprefix(".")
                if (http / include).is_file() and there != here and not {there, include} & (HTTP.get(here, PROTOCOL) if here.startswith("protocols/") else HTTP[here]):
                    broken.append(f"{path.relative_to(root)}: adapters/http/{here} may not include {include}")
    if folder == "include":
        for path in sorted((root / "include").rglob("*.h")):
            lines = len(path.read_text().splitlines())
            if lines > 280:
                broken.append(f"{path.relative_to(root)}: {lines} lines; a header that long holds two concepts")

print("\n".join(broken) or "all includes are allowed")
sys.exit(1 if broken else 0)
