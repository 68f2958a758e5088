#!/usr/bin/env python3
"""Measures whether one static scale for activations would be faster than libinfer's scale for each row: static_scales.py INFER, with the
Python of the peers.

Twelve feed-forward blocks of a ViT-B/32 in int8, 400 rows (eight photographs), one thread: `infer bench` on a module that libinfer packs, and
LibTorch's `onednn::qlinear_pointwise` with static scales, where the first product applies SiLU and writes int8 itself. Only the
quantization between the products differs. Medians of three alternating rounds."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.manual_seed(1)
INFER = sys.argv[1]
BLOCKS, ROWS, WIDTH, INNER, ROUNDS, SECONDS = 12, 400, 768, 3072, 3, 3


class Blocks(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(*(torch.nn.Sequential(torch.nn.Linear(WIDTH, INNER), torch.nn.SiLU(), torch.nn.Linear(INNER, WIDTH))
                                            for _ in range(BLOCKS)))

    def forward(self, x):
        return self.layers(x)


def rowwise(folder, blocks):
    """Returns the milliseconds of libinfer."""
    (folder / "1").mkdir(parents=True)
    dynamic = torch.ao.quantization.quantize_dynamic(blocks, {torch.nn.Linear}, dtype=torch.qint8)
    torch.jit.freeze(torch.jit.script(dynamic.eval())).save(folder / "1" / "model.pt")
    (folder / "infer.json").write_text(json.dumps({
        "task": "raw", "backend": "torchscript", "file": "model.pt", "precision": "int8", "inputs": [{"name": "x", "dtype": "FP32", "shape": [WIDTH]}],
        "outputs": [{"name": "y", "dtype": "FP32", "shape": [WIDTH]}], "batch": {"max_batch_size": ROWS}}))

    def measure():
        out = subprocess.run(["taskset", "-c", "0", INFER, "bench", "--model", folder, "--batch", str(ROWS), "--seconds", str(SECONDS), "--json"],
                             check=True, capture_output=True, text=True).stdout
        return json.loads(out)["batches"][0]["forward_ms"]
    return measure


def static(blocks):
    """Returns the milliseconds of the same products in LibTorch with static scales."""
    x = torch.randn(ROWS, WIDTH)
    steps = []
    with torch.inference_mode():
        value = x
        for layer in blocks.layers:
            inner = layer[1](layer[0](value))
            steps.append((float(value.abs().max()) / 127, float(inner.abs().max()) / 127))
            value = layer[2](inner)

    def pack(linear, rows, width):
        scales = linear.weight.detach().abs().amax(1) / 127
        weight = torch.round(linear.weight.detach() / scales[:, None]).to(torch.int8)
        return torch.ops.onednn.qlinear_prepack(weight, [rows, width]), scales, torch.zeros(len(scales), dtype=torch.int64), linear.bias.detach()
    packed = [(pack(layer[0], ROWS, WIDTH), pack(layer[2], ROWS, INNER)) for layer in blocks.layers]
    product = torch.ops.onednn.qlinear_pointwise

    def forward(value):
        for (first, second), (outer, inner) in zip(packed, steps):
            quantised = torch.quantize_per_tensor(value, outer, 128, torch.quint8).int_repr()
            hidden = product(quantised, outer, 128, *first, inner, 128, torch.uint8, "swish", [], "")
            value = product(hidden, inner, 128, *second, 1.0, 0, torch.float32, "none", [], "")
        return value

    def measure():
        times = []
        start = time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            begin = time.perf_counter()
            forward(x)
            times.append((time.perf_counter() - begin) * 1e3)
        return statistics.mean(times[1:])
    with torch.inference_mode():
        cosine = float(torch.nn.functional.cosine_similarity(forward(x), blocks(x)).min())
    return measure, cosine


def main():
    os.sched_setaffinity(0, {0})
    blocks = Blocks().eval()
    with tempfile.TemporaryDirectory() as work, torch.inference_mode():
        ours = rowwise(pathlib.Path(work) / "blocks", blocks)
        theirs, cosine = static(blocks)
        seen = [(ours(), theirs()) for _ in range(ROUNDS)]
    rows, one = (statistics.median(column) for column in zip(*seen))
    print(f"torch {torch.__version__}: a scale for each row {rows:.1f} ms, static scales {one:.1f} ms (least cosine of a row {cosine:.5f}); "
          f"rounds {', '.join(f'{a:.1f} and {b:.1f}' for a, b in seen)}")


if __name__ == "__main__":
    main()
