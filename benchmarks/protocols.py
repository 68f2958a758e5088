#!/usr/bin/env python3
"""Measures the cost of the protocol, compared with FastAPI and Triton. Prints a table in Markdown. Run make conformance once before."""

import argparse
import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import compare

sys.path.insert(0, str(compare.ROOT / "tests" / "conformance"))
import echo  # noqa: E402
import run as conformance  # noqa: E402

ROOT, PORT, PROBE, PEER_PORT = compare.ROOT, compare.PORT, compare.PROBE, compare.PEER_PORT
ROUNDS = 3


class Server:
    def __init__(self, args, models, *flags, core=None):
        pin = [] if core is None else ["taskset", "-c", str(core)]
        self.process = subprocess.Popen([*pin, f"{args.build}/bin/infer", "serve", "--models", str(models), *map(str, flags)],
                                        stdout=subprocess.DEVNULL)
        compare.wait_for(PROBE, "/readyz", self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def hey(port, path, file, seconds, clients):
    """Returns (requests per second that were answered 200, number of other answers)."""
    out = subprocess.run(["hey", "-z", f"{seconds}s", "-c", str(clients), "-m", "POST", "-T", "application/json", "-D", str(file),
                          f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True).stdout
    good = sum(int(n) for n in re.findall(r"\[200\]\s+(\d+)", out))
    other = sum(int(n) for n in re.findall(r"\[(?!200)\d+\]\s+(\d+) responses", out))
    errors = sum(int(n) for n in re.findall(r"^\s+\[(\d+)\]\s+\w+ \"", out, re.MULTILINE))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    return rate * good / max(1, good + other + errors), other + errors


def wrk(port, path, file, seconds, clients, core):
    """Returns the requests per second that were answered 200. Uses wrk, because hey would be slower than the server."""
    script = file.with_suffix(".lua")
    script.write_text(f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{file.read_text()}]==]\n')
    out = subprocess.run(["taskset", "-c", str(core), "wrk", "-t", "1", "-c", str(clients), "-d", f"{seconds}s", "-s", str(script),
                          f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True).stdout
    if re.search(r"Non-2xx|Socket errors", out):
        raise SystemExit(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def perf_analyzer(port):
    environment = dict(os.environ, LD_LIBRARY_PATH=str(conformance.CUDA_RUNTIME))
    out = subprocess.run([str(conformance.CLIENTS / "bin" / "perf_analyzer"), "-m", "identity", "-u", f"127.0.0.1:{port}", "-i", "http",
                          "-b", "4", "--concurrency-range", "16", "--measurement-interval", "4000", "--stability-percentage", "30"],
                         check=True, capture_output=True, text=True, env=environment).stdout
    return float(re.search(r"Throughput: ([\d.]+) infer/sec", out).group(1)) / 4


def round_trips(body, count):
    """Returns the seconds of each of `count` requests of one client on one connection."""
    head = b"POST /v2/models/small/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    message, times, connection = head % len(body) + body, [], None
    for _ in range(count):
        if connection is None:
            connection = socket.create_connection(("127.0.0.1", PORT))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.perf_counter()
        connection.sendall(message)
        answer = connection.recv(65536)
        times.append(time.perf_counter() - start)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        if b"Connection: close" in answer:
            connection.close()
            connection = None
    return sorted(times)


def probe(stop, times):
    while not stop.is_set():
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", PROBE, timeout=10)
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
        connection.close()
        times.append(time.perf_counter() - start)
        stop.wait(0.02)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--peers", default=str(compare.CACHE / "peers"))
    parser.add_argument("--only", default=".", help="regular expression of the sections to run")
    args = parser.parse_args()
    work = ROOT / "bench-results" / "protocols"
    rows = []

    def row(what, value, goal):
        rows.append(f"| {what} | {value} | {goal} |")
        print(rows[-1], flush=True)

    def section(name):
        return re.search(args.only, name)

    for triton in (False, True):
        echo.write(work / ("triton" if triton else "ours"), "identity", "FP32", [224, 224, 3], triton)
    small = work / "small" / "small"
    (small / "1").mkdir(parents=True, exist_ok=True)
    (small / "1" / "script.json").write_text("{}")
    (small / "infer.json").write_text(json.dumps({
        "task": "raw", "backend": "scripted", "file": "script.json", "inputs": [{"name": "x", "dtype": "FP32", "shape": [11]}],
        "outputs": [{"name": "y", "dtype": "FP32", "shape": [11]}],
        "batch": {"max_batch_size": 32, "allowed_batch_sizes": [1, 2, 4, 8, 16, 32]}}))
    body = work / "small.json"
    body.write_text(json.dumps({"inputs": [{"name": "x", "shape": [1, 11], "datatype": "FP32", "data": [i / 7 for i in range(11)]}]}))

    if section("binary"):
        ours, theirs = [], []
        for _ in range(ROUNDS):
            process, port = conformance.start_triton(work / "triton")
            theirs.append(perf_analyzer(port))
            conformance.stop(process)
            with Server(args, work / "ours"):
                ours.append(perf_analyzer(PORT))
            print(f"round: {ours[-1]:.0f}, Triton {theirs[-1]:.0f} requests per second", flush=True)
        mine, other = statistics.median(ours), statistics.median(theirs)
        row("binary 4x224x224x3 FP32 identity, requests per second, 16 clients (perf_analyzer), over Triton 2.51 with a Python backend",
            f"{mine:.0f} / {other:.0f} = {mine / other:.2f}", "3")

    if section("small"):
        ours, theirs, path = [], [], "/v2/models/small/infer"
        for _ in range(ROUNDS):
            peer = subprocess.Popen(["taskset", "-c", "0", f"{args.peers}/bin/uvicorn", "small_server:app", "--port", str(PEER_PORT),
                                     "--log-level", "error"], cwd=ROOT / "benchmarks" / "peers")
            compare.wait_for(PEER_PORT, "/health", peer)
            theirs.append(wrk(PEER_PORT, path, body, 5, 32, core=1))
            peer.terminate()
            peer.wait(60)
            with Server(args, work / "small", core=0):
                wrk(PORT, path, body, 1, 32, core=1)
                ours.append(wrk(PORT, path, body, 5, 32, core=1))
        mine, other = statistics.median(ours), statistics.median(theirs)
        row("JSON of 11 floats, requests per second on one core, 32 clients on the other; over FastAPI",
            f"{mine:.0f}; {mine:.0f} / {other:.0f} = {mine / other:.1f}", "12,000; 8")

    if section("overhead"):
        with Server(args, work / "small"):
            round_trips(body.read_bytes(), 2000)
            times = round_trips(body.read_bytes(), 20_000)
        row("round trip of one client, a model that does nothing, p50; p99",
            f"{times[len(times) // 2] * 1e6:.0f} us; {times[len(times) * 99 // 100] * 1e6:.0f} us", "150 us; 1 ms")

    if section("crowd"):
        simulator = work / "simulator" / "simulator"
        (simulator / "1").mkdir(parents=True, exist_ok=True)
        (simulator / "1" / "script.json").write_text("{}")
        specs = [{"name": "work", "dtype": "FP64", "shape": [2]}]
        (simulator / "infer.json").write_text(json.dumps({"task": "simulate", "backend": "scripted", "file": "script.json",
                                                          "inputs": specs, "outputs": [{**specs[0], "name": "done"}]}))
        task = work / "work.json"
        task.write_text(json.dumps({"work_ms": 1}))
        with Server(args, simulator.parent, "--max-inflight", 1000, "--max-queue-size", 2000):
            stop, times = threading.Event(), []
            thread = threading.Thread(target=probe, args=(stop, times))
            thread.start()
            rate, failed = hey(PORT, "/infer", task, 15, 800)
            stop.set()
            thread.join()
        times.sort()
        row("800 keep-alive clients on the simulator at 1 ms of CPU: refused or failed; /livez p99, slowest",
            f"{failed} of {rate * 15:.0f}; {times[len(times) * 99 // 100] * 1000:.0f} ms, {times[-1] * 1000:.0f} ms of {len(times)}",
            "0; none starved")

    print("\n| what | measured | goal |\n|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
