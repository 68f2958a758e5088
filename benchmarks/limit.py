#!/usr/bin/env python3
"""Compares forward with the machine's limit, and the server with forward: limit.py, medians of three alternating rounds. Prints a table in Markdown.

The limit is one large matrix product in the model's precision on the same threads (`infer bench`). The server answers 30 clients that send
photographs of 640x427, and all of its CPU time counts.
"""

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys

import compare

sys.path.insert(0, str(compare.ROOT / "benchmarks" / "peers"))
import peers  # noqa: E402
import workloads  # noqa: E402

ROUNDS, BATCHES = 3, "4,8"


def forward(args, model):
    """Returns (samples per CPU-second, share of the large product) at the better batch size."""
    out = json.loads(subprocess.run([f"{args.build}/bin/infer", "bench", "--model", model, "--batch", BATCHES, "--seconds", "3", "--json"], check=True,
                                    capture_output=True, text=True).stdout)
    best = max(out["batches"], key=lambda row: row["samples_per_second"])
    return best["samples_per_second"] / len(os.sched_getaffinity(0)), best["of_peak"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(compare.ROOT / "build/release"))
    args = parser.parse_args()
    photograph = base64.b64encode((compare.CACHE / "photos" / "china.jpg").read_bytes()).decode()
    models = {"fp32": compare.ROOT / "models" / "clip-vit-b-32", "int8": compare.ROOT / "bench-results" / "models" / "clip-vit-b-32-int8"}
    peers.WORK.mkdir(parents=True, exist_ok=True)
    workloads.make(args, models["int8"], "model", "quantize", models["fp32"], "--samples", compare.CACHE / "photos", "--out", models["int8"])
    seen = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, model in models.items():
            bare, of_peak = forward(args, model)
            ours = peers.Ours(args, model)
            server = ours.start()
            peers.load(ours, server, photograph, 60)
            _, _, served, rss = peers.load(ours, server, photograph, 600)
            server.stop()
            seen[name].append((of_peak, bare, served, rss))
            print(f"round: {name} {of_peak:.2f} of the large product, forward {bare:.1f}, server {served:.1f} photographs per CPU-second, {rss:.0f} MB", flush=True)
    print("| what | fp32 | int8 | goal |\n|---|---|---|---|")
    median = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in seen.items()}
    print(f"| forward over the large product | {median['fp32'][0]:.2f} | {median['int8'][0]:.2f} | 0.85, 0.7 |")
    print("| server over forward, photographs per CPU-second | "
          + " | ".join(f"{median[n][2]:.1f} / {median[n][1]:.1f} = {statistics.median(row[2] / row[1] for row in seen[n]):.2f}" for n in models) + " | 0.93, 0.88 |")
    print(f"| VmRSS at 30 clients | {median['fp32'][3]:.0f} MB | {median['int8'][3]:.0f} MB | 600, 350 MB |")


if __name__ == "__main__":
    main()
