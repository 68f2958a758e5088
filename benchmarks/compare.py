#!/usr/bin/env python3
"""Compares the server with bare LibTorch and with its goals, on one machine in one run. Prints a table in Markdown."""

import argparse
import atexit
import base64
import concurrent.futures
import http.client
import io
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import time

import load

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
PORT, PROBE, PEER_PORT = 8002, 9002, 8003
ROUNDS = 3


def payloads(work):
    """Returns a 224 x 224 JPEG of about 20 KB made from a photograph, and an unchanged photograph of 640 x 427."""
    sys.path.insert(0, str(next(CACHE.glob(f"pillow-*-{sys.version_info.major}.{sys.version_info.minor}"))))
    from PIL import Image

    image = Image.open(CACHE / "photos" / "astronaut.png").convert("RGB").resize((224, 224), Image.BICUBIC)
    small = b""
    for quality in range(60, 100):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        small = buffer.getvalue()
        if len(small) >= 19_500:
            break
    out = {}
    for name, data in (("224", small), ("640", (CACHE / "photos" / "china.jpg").read_bytes())):
        path = work / f"{name}.json"
        path.write_text(json.dumps({"images": [base64.b64encode(data).decode()]}))
        out[name] = path
    return out


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_for(port, path, server, seconds=120):
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if server.poll() is not None:
            raise SystemExit(f"server ended with code {server.returncode}")
        try:
            if get(port, path)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.005)
    raise SystemExit(f"port {port} was not ready in time")


def tree(pid):
    pids = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            pids += tree(int(child))
    return pids


def cpu_seconds(pid):
    ticks = 0
    for one in tree(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{one}/status").read_text()).group(1))
               for one in tree(pid)) / 1024


def hey(port, payload, requests, clients, path="/embed/base64", content_type="application/json"):
    """Returns (requests per second, p50, p95 in seconds). Every answer must be 200."""
    out = subprocess.run(["hey", "-n", str(requests), "-c", str(clients), "-t", "120", "-m", "POST", "-T",
                          content_type, "-D", str(payload), f"http://127.0.0.1:{port}{path}"],
                         check=True, capture_output=True, text=True).stdout
    ok = int(re.search(r"\[200\]\s+(\d+)", out).group(1))
    if ok != requests // clients * clients:
        raise SystemExit(f"only {ok} of {requests} succeeded:\n{out}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    p50, p95 = (float(re.search(rf"{p}% in ([\d.]+) secs", out).group(1)) for p in (50, 95))
    return rate, p50, p95


class Server:
    def __init__(self, args, flags=()):
        self.start = time.monotonic()
        self.process = subprocess.Popen([f"{args.build}/bin/infer", "serve", "--model", args.model, *flags],
                                        stdout=subprocess.DEVNULL)
        atexit.register(self.process.kill)  # stops the server even after an error
        wait_for(PROBE, "/livez", self.process)
        self.http_seconds = time.monotonic() - self.start
        wait_for(PROBE, "/readyz", self.process)
        self.ready_seconds = time.monotonic() - self.start

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def bare(args, cores):
    """Returns the images per CPU-second of forward alone, at its best batch size."""
    best = (0, 0)
    for batch in (1, 2, 4, 8, 16, 32):
        out = subprocess.run([f"{args.build}/bin/bare_forward", f"{args.model}/1/model.pt", str(cores), str(batch), "8"],
                             check=True, capture_output=True, text=True).stdout
        result = json.loads(out)
        print("bare forward", out.strip(), flush=True)
        best = max(best, (result["images_per_cpu_second"], batch))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--model", default="models/clip-vit-b-32")
    parser.add_argument("--only", help="regular expression of the sections to run")
    args = parser.parse_args()
    work = ROOT / "bench-results"
    work.mkdir(exist_ok=True)
    files = payloads(work)
    cores = len(os.sched_getaffinity(0))
    rows = []

    def section(name):
        return not args.only or re.search(args.only, name)

    def row(what, value, goal):
        rows.append((what, value, goal))
        print(f"| {what} | {value} | {goal} |", flush=True)

    if section("cpu"):
        bests, servers, ratios = [], [], []
        bare_rate, batch = bare(args, cores)
        for _ in range(ROUNDS):
            out = subprocess.run([f"{args.build}/bin/bare_forward", f"{args.model}/1/model.pt", str(cores), str(batch), "10"],
                                 check=True, capture_output=True, text=True).stdout
            bests.append(json.loads(out)["images_per_cpu_second"])
            server = Server(args)
            hey(PORT, files["224"], 60, 30)
            before = cpu_seconds(server.process.pid)
            rate, _, _ = hey(PORT, files["224"], 600, 30)
            used = cpu_seconds(server.process.pid) - before
            servers.append(600 / used)
            print(f"round: bare {bests[-1]:.2f}, server {servers[-1]:.2f} images per CPU-second, {rate:.1f} per second", flush=True)
            server.stop()
        ratio = statistics.median(servers) / statistics.median(bests)
        row(f"images per CPU-second, 224x224 JPEG, 30 clients, over bare forward (batch {batch})",
            f"{statistics.median(servers):.2f} / {statistics.median(bests):.2f} = {ratio:.3f}", "0.95")

    if section("single"):
        http_p50, process_p50 = [], []
        for _ in range(ROUNDS):
            out = subprocess.run([f"{args.build}/bin/bench_model", "--benchmark_filter=embed_in_process", "--benchmark_format=json"],
                                 check=True, capture_output=True, text=True,
                                 env=dict(os.environ, INFER_BENCH_MODEL=args.model)).stdout
            process_p50.append(json.loads(out)["benchmarks"][0]["p50_ms"])
            server = Server(args)
            hey(PORT, files["640"], 20, 1)
            connection = http.client.HTTPConnection("127.0.0.1", PORT)
            body = files["640"].read_bytes()
            times = []
            for _ in range(40):
                begin = time.monotonic()
                connection.request("POST", "/embed/base64", body, {"Content-Type": "application/json"})
                connection.getresponse().read()
                times.append((time.monotonic() - begin) * 1000)
            http_p50.append(statistics.median(times))
            server.stop()
        ours, inside = statistics.median(http_p50), statistics.median(process_p50)
        row("p50 in ms with 1 client over HTTP, and embed in process", f"{ours:.1f}, {inside:.1f}: {(ours / inside - 1) * 100:+.1f} %",
            f"{inside * 1.03 + 0.3:.1f} ms or less")

    if section("start"):
        pathlib.Path(f"{args.model}/1/model.pt").read_bytes()
        starts = []
        for _ in range(5):
            server = Server(args)
            starts.append((server.http_seconds, server.ready_seconds))
            server.stop()
        row("start to HTTP answering, to ready, in seconds", ", ".join(f"{statistics.median(c):.2f}" for c in zip(*starts)), "0.4, 2.5")

    if section("probe"):
        server = Server(args)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            busy = pool.submit(hey, PORT, files["640"], 600, 60)
            time.sleep(2)
            results = load.open_loop("127.0.0.1", PROBE, load.get("/livez"), 50, 12)
            busy.result()
        server.stop()
        failed = sum(1 for status, _ in results if status != 200)
        p99 = load.percentile([t for _, t in results], 99) * 1000
        row(f"/livez p99 in ms under 60 clients, {len(results)} probes, failures", f"{p99:.1f}, {failed}", "20, 0")

    if section("overload"):
        server = Server(args)
        body = files["224"].read_bytes()
        capacity, _, saturated = hey(PORT, files["224"], 640, 64)
        results = load.open_loop("127.0.0.1", PORT, load.post("/embed/base64", body), 4 * capacity, 20)
        server.stop()
        accepted = [t for status, t in results if status == 200]
        refused = [t * 1000 for status, t in results if status == 429]
        other = len(results) - len(accepted) - len(refused)
        p95 = load.percentile(accepted, 95)
        row(f"4 x capacity ({4 * capacity:.0f} per second): p95 of {len(accepted)} accepted over saturated p95",
            f"{p95:.2f} / {saturated:.2f} = {p95 / saturated:.2f}", "1.5 or less")
        row(f"p99 in ms of {len(refused)} answers 429; other answers", f"{load.percentile(refused, 99):.1f}; {other}", "20; 0")

    if section("core"):
        subprocess.run(["rm", "-rf", "build/core"], check=True, cwd=ROOT)
        environment = dict(os.environ, CCACHE_DISABLE="1")
        begin = time.monotonic()
        subprocess.run("cmake --preset core >/dev/null && cmake --build build/core >/dev/null && ctest --test-dir build/core -j2 >/dev/null",
                       shell=True, check=True, cwd=ROOT, env=environment)
        row("core tests: configure, build and run, seconds", f"{time.monotonic() - begin:.1f}", "30")

    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    print(f"\n{cpu}, {cores} cores, {platform.system()} {platform.release()}, commit {commit}\n")
    print("| what | measured | goal |\n|---|---|---|")
    for what, value, goal in rows:
        print(f"| {what} | {value} | {goal} |")


if __name__ == "__main__":
    main()
