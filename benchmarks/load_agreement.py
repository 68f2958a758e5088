#!/usr/bin/env python3
"""Compares `infer load` with wrk and vegeta on one server: percentiles at an equal rate, and the maximum rate.

load_agreement.py INFER [VEGETA]
"""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

INFER = sys.argv[1]
VEGETA = sys.argv[2] if len(sys.argv) > 2 else "vegeta"
RATE, SECONDS, ROUNDS, CONNECTIONS = 60, 15, 3, 8


def load(url, rate):
    out = subprocess.run([INFER, "load", "--host", url, "--qps", str(rate), "--seconds", str(SECONDS), "--connections", str(CONNECTIONS), "--json"],
                         capture_output=True, text=True).stdout
    return json.loads(out)


def vegeta(url):
    attack = subprocess.run([VEGETA, "attack", "-rate", str(RATE), "-duration", f"{SECONDS}s", "-workers", str(CONNECTIONS), "-max-workers", str(CONNECTIONS)],
                            input=f"GET {url}\n".encode(), capture_output=True, check=True).stdout
    latencies = json.loads(subprocess.run([VEGETA, "report", "-type", "json"], input=attack, capture_output=True, check=True).stdout)["latencies"]
    return {"p50": latencies["50th"] / 1e6, "p95": latencies["95th"] / 1e6, "p99": latencies["99th"] / 1e6}


def wrk(url):
    out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", url], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def main():
    ours, theirs, rates, most = [], [], [], []
    with tempfile.TemporaryDirectory() as work:
        model = pathlib.Path(work) / "simulator"
        subprocess.run([INFER, "model", "create", "simulator", "--base-ms", "10", "--out", model], check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen([INFER, "serve", "--model", model, "--port", "0", "--probe-port", "0", "--log-requests-per-second", "0"],
                                  stdout=subprocess.PIPE, text=True)
        lines = (json.loads(line) for line in server.stdout)
        port = next(line["port"] for line in lines if line["event"] == "listening")
        next(line for line in lines if line["event"] == "ready")
        url = f"http://127.0.0.1:{port}/infer"
        try:
            for _ in range(ROUNDS):
                ours.append(load(url, RATE)["latency_ms"])
                theirs.append(vegeta(url))
                rates.append(wrk(url))
                most.append(load(url, 2000)["ok_per_second"])
        finally:
            server.terminate()
            server.communicate(timeout=60)
    print(f"| {RATE} requests a second of 10 ms | infer load | vegeta | ratio |\n|---|---|---|---|")
    for name in ("p50", "p95", "p99"):
        a, b = (statistics.median(run[name] for run in runs) for runs in (ours, theirs))
        print(f"| {name} | {a:.2f} ms | {b:.2f} ms | {a / b:.2f} |")
    a, b = statistics.median(most), statistics.median(rates)
    print(f"\nas fast as {CONNECTIONS} connections can: infer load {a:.1f} requests a second, wrk {b:.1f}, ratio {a / b:.3f}")


if __name__ == "__main__":
    main()
