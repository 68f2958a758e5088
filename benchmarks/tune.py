#!/usr/bin/env python3
"""Checks whether the choice of `infer tune` is as good as predicted: tune.py INFER MODEL PHOTO

Tunes twice. Then alternates for three rounds between the first choice, the second choice, and the settings without tuning. As root, also
compares the default settings under a quota of one core with two workers under that quota. A server refuses two workers there, so it is
moved under the quota after its start. Prints a table in Markdown.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import compare

INFER, MODEL, PHOTO = sys.argv[1:4]
TIME, ROUNDS, CLIENTS, REQUESTS = "60s", 3, 30, 480
GROUP = pathlib.Path("/sys/fs/cgroup/cpu/infer-bench")


def tuned():
    out = subprocess.run([INFER, "tune", MODEL, "--sample", PHOTO, "--time", TIME, "--json"], check=True, capture_output=True, text=True).stdout
    return next(iter(json.loads(out)["tuned"].values()))


def flags(choice):
    return ["--workers", choice["workers"], "--intra-op-threads", choice["intra_op_threads"], "--max-batch-size", choice["max_batch_size"],
            "--max-queue-delay-us", round(1000 * choice["max_queue_delay_ms"])]


def rate(*more, inside=None, moved=None):
    """Returns requests per second of a server that starts inside a control group, or that is moved there after its start."""
    command = [INFER, "serve", "--model", MODEL, "--port", "0", "--probe-port", "0", "--log-requests-per-second", "0", *map(str, more)]
    enter = ["bash", "-c", f'echo $$ > {inside}/cgroup.procs; exec "$@"', "in"] if inside else []
    server = subprocess.Popen([*enter, *command], stdout=subprocess.PIPE, text=True)
    try:
        lines = (json.loads(line) for line in server.stdout)
        port = next(line["port"] for line in lines if line["event"] == "listening")
        next(line for line in lines if line["event"] == "ready")
        if moved:
            (moved / "cgroup.procs").write_text(str(server.pid))
        body = pathlib.Path(tempfile.gettempdir()) / "infer-tune-body.json"
        body.write_bytes(pathlib.Path(PHOTO).read_bytes())
        compare.hey(port, body, 2 * CLIENTS, CLIENTS, "/embed", "image/jpeg")
        return compare.hey(port, body, REQUESTS if inside is None and moved is None else REQUESTS // 2, CLIENTS, "/embed", "image/jpeg")[0]
    finally:
        server.terminate()
        server.communicate(timeout=60)


def alternately(ways):
    seen = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, measure in ways.items():
            seen[name].append(measure())
            print(f"{name}: {seen[name][-1]:.1f} photographs a second", flush=True)
    return {name: statistics.median(rates) for name, rates in seen.items()}


def main():
    first, second = tuned(), tuned()
    print(f"chosen: {first}\nand:    {second}")
    medians = alternately({"first choice": lambda: rate(*flags(first)), "second choice": lambda: rate(*flags(second)), "default": rate})
    rows = [("second choice over the first", medians["second choice"] / medians["first choice"], "within 5 %"),
            ("tuned over default", medians["first choice"] / medians["default"], "0.98")]
    if os.geteuid() == 0 and GROUP.parent.is_dir():
        GROUP.mkdir(exist_ok=True)
        (GROUP / "cpu.cfs_period_us").write_text("100000")
        (GROUP / "cpu.cfs_quota_us").write_text("100000")
        try:
            medians = alternately({"one core, by itself": lambda: rate(inside=GROUP),
                                   "one core, two workers": lambda: rate(moved=GROUP),
                                   "one core, two threads in a forward": lambda: rate("--workers", 1, "--intra-op-threads", 2, moved=GROUP)})
        finally:
            GROUP.rmdir()
        rows += [(f"default under a quota of one core over {name}", medians["one core, by itself"] / medians[f"one core, {name}"], "1.2")
                 for name in ("two workers", "two threads in a forward")]
    print("| what | measured | goal |\n|---|---|---|")
    for name, ratio, goal in rows:
        print(f"| {name} | {ratio:.3f} | {goal} |")


if __name__ == "__main__":
    main()
