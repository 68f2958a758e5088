#!/usr/bin/env python3
"""Offers four times the capacity, with and without a limit on the wait: overload.py INFER MODEL PHOTO. Medians of three alternating rounds.

Without a limit (`--max-wait-ms 0`), a server accepts what fits in its queue. With a limit, it refuses requests that would begin too late.
Latency counts from sending a request to reading its answer and includes the request's own batch: at most the limit plus one batch.
"""

import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

INFER, MODEL, PHOTO = sys.argv[1:4]
WAITS_MS = (0, 2000, 500)
ROUNDS, SECONDS, CONNECTIONS = 3, 40, 512


def percentile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))] if ordered else float("nan")


def capacity(curve):
    """Returns the requests per second that the cores can prepare and compute, at the best batch size."""
    cores = curve["workers"] * curve["intra_op_threads"]
    return max(cores / ((curve["prepare_ms"] + point["forward_ms"] * curve["intra_op_threads"] / point["batch"]) / 1e3) for point in curve["batches"])


def one_run(wait_ms, rate, work):
    server = subprocess.Popen([INFER, "serve", "--model", MODEL, "--port", "0", "--probe-port", "0", "--max-wait-ms", str(wait_ms),
                               "--log-requests-per-second", "0"], stdout=subprocess.PIPE, text=True)
    try:
        lines = (json.loads(line) for line in server.stdout)
        port = next(line["port"] for line in lines if line["event"] == "listening")
        next(line for line in lines if line["event"] == "ready")
        trace = f"{work}/trace.csv"
        load = [INFER, "load", "--host", f"http://127.0.0.1:{port}/embed", "--body", f"@{PHOTO}", "--content-type", "image/jpeg", "--json"]
        subprocess.run([*load, "--qps", str(rate / 8), "--seconds", "5"], capture_output=True, check=True)  # measures the rate
        subprocess.run([*load, "--qps", str(4 * rate), "--seconds", str(SECONDS), "--poisson", "--connections", str(CONNECTIONS), "--csv", trace],
                       capture_output=True)  # exits with an error if requests were refused, as they should be here
        with open(trace, newline="") as file:
            rows = list(csv.DictReader(file))
    finally:
        server.terminate()
        server.communicate(timeout=120)
    accepted = [(float(row["answered_s"]) - float(row["sent_s"])) for row in rows if row["outcome"].startswith("2")]
    other = {row["outcome"] for row in rows if row["outcome"] not in ("200", "429") and not row["outcome"].startswith("not sent")}
    # The first seconds fill the queue and the last ones empty it. Between them, the server is fully loaded.
    steady = [row for row in rows if row["outcome"] == "200" and 10 <= float(row["answered_s"]) <= SECONDS]
    return len(steady) / (SECONDS - 10), percentile(accepted, 0.5), percentile(accepted, 0.95), sum(row["outcome"] == "429" for row in rows), other


def main():
    curve = json.loads(subprocess.run([INFER, "bench", "--model", MODEL, "--sample", PHOTO, "--seconds", "2", "--json"], capture_output=True, text=True,
                                      check=True).stdout)
    rate = capacity(curve)
    batch = max(point["forward_ms"] for point in curve["batches"]) / 1e3
    print(f"{rate:.1f} requests a second at most, the largest batch takes {batch:.2f} s", flush=True)
    seen = {wait: [] for wait in WAITS_MS}
    with tempfile.TemporaryDirectory() as work:
        for number in range(ROUNDS):
            for wait in WAITS_MS:
                row = one_run(wait, rate, work)
                seen[wait].append(row)
                print(f"round {number + 1}, {wait} ms: {row[0]:.1f} answered a second, p50 {row[1]:.2f} s, p95 {row[2]:.2f} s, {row[3]} times 429, others: {row[4]}",
                      flush=True)
    print("| --max-wait-ms | answered a second, over no bound | accepted p50, p95 | goal for the p95 |\n|---|---|---|---|")
    for wait, rows in seen.items():
        ratio = statistics.median(row[0] / free[0] for row, free in zip(rows, seen[0]))
        goal = f"{wait / 1e3 + batch:.2f} s" if wait else "-"
        print(f"| {wait} | {statistics.median(r[0] for r in rows):.1f}, {ratio:.3f} | {statistics.median(r[1] for r in rows):.2f} s, "
              f"{statistics.median(r[2] for r in rows):.2f} s | {goal} |")


if __name__ == "__main__":
    main()
