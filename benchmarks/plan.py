#!/usr/bin/env python3
"""Compares `infer plan` with real runs: the same arrivals for a server and for the simulation, medians of three rounds.

plan.py INFER MODEL PHOTO

The curve is measured before and after each real run, and the plan uses the mean: near capacity, one percent of speed changes
the p95 by six percent, and virtual machines drift by more than that within minutes.
"""

import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

INFER, MODEL, PHOTO = sys.argv[1:4]
LOADS = (0.5, 0.7, 0.85, 1.3)  # fractions of the machine's capacity
SECONDS = 40
ROUNDS = 3


def run(*arguments):
    return json.loads(subprocess.run([INFER, *map(str, arguments)], capture_output=True, text=True, check=False).stdout)


def client_seconds():
    """Returns the CPU time of ended child processes, because the plan must know how much the load generator uses."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def capacity(curve):
    """Returns the requests per second that the cores can prepare and compute, at the best batch size."""
    cores = curve["workers"] * curve["intra_op_threads"]
    return max(cores / ((curve["prepare_ms"] + point["forward_ms"] * curve["intra_op_threads"] / point["batch"]) / 1e3) for point in curve["batches"])


def measure_curve():
    return run("bench", "--model", MODEL, "--sample", PHOTO, "--seconds", 2, "--json")


def mean_curve(before, after):
    """Returns the mean of two curves of `infer bench`, as an estimate for the run between them."""
    curve = dict(before, prepare_ms=(before["prepare_ms"] + after["prepare_ms"]) / 2, batches=[])
    for one, other in zip(before["batches"], after["batches"]):
        curve["batches"].append(dict(one, **{key: (one[key] + other[key]) / 2 for key in ("alone_ms", "forward_ms")}))
    return curve


def main():
    seen = {load: [] for load in LOADS}
    with tempfile.TemporaryDirectory() as work:
        curve_file = pathlib.Path(work) / "curve.json"
        curve = measure_curve()
        cores = curve["workers"] * curve["intra_op_threads"]
        most = capacity(curve)
        print(f"{curve['workers']} workers, {most:.1f} requests a second at most", flush=True)
        server = subprocess.Popen([INFER, "serve", "--model", MODEL, "--port", "0", "--probe-port", "0", "--log-level", "info", "--log-requests-per-second", "0"],
                                  stdout=subprocess.PIPE, text=True)
        lines = (json.loads(line) for line in server.stdout)
        port = next(line["port"] for line in lines if line["event"] == "listening")
        next(line for line in lines if line["event"] == "ready")
        url = f"http://127.0.0.1:{port}/embed"
        try:
            for index in range(ROUNDS):
                for load in LOADS:
                    trace = f"{work}/trace.csv"
                    busy = client_seconds()
                    real = run("load", "--host", url, "--body", f"@{PHOTO}", "--content-type", "image/jpeg", "--qps", load * most, "--seconds", SECONDS,
                               "--poisson", "--connections", 256, "--csv", trace, "--json")
                    left = cores - (client_seconds() - busy) / SECONDS
                    before, curve = curve, measure_curve()
                    mean = mean_curve(before, curve)
                    curve_file.write_text(json.dumps(mean))
                    (predicted,) = run("plan", curve_file, "--trace", trace, "--cores", left, "--json")["predictions"]
                    print(f"{load:.0%}: {capacity(mean):.1f} requests a second at most, {mean['prepare_ms']:.1f} ms for a request outside its forward, "
                          f"p95 {real['latency_ms']['p95']:.0f} ms, predicted {predicted['latency_ms']['p95']:.0f} ms", flush=True)
                    total = real["ok"] + real["fail"]
                    seen[load].append((real["latency_ms"]["p95"], predicted["latency_ms"]["p95"], real["ok_per_second"], predicted["per_second"],
                                       real["fail"] / total, predicted["drop_rate"]))
        finally:
            server.terminate()
            server.communicate(timeout=60)
    print("| load | p95 real, predicted | throughput real, predicted | refused real, predicted |\n|---|---|---|---|")
    for load, rounds in seen.items():
        p95, p95_plan, rate, rate_plan, drop, drop_plan = (statistics.median(column) for column in zip(*rounds))
        print(f"| {load:.0%} | {p95:.0f} ms, {p95_plan:.0f} ms ({p95_plan / p95 - 1:+.0%}) | {rate:.1f}, {rate_plan:.1f} ({rate_plan / rate - 1:+.1%}) "
              f"| {drop:.1%}, {drop_plan:.1%} |")


if __name__ == "__main__":
    main()
