#!/usr/bin/env python3
"""Unpacks LibTorch from the pinned torch wheel into $INFER_CACHE/torch: headers, and the libraries the CPU needs.

With --cuda, also keeps the GPU libraries of the wheel and of the wheels that it requires.
"""

import platform
import re
import sys

import wheels

VERSION = "2.15.0"
TORCH_SHA256 = "48c2d861134c0b5697c7602cb5ffa68f62a2989fdcd1717e593356f67996ca1e"
# libtorch_cpu.so in the wheel belongs to a CUDA build and loads these two libraries, which are small and need no GPU.
RUNTIME = ("nvidia-cuda-runtime==13.2.86", "3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0")
CUPTI = ("nvidia-cuda-cupti==13.2.86", "8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586")
CPU_LIBRARIES = {"libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libgfortran.so.5"}


def main():
    cuda = "--cuda" in sys.argv[1:]
    done = wheels.CACHE / "torch" / ("cuda" if cuda else "cpu") / VERSION
    if done.exists() or (wheels.CACHE / "torch" / "cuda" / VERSION).exists():
        return
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        raise SystemExit("setup: no pinned LibTorch for this platform; install torch with pip, or set CMAKE_PREFIX_PATH")

    def torch_part(name):
        if name.startswith("torch/include/") or "dist-info/licenses" in name or name.endswith("dist-info/METADATA"):
            return name
        library = re.fullmatch(r"torch/lib/(lib[^/]+\.so[.0-9]*)", name)
        if library and (library.group(1) in CPU_LIBRARIES or (cuda and "python" not in name)):
            return name
        return None

    def small_library(prefix):
        return lambda name: "torch/lib/" + name.rsplit("/", 1)[1] if re.search(rf"/{prefix}\.so\.\d+$", name) else None

    wheels.install("torch", [
        (f"torch=={VERSION}", TORCH_SHA256, torch_part),
        (*RUNTIME, small_library("libcudart")),
        (*CUPTI, small_library("libcupti")),
    ])
    if cuda:
        wheels.install_locked("cuda", wheels.CACHE / "torch")  # the CUDA libraries that the wheel requires, such as cuDNN and NCCL
    done.parent.mkdir(parents=True, exist_ok=True)
    done.touch()


if __name__ == "__main__":
    main()
