#!/usr/bin/env python3
"""Sends requests to all routes for a long time, over HTTP and TLS at once: tensors of random shapes, clients that disconnect, clients
that close their sending side and wait, invalid input, and a reload every ten seconds.

Prints the slope of the servers' memory, and whether clients and servers counted the same answers: every completely sent request is
answered once, with its own id, and an echo with its own values. The binary may have sanitizers and no LibTorch (build/asan/bin/infer):
the models are scripted, and real models are added if the binary and the cache support them.
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
import ssl
import statistics
import struct
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("INFER_CACHE", pathlib.Path.home() / ".cache" / "libinfer"))
CLIENTS = 8  # half of the clients use TLS
RESULTS = ROOT / "bench-results"


class Server:
    """A server that runs until `stop` and logs to a file."""

    def __init__(self, infer, models, name, *options):
        self.log_path, self.errors_path = RESULTS / f"soak-{name}.log", RESULTS / f"soak-{name}.errors"
        self.log, self.errors, self.asked = self.log_path.open("w"), self.errors_path.open("w"), 0
        self.process = subprocess.Popen(
            [infer, "serve", "--models", str(models), "--port", "0", "--probe-port", "0", "--log-requests-per-second", "0",
             "--watch-interval-ms", "0", *options], stdout=self.log, stderr=self.errors)
        while True:
            if self.process.poll() is not None:
                sys.exit(f"soak: the server ended: {self.log_path.read_text()}{self.errors_path.read_text()}")
            ports = re.search(r'"port":(\d+).*"probe_port":(\d+)', self.log_path.read_text())
            if ports:
                self.port, self.probe = int(ports[1]), int(ports[2])
                try:
                    if self.ask("/readyz")[0] == 200:
                        return
                except OSError:
                    pass  # the server is ending; its log says why
            time.sleep(0.1)

    def ask(self, path, method="GET"):
        """Sends a request to the probe listener, which counts it too."""
        connection = http.client.HTTPConnection("127.0.0.1", self.probe, timeout=60)
        connection.request(method, path, headers={"X-Infer-Admin": "1"})
        response = connection.getresponse()
        self.asked += 1
        return response.status, response.read().decode()

    def counted(self):
        lines = re.findall(r'^http_requests_total\{.*status="\d+"\} (\d+)', self.ask("/metrics")[1], re.MULTILINE)
        return sum(map(int, lines))

    def rss_mb(self):
        statm = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(statm.split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(120)
        self.log.close()
        self.errors.close()
        return code

    def logged(self):
        """Returns the number of logged requests, and how many of their ids appear more than once."""
        ids = collections.Counter(re.findall(r'"event":"request".*?"request_id":"([^"]+)"', self.log_path.read_text()))
        return sum(ids.values()), sum(count > 1 for count in ids.values())


def make_models(infer, folder):
    def run(*command, optional=False):
        done = subprocess.run([infer, *map(str, command)], capture_output=True, text=True)
        if done.returncode != 0 and not optional:
            sys.exit(f"soak: {' '.join(map(str, command))}: {done.stderr}")
    folder.mkdir(parents=True, exist_ok=True)
    if (CACHE / "minilm").exists() and not (folder / "minilm").exists():
        run("model", "import", CACHE / "minilm", "--arch", "bert", "--out", folder / "minilm", optional=True)  # fails without LibTorch
    if not (folder / "sales").exists():
        data = folder.parent / "soak-sales.csv"
        data.write_text("sales\n" + "".join(f"{100 + i + 10 * (i % 7)}\n" for i in range(200)))
        for model in ("naive", "seasonal-naive", "prophet"):
            run("train", "forecast", "--data", data, "--target", "sales", "--season", "7", "--history", "10", "--model", model,
                "--out", folder / "sales")
        run("train", "forecast", "--data", data, "--target", "sales", "--history", "10", "--model", "gru", "--out", folder / "sales",
            optional=True)
    if not (folder / "simulator").exists():
        run("model", "create", "simulator", "--out", folder / "simulator")
    fp32 = {"dtype": "FP32"}
    for name, task, inputs, outputs, more in (
            ("photos", "image-embedding", [{"name": "pixels", "shape": [3, 64, 64], **fp32}],
             [{"name": "embedding", "shape": [512], **fp32}], {"preprocess": {"size": 64}}),
            ("tensors", "raw", [{"name": "x", "shape": [11], **fp32}], [{"name": "x", "shape": [11], **fp32}], {}),
            ("echo", "raw", [{"name": "x", "shape": [-1, -1], **fp32}], [{"name": "x", "shape": [-1, -1], **fp32}],
             {"batch": {"max_queue_delay_ms": 2}})):
        (folder / name / "1").mkdir(parents=True, exist_ok=True)
        (folder / name / "1" / "script.json").write_text(json.dumps({"base_ms": 1, "failure_rate": 0 if name == "echo" else 0.01}))
        (folder / name / "infer.json").write_text(json.dumps(
            {"task": task, "backend": "scripted", "file": "script.json", "inputs": inputs, "outputs": outputs, **more}))


def requests(photo, texts):
    """Returns (method, path, headers, body) of valid and invalid requests."""
    json_type = {"Content-Type": "application/json"}
    encoded = base64.b64encode(photo).decode()
    tensor = {"name": "x", "shape": [2, 11], "datatype": "FP32"}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": 88}}],
                       "parameters": {"binary_data_output": True}}).encode()

    def post(path, body):
        return "POST", path, json_type, json.dumps(body).encode()
    of_texts = [
        post("/embed", {"inputs": ["a quiet street", "rain " * 20]}),
        post("/similarity", {"inputs": {"source_sentence": "a", "sentences": ["b", "c"]}}),
        post("/v1/embeddings", {"model": "minilm", "input": "hello", "encoding_format": "base64"}),
        ("GET", "/v2/models/minilm/config", {}, None),
    ]
    good = (of_texts if texts else []) + [
        post("/v1/embeddings", {"model": "photos", "input": "data:image/jpeg;base64," + encoded}),
        post("/embed/base64", {"images": [encoded] * 3}),
        ("POST", "/embed", {"Content-Type": "image/jpeg"}, photo),
        post("/predict", {"inference_length": 4}),
        post("/infer", {"work_ms": 2}),
        post("/v2/models/tensors/infer", {"id": "1", "inputs": [{**tensor, "data": list(range(22))}]}),
        ("POST", "/v2/models/tensors/infer", {"Inference-Header-Content-Length": str(len(head))},
         head + struct.pack("<22f", *range(22))),
        ("GET", "/v2/models/tensors/stats", {}, None), ("GET", "/v1/models", {}, None),
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


class Lost(Exception):
    """A request got no answer, two answers, or the answer of another request."""


class Client(threading.Thread):
    """Sends requests one after the other and counts the answers by status."""

    def __init__(self, number, server, tls, end, good, bad):
        super().__init__()
        self.random, self.end, self.good, self.bad = random.Random(number), end, good, bad
        self.number, self.server, self.tls = number, server, tls
        self.answers, self.kinds, self.lost, self.sent = collections.Counter(), collections.Counter(), collections.Counter(), 0

    def run(self):
        connection = self.connection()
        while time.monotonic() < self.end:
            kind, request = self.choose()
            self.sent += 1
            request_id = f"soak-{self.number}-{self.sent}"
            try:
                if kind == "hang-up":
                    self.hang_up(*request, request_id)
                elif kind == "half-close":
                    self.half_close(*request, request_id)
                elif kind == "echo":
                    self.echo(connection, request_id)
                else:
                    self.exchange(connection, *request, request_id)
                self.kinds[kind] += 1
            except (http.client.HTTPException, OSError, Lost) as e:
                self.lost[f"{kind}: {request[0]} {request[1]}: {type(e).__name__} {e}"[:160]] += 1
                connection.close()

    def choose(self):
        request = self.random.choice(self.bad if self.random.random() < 0.15 else self.good)
        draw = self.random.random()
        if draw < 0.03:
            return "hang-up", request
        if draw < 0.06 and not self.tls:  # TLS cannot close one direction only
            return "half-close", request
        return ("echo", ("POST", "/v2/models/echo/infer", {}, b"")) if draw < 0.26 else ("plain", request)

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=120, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)

    def exchange(self, connection, method, path, headers, body, request_id):
        connection.request(method, path, body, {**headers, "X-Request-Id": request_id})
        response = connection.getresponse()
        answer = response.read()
        self.answers[response.status] += 1
        if response.getheader("X-Request-Id") != request_id:
            raise Lost(f"the answer of {response.getheader('X-Request-Id')}")
        if response.getheader("Connection") == "close":
            connection.close()
        return response.status, response, answer

    def echo(self, connection, request_id):
        """Echoes a tensor of random shape (mostly small, some with a dimension of 0, a few large) and compares the values."""
        shape = [1] + [self.random.choice((0, 1, 2, 3, 7, self.random.randint(1, 300))) for _ in range(2)]
        values = self.random.randbytes(4 * shape[1] * shape[2])
        head = json.dumps({"inputs": [{"name": "x", "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": len(values)}}],
                           "parameters": {"binary_data_output": True}}).encode()
        status, response, answer = self.exchange(connection, "POST", "/v2/models/echo/infer",
                                                 {"Inference-Header-Content-Length": str(len(head))}, head + values, request_id)
        if status != 200:
            return
        at = int(response.getheader("Inference-Header-Content-Length"))
        if json.loads(answer[:at])["outputs"][0]["shape"] != shape or answer[at:] != values:
            raise Lost(f"an echo of {shape} returned other values")

    def whole(self, method, path, headers, body, request_id):
        head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "X-Request-Id": request_id}.items())
        return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: {len(body or b'')}\r\n\r\n".encode() + (body or b"")

    def hang_up(self, *request):
        whole = self.whole(*request)
        with socket.create_connection(("127.0.0.1", self.server.port)) as raw:
            with self.tls.wrap_socket(raw) if self.tls else raw as s:
                s.sendall(whole[:self.random.randint(1, len(whole))])

    def half_close(self, *request):
        """Sends a complete request and closes the sending side. Expects exactly one answer."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=120) as s:
            s.sendall(self.whole(*request))
            s.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        statuses = re.findall(rb"^HTTP/1\.1 (\d{3}) ", answer, re.MULTILINE)
        if len(statuses) != 1:
            raise Lost(f"{len(statuses)} answers")
        if statuses[0] == b"499":
            raise Lost("answered as if the client had disconnected")
        self.answers[int(statuses[0])] += 1


def certificate():
    """Makes a key and certificate, and the context of a client that trusts only this certificate."""
    pem, key = RESULTS / "soak.pem", RESULTS / "soak.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key,
                    "-out", pem], check=True, capture_output=True)
    pem.write_text(key.read_text() + pem.read_text())
    context = ssl.create_default_context(cafile=str(pem))
    context.check_hostname = False
    return pem, context


def slope_mb(points):
    """Returns the growth of memory for each 10,000 answers, without the first quarter of the time."""
    late = points[len(points) // 4:]
    mean_x, mean_y = (statistics.mean(c) for c in zip(*late))
    return sum((x - mean_x) * (y - mean_y) for x, y in late) / max(1, sum((x - mean_x) ** 2 for x, _ in late)) * 10_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", default=str(ROOT / "build/release/bin/infer"), help="the command to run")
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SOAK_SECONDS", "1200")), help="20 minutes if not given")
    args = parser.parse_args()
    models = RESULTS / "soak" / "models"
    make_models(args.infer, models)
    pem, context = certificate()
    versions = sorted(path.name for path in (models / "sales").iterdir() if path.is_dir())
    servers = [Server(args.infer, models, "http"), Server(args.infer, models, "tls", "--tls", str(pem))]
    codes = []
    try:
        end = time.monotonic() + args.seconds
        good, bad = requests(next((CACHE / "photos").glob("china*")).read_bytes(), (models / "minilm").exists())
        clients = [Client(i, servers[i % 2], context if i % 2 else None, end, good, bad) for i in range(CLIENTS)]
        for client in clients:
            client.start()
        points, slowest, last = [[], []], 0.0, time.monotonic()
        while any(client.is_alive() for client in clients):
            time.sleep(1)
            for server in servers:
                start = time.monotonic()
                if server.process.poll() is not None:
                    sys.exit(f"soak: a server ended: {server.errors_path.read_text()[-4000:]}")
                if server.ask("/livez")[0] != 200:
                    sys.exit("soak: /livez failed")
                slowest = max(slowest, time.monotonic() - start)
            if time.monotonic() - last > min(10, args.seconds / 8):
                last = time.monotonic()
                (models / "sales" / "PROMOTED").write_text(random.choice(versions) + "\n")
                for i, server in enumerate(servers):
                    status, answer = server.ask("/reload", "POST")
                    if status != 200:
                        sys.exit(f"soak: /reload answered {status} {answer}")
                    points[i].append((sum(sum(c.answers.values()) for c in clients if c.server is server), server.rss_mb()))
                if len(points[0]) % 6 == 0:
                    print(f"{points[0][-1][0]} and {points[1][-1][0]} answers, {points[0][-1][1]:.0f} and {points[1][-1][1]:.0f} MB",
                          flush=True)
        for client in clients:
            client.join()
        counted = [server.counted() - (server.asked - 1) for server in servers]  # excludes this script's own requests except the last
    finally:
        codes = [server.stop() for server in servers]
    good_run = True
    for i, server in enumerate(servers):
        own = [client for client in clients if client.server is server]
        answered = sum((c.answers for c in own), collections.Counter())
        kinds, lost = (sum((getattr(c, name) for c in own), collections.Counter()) for name in ("kinds", "lost"))
        # The server may also have counted some of the requests whose clients disconnected.
        extra, hangups = counted[i] - sum(answered.values()), kinds["hang-up"]
        lines, twice = server.logged()
        errors = server.errors_path.read_text()
        print(f"{'TLS' if i else 'HTTP'}: exit code {codes[i]}; {sum(answered.values())} answers {dict(sorted(answered.items()))}; "
              f"{dict(sorted(kinds.items()))}, {sum(lost.values())} lost")
        print(f"  additionally counted by the server: {extra}; expected 0 to {hangups}, from clients that disconnected; {lines} logged, {twice} of "
              f"them twice; memory {slope_mb(points[i]):.2f} MB per 10,000 answers, {points[i][-1][1]:.0f} MB at the end")
        for what, count in lost.most_common(10):
            print(f"  {count} x {what}")
        if errors:
            print(errors[-4000:])
        good_run &= codes[i] == 0 and not lost and 0 <= extra <= hangups and twice == 0 and "Sanitizer" not in errors
    print(f"slowest /livez {slowest * 1000:.0f} ms")
    return 0 if good_run else 1


if __name__ == "__main__":
    sys.exit(main())
