"""Holds the dependency rule: who may include what. Exits 1 and names each include that breaks it."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")
TORCH_HOMES = ("src/torch/backend/", "src/torch/models/", "src/torch/quantize/", "src/torch/train/")
TORCH_FILES = ("include/infer/torch_interop.h", "benchmarks/bare_forward.cpp")

# Folder below include/infer and src -> the folders it may include from.
LAYERS = {
    "core": {"core"},
    "image": {"core", "image", "engine/manifest.h"},
    "engine": {"core", "engine"},
    "testing": {"core", "engine", "testing"},
    "models": {"core", "engine", "models", "series", "tasks", "text", "weights"},
    "series": {"core", "series", "engine/manifest.h"},
    "tasks": {"core", "engine", "image", "series", "tasks", "text"},
    "text": {"core", "text", "engine/manifest.h"},
    "weights": {"core", "engine/tensor.h", "weights"},
}

broken = []
for folder in ("include", "src", "adapters", "tests", "examples", "benchmarks"):
    for path in sorted((root / folder).rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        name = path.relative_to(root).as_posix()
        parts = name.split("/")
        layer = parts[2] if parts[0] == "include" and len(parts) > 3 else parts[1] if parts[0] == "src" else None
        for include in INCLUDE.findall(path.read_text()):
            if TORCH.match(include) and not (root / "src" / include).exists() and not name.startswith(TORCH_HOMES) and name not in TORCH_FILES:
                broken.append(f"{name}: torch header {include}")
            if "httplib" in include and not name.startswith(("adapters/http/", "tests/http/", "tests/cli/", "tests/fuzz/", "examples/own_route.cpp")):
                broken.append(f"{name}: {include} belongs to the HTTP adapter")
            if include.startswith("infer/") and layer in LAYERS:
                target = include.removeprefix("infer/")
                if target.split("/")[0] not in LAYERS[layer] | {"export.h"} and target not in LAYERS[layer]:
                    broken.append(f"{name}: layer {layer} may not include {include}")
            if layer == "core" and not include.startswith("infer/core/") and "/" in include and not include.startswith("sys/"):
                broken.append(f"{name}: core needs only the standard library, not {include}")
    if folder == "include":
        for path in sorted((root / "include").rglob("*.h")):
            lines = len(path.read_text().splitlines())
            if lines > 280:
                broken.append(f"{path.relative_to(root)}: {lines} lines; a header that long holds two concepts")

print("\n".join(broken) or "every include is where it belongs")
sys.exit(1 if broken else 0)
