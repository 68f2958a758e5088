#!/usr/bin/env python3
"""Compares `infer embed` on a folder with the same engine fed from memory: photographs per CPU-second, and memory by number of
files. Prints a table in Markdown. Uses the difference between a small and a large folder, which excludes the cost of loading.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

CACHE = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
SMALL, LARGE = 100, 500


def embed(args, work, count):
    """Returns (CPU-seconds, peak RSS in MB) of one run over `count` files."""
    folder = pathlib.Path(work) / str(count)
    if not folder.exists():
        folder.mkdir()
        for number in range(count):
            os.link(pathlib.Path(work) / "photo.jpg", folder / f"{number:06}.jpg")
    process = subprocess.Popen([f"{args.build}/bin/infer", "embed", "--model", args.model, folder, "-o",
                                f"{work}/out.npy", "--force"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit("infer embed failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def in_memory(args):
    out = subprocess.run([f"{args.build}/bin/bench_model", "--benchmark_filter=embed_many", "--benchmark_format=json"],
                         check=True, capture_output=True, text=True, env=dict(os.environ, INFER_BENCH_MODEL=args.model)).stdout
    return json.loads(out)["benchmarks"][0]["photos_per_cpu_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--model", default="models/clip-vit-b-32")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        (pathlib.Path(work) / "photo.jpg").write_bytes((CACHE / "photos" / "china.jpg").read_bytes())
        for _ in range(3):
            (few_cpu, few_rss), bare, (many_cpu, many_rss) = embed(args, work, SMALL), in_memory(args), embed(args, work, LARGE)
            rows.append(((LARGE - SMALL) / (many_cpu - few_cpu), bare, few_rss, many_rss))
            print(f"round: folder {rows[-1][0]:.2f}, memory {bare:.2f} photographs per CPU-second, "
                  f"RSS {few_rss:.0f} and {many_rss:.0f} MB", flush=True)
        _, huge_rss = embed(args, work, 3000)
    median = sorted(rows, key=lambda row: row[0] / row[1])[1]
    print("| what | measured | goal |")
    print("|---|---|---|")
    print(f"| photographs per CPU-second of a folder over those from memory | {median[0]:.2f} / {median[1]:.2f} = "
          f"{median[0] / median[1]:.3f} | 0.97 |")
    print(f"| peak RSS in MB with {SMALL}, {LARGE} and 3000 files | {median[2]:.0f}, {median[3]:.0f}, {huge_rss:.0f} | the same |")


if __name__ == "__main__":
    main()
