#!/usr/bin/env python3
"""All routes for a long time, with clients that hang up, input that is bad and a reload every ten seconds.

Prints the slope of the server's memory, and whether clients and server counted the same answers. SOAK_SECONDS: 1200.
"""

import argparse
import base64
import collections
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("INFER_CACHE", pathlib.Path.home() / ".cache" / "libinfer"))
PORT, PROBE, CLIENTS = 8002, 9002, 8


def make_models(args, folder):
    def run(*command):
        subprocess.run([f"{args.build}/bin/infer", *map(str, command)], check=True, capture_output=True)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "minilm").exists():
        run("model", "import", CACHE / "minilm", "--arch", "bert", "--out", folder / "minilm")
    if not (folder / "co2").exists():
        run("train", "forecast", "--data", CACHE / "series" / "co2.csv", "--target", "co2", "--time", "date", "--history", "10",
            "--model", "all", "--out", folder / "co2")
    if not (folder / "simulator").exists():
        run("model", "create", "simulator", "--out", folder / "simulator")
    fp32 = {"dtype": "FP32"}
    for name, task, inputs, outputs, more in (
            ("photos", "image-embedding", [{"name": "pixels", "shape": [3, 64, 64], **fp32}],
             [{"name": "embedding", "shape": [512], **fp32}], {"preprocess": {"size": 64}}),
            ("tensors", "raw", [{"name": "x", "shape": [11], **fp32}], [{"name": "x", "shape": [11], **fp32}], {})):
        (folder / name / "1").mkdir(parents=True, exist_ok=True)
        (folder / name / "1" / "script.json").write_text(json.dumps({"base_ms": 1, "failure_rate": 0.01}))
        (folder / name / "infer.json").write_text(json.dumps(
            {"task": task, "backend": "scripted", "file": "script.json", "inputs": inputs, "outputs": outputs, **more}))


def requests(photo):
    """(method, path, headers, body) of everything, good and bad."""
    json_type = {"Content-Type": "application/json"}
    encoded = base64.b64encode(photo).decode()
    tensor = {"name": "x", "shape": [2, 11], "datatype": "FP32"}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": 88}}],
                       "parameters": {"binary_data_output": True}}).encode()

    def post(path, body):
        return "POST", path, json_type, json.dumps(body).encode()
    good = [
        post("/embed", {"inputs": ["a quiet street", "rain " * 20]}),
        post("/similarity", {"inputs": {"source_sentence": "a", "sentences": ["b", "c"]}}),
        post("/v1/embeddings", {"model": "minilm", "input": "hello", "encoding_format": "base64"}),
        post("/v1/embeddings", {"model": "photos", "input": "data:image/jpeg;base64," + encoded}),
        post("/embed/base64", {"images": [encoded] * 3}),
        ("POST", "/embed", {"Content-Type": "image/jpeg"}, photo),
        post("/predict", {"inference_length": 4}),
        post("/infer", {"work_ms": 2}),
        post("/v2/models/tensors/infer", {"id": "1", "inputs": [{**tensor, "data": list(range(22))}]}),
        ("POST", "/v2/models/tensors/infer", {"Inference-Header-Content-Length": str(len(head))},
         head + struct.pack("<22f", *range(22))),
        ("GET", "/v2/models/tensors/stats", {}, None), ("GET", "/v2/models/minilm/config", {}, None), ("GET", "/v1/models", {}, None),
        ("GET", "/openapi.json", {}, None), ("GET", "/", {}, None), ("GET", "/metrics", {}, None), ("GET", "/healthz", {}, None),
    ]
    bad = [
        post("/embed", {"inputs": []}), post("/embed/base64", {"images": ["no base64"]}), ("POST", "/embed/base64", json_type, b"{"),
        ("POST", "/embed", {"Content-Type": "image/jpeg"}, photo[:1000]), post("/predict", {}), post("/infer", {"work_ms": -1}),
        post("/v2/models/none/infer", {}), ("POST", "/v2/models/tensors/infer", {"Inference-Header-Content-Length": "9"}, b"{}"),
        ("GET", "/nowhere", {}, None), ("DELETE", "/embed", {}, None), ("POST", "/embed", {"Content-Encoding": "gzip"}, b"no gzip"),
        ("POST", "/embed", {**json_type, "X-Timeout-Ms": "0"}, b"{}"),
        ("POST", "/embed", {**json_type, "X-Timeout-Ms": "1"}, json.dumps({"inputs": "late " * 30}).encode()),
    ]
    return good, bad


class Client(threading.Thread):
    """Sends one request after the other, and counts the answers by status."""

    def __init__(self, number, end, good, bad):
        super().__init__()
        self.random, self.end, self.good, self.bad = random.Random(number), end, good, bad
        self.answers, self.hangups, self.lost = collections.Counter(), 0, 0

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        while time.monotonic() < self.end:
            method, path, headers, body = self.random.choice(self.bad if self.random.random() < 0.15 else self.good)
            if self.random.random() < 0.03:
                self.hang_up(method, path, headers, body or b"")
                continue
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                response.read()
                self.answers[response.status] += 1
                if response.getheader("Connection") == "close":
                    connection.close()
            except (http.client.HTTPException, OSError):
                self.lost += 1
                connection.close()

    def hang_up(self, method, path, headers, body):
        with socket.create_connection(("127.0.0.1", PORT)) as s:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            whole = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
            s.sendall(whole[:self.random.randint(1, len(whole))])
        self.hangups += 1


asked = 0  # of the probe listener, which counts them too


def ask(path, method="GET"):
    global asked
    connection = http.client.HTTPConnection("127.0.0.1", PROBE, timeout=60)
    connection.request(method, path, headers={"X-Infer-Admin": "1"})
    response = connection.getresponse()
    asked += 1
    return response.status, response.read().decode()


def logged(file):
    """Requests in the log, and how many of their ids came more than once."""
    ids = collections.Counter(re.findall(r'"event":"request".*?"request_id":"(\w+)"', file.read_text()))
    return sum(ids.values()), sum(count > 1 for count in ids.values())


def rss_mb(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    args = parser.parse_args()
    seconds = float(os.environ.get("SOAK_SECONDS", "1200"))
    models = ROOT / "bench-results" / "soak"
    make_models(args, models)
    versions = sorted(path.name for path in (models / "co2").iterdir() if path.is_dir())
    log = (ROOT / "bench-results" / "soak.log").open("w")
    server = subprocess.Popen([f"{args.build}/bin/infer", "serve", "--models", str(models), "--port", str(PORT), "--probe-port",
                               str(PROBE), "--log-requests-per-second", "0", "--watch-interval-ms", "0"], stdout=log)
    try:
        while True:
            try:
                if ask("/readyz")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        end = time.monotonic() + seconds
        good, bad = requests(next((CACHE / "photos").glob("china*")).read_bytes())
        clients = [Client(i, end, good, bad) for i in range(CLIENTS)]
        for client in clients:
            client.start()
        points, slowest, last = [], 0.0, time.monotonic()
        while any(client.is_alive() for client in clients):
            time.sleep(1)
            start = time.monotonic()
            if ask("/livez")[0] != 200:
                sys.exit("soak: /livez failed")
            slowest = max(slowest, time.monotonic() - start)
            if start - last > 10:
                last = start
                (models / "co2" / "PROMOTED").write_text(random.choice(versions) + "\n")
                if ask("/reload", "POST")[0] != 200:
                    sys.exit("soak: /reload failed")
                points.append((sum(sum(c.answers.values()) for c in clients), rss_mb(server.pid)))
                if len(points) % 6 == 0:
                    print(f"{points[-1][0]} answers, {points[-1][1]:.0f} MB", flush=True)
        for client in clients:
            client.join()
        answered = sum((c.answers for c in clients), collections.Counter())
        hangups, lost = sum(c.hangups for c in clients), sum(c.lost for c in clients)
        counted = collections.Counter()
        for status, count in re.findall(r'^http_requests_total\{.*status="(\d+)"\} (\d+)', ask("/metrics")[1], re.MULTILINE):
            counted[int(status)] += int(count)
    finally:
        server.send_signal(signal.SIGINT)
        code = server.wait(60)
        log.close()
    # Beside what the clients saw the server counted our own questions but for the last, and those who hung up: some of them.
    extra = sum(counted.values()) - sum(answered.values()) - (asked - 1)
    lines, twice = logged(ROOT / "bench-results" / "soak.log")
    late = points[len(points) // 4:]
    mean_x, mean_y = (statistics.mean(c) for c in zip(*late))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in late) / sum((x - mean_x) ** 2 for x, _ in late) * 10_000
    print(f"exit code {code}; {sum(answered.values())} answers {dict(sorted(answered.items()))}, {lost} lost; {hangups} hung up")
    print(f"counted by the server beyond that: {extra}, of clients that hung up: 0 to {hangups} are right; "
          f"{lines} logged, {twice} of them twice")
    print(f"memory: {slope:.2f} MB per 10,000 requests, {points[-1][1]:.0f} MB at the end; slowest /livez {slowest * 1000:.0f} ms")
    return 0 if code == 0 and lost == 0 and 0 <= extra <= hangups and twice == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
