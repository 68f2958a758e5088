#!/usr/bin/env python3
"""Measures each optimization that LibTorch offers for a frozen tower on a CPU: forward_steps.py MODEL.pt, with the Python of the peers.
Prints milliseconds for one thread and batch 8, medians of three alternating rounds. `infer bench` measures libinfer with the same file."""

import statistics
import sys
import time
import warnings

import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
BATCH, ROUNDS, SECONDS = 8, 3, 3
images = torch.randn(BATCH, 3, 224, 224)


def frozen():
    return torch.jit.freeze(torch.jit.load(sys.argv[1]).eval())


def onednn_graph():
    torch.jit.enable_onednn_fusion(True)
    model = torch.jit.freeze(torch.jit.trace(torch.jit.load(sys.argv[1]).eval(), images))
    for _ in range(3):  # the first runs profile and fuse
        model(images)
    torch.jit.enable_onednn_fusion(False)
    return model


def autocast():
    model = frozen()

    def run(x):
        with torch.autocast("cpu", torch.bfloat16):
            return model(x)
    return run


def milliseconds(model):
    model(images)
    times = []
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        model(images)
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times)


def main():
    steps = {"frozen": frozen, "optimize_for_inference": lambda: torch.jit.optimize_for_inference(frozen()), "oneDNN graph (enable_onednn_fusion)": onednn_graph,
             "autocast to bf16": autocast}
    with torch.inference_mode():
        models = {}
        for name, make in steps.items():
            try:
                models[name] = make()
                models[name](images)
            except Exception as e:  # some optimizations fail with some versions; print the reason
                models.pop(name, None)
                print(f"{name}: {str(e).splitlines()[0][:150]}")
        seen = {name: [] for name in models}
        for _ in range(ROUNDS):
            for name, model in models.items():
                seen[name].append(milliseconds(model))
    base = statistics.median(seen["frozen"])
    print(f"torch {torch.__version__}\n| step | ms | over frozen |\n|---|---|---|")
    for name, times in seen.items():
        print(f"| {name} | {statistics.median(times):.1f} | {base / statistics.median(times):.2f} |")


if __name__ == "__main__":
    main()
