#!/usr/bin/env python3
"""Measures the server's CPU time for each byte of a refused request: refused_bytes.py. For each route and reason, divides the CPU time of
the real program (utime + stime) by the bytes. Prints the most expensive cases in Markdown. Exits with 1 if a byte costs over 1 us.

A request costs about 50 us whatever its size, so bodies have 64 KB or more, and many heads share a connection. Compressed bodies count
with their decompressed size, which max_body_bytes limits. A second column shows the cost for each byte on the wire.
"""

import argparse
import base64
import collections
import gzip
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZE, LEAST_SECONDS, GOAL_US = 256 << 10, 0.1, 1.0
KEY = "a-key-of-some-length-for-the-benchmark"
ROUTES = ("/embed", "/embed/base64", "/similarity", "/predict", "/infer", "/v1/embeddings", "/v2/models/echo/infer",
          "/v2/repository/index", "/v2/repository/models/none/load")


def write_model(models, name, **manifest):
    (models / name / "1").mkdir(parents=True)
    (models / name / "1" / "script.json").write_text("{}")
    (models / name / "infer.json").write_text(json.dumps({"backend": "scripted", "file": "script.json", **manifest}))


def start(infer, folder):
    models = folder / "models"
    tensor = {"name": "x", "dtype": "FP32", "shape": [-1]}
    write_model(models, "echo", task="raw", inputs=[tensor], outputs=[tensor])
    write_model(models, "photos", task="image-embedding", preprocess={"size": 32}, inputs=[{**tensor, "shape": [3, 32, 32]}],
                outputs=[{**tensor, "shape": [8]}])
    (folder / "keys").write_text(KEY + "\n")
    server = subprocess.Popen([infer, "serve", "--models", models, "--port", "0", "--probe-port", "0", "--api-keys", folder / "keys",
                               "--repository-api", "on", "--log-requests-per-second", "0"], stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        record = json.loads(line)
        if "port" in record:
            server.port = record["port"]
        if record.get("event") == "ready":
            return server
    sys.exit("refused_bytes: the server ended before it was ready")


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(server, data):
    """Sends bytes until the server stops reading. Returns (bytes, status)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        sent, answer = 0, b""
        try:
            while sent < len(data):
                sent += connection.send(data[sent:sent + (1 << 16)])
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server refused the request before reading all bytes
        try:
            while part := connection.recv(1 << 16):
                answer += part
        except OSError:
            pass
        return sent, answer[9:12].decode() or "none"


def measure(server, data):
    """Returns (CPU us a byte, status), measured over enough requests for the resolution of the clock."""
    taken, statuses, before = 0, collections.Counter(), cpu_seconds(server)
    while cpu_seconds(server) - before < LEAST_SECONDS and taken < (64 << 20):
        sent, status = send(server, data)
        taken += sent
        statuses[status] += 1
    return (cpu_seconds(server) - before) / taken * 1e6, statuses.most_common(1)[0][0]


def request(path, body, content_type="application/json", method="POST", key=KEY, length=None, more=""):
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\n"
    head += f"Authorization: Bearer {key}\r\n" if key else ""
    head += more or f"Content-Length: {length or len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def chunked(body, size):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size]) for i in range(0, len(body), size)) + b"0\r\n\r\n"


def fill(piece, size=SIZE):
    return piece * (size // len(piece))


def png(width, height, data):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def bodies():
    """Returns {name: (content type, body)}."""
    json_type, noise = "application/json", os.urandom(SIZE)
    dashes = "-" * 70
    part = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n"
    tensor = '{"name":"x%d","shape":[1,0],"datatype":"FP32","data":[]}'
    numbers = b'{"inputs":[{"name":"x","shape":[1,%d],"datatype":"FP32","data":[' % (SIZE // 4)
    junk = png(4000, 4000, zlib.compress(bytes(SIZE), 0) + noise)
    white = zlib.compress(bytes(5000 * (1 + 3 * 4900)), 9)  # 73 MB of pixels in 73 KB
    return {
        "PNG that ends early": ("image/png", png(4900, 5000, white[:-64])),
        "no JSON": (json_type, noise), "blanks": (json_type, fill(b" ")), "an open string": (json_type, b'{"' + fill(b"a")),
        "escapes": (json_type, b'{"a":"' + fill(b"\\u00e9") + b'"'), "no UTF-8": (json_type, b'{"a":"' + fill(b"\xe9") + b'"}'),
        "nested lists": (json_type, b'{"inputs":' + fill(b"[")), "nested objects": (json_type, fill(b'{"a":')),
        "lists of lists": (json_type, b'{"inputs":[' + fill(b"[],") + b"[]]}"), "huge numbers": (json_type, numbers + fill(b"9" * 300 + b",") + b"1]}]}"),
        "long fractions": (json_type, numbers + fill(b"0." + b"1" * 800 + b"e-300,") + b"x]}]}"), "long keys": (json_type, b'{"' + fill(b"k") + b'":1}'),
        "many keys": (json_type, b"{" + fill(b'"k":0,') + b'"k":0}'), "many tensors": (json_type, ('{"inputs":[%s]}' % ",".join(tensor % i for i in range(50_000))).encode()),
        "base64 junk": (json_type, b'{"images":["' + base64.b64encode(noise) + b'"],"input":"' + base64.b64encode(noise) + b'"}'),
        "many images": (json_type, b'{"images":[' + fill(b'"AA==",') + b'"AA=="]}'), "many texts": (json_type, b'{"texts":[' + fill(b'"a",') + b'"a"],"inputs":1}'),
        "PNG junk": ("image/png", junk), "PNG junk in JSON": (json_type, b'{"images":["' + base64.b64encode(junk) + b'"]}'),
        "JPEG junk": ("image/jpeg", b"\xff\xd8" + fill(b"\xff\xc0\x00\x0b\x08\x20\x00\x20\x00\x01\x01\x11\x00")), "no image": ("image/png", noise),
        "boundary of dashes": (f"multipart/form-data; boundary={dashes}", fill(b"\r\n" + b"-" * 71)),
        "dashes alone": (f"multipart/form-data; boundary={dashes}", fill(b"-")), "line breaks": (f"multipart/form-data; boundary={dashes}", fill(b"\r\n--")),
        "many small parts": ("multipart/form-data; boundary=b", fill(part) + b"--b--"),
        "junk in parts": ("multipart/form-data; boundary=b", (b"--b\r\n\r\n" + noise[:4000] + b"\r\n") * 60 + b"--b--"),
        "long part header": ("multipart/form-data; boundary=b", b"--b\r\n" + fill(b"X: y\r\n")), "another type": ("text/plain", noise),
    }


def cases():
    """Yields (route, reason of the refusal, bytes sent, decompressed size)."""
    kinds = bodies()
    for path in ROUTES:
        for name, (content_type, body) in kinds.items():
            yield path, name, request(path, body, content_type), len(body)
            packed = gzip.compress(body, 9)
            if name in ("blanks", "nested lists", "many keys", "many small parts", "huge numbers"):
                coded = "Content-Encoding: gzip\r\n"
                yield path, f"{name}, gzip", request(path, packed, content_type, more=coded + f"Content-Length: {len(packed)}\r\n"), len(body)
                yield path, f"{name}, gzip, chunks", request(path, chunked(packed, 7), content_type, more=coded + "Transfer-Encoding: chunked\r\n"), len(body)
        noise = kinds["no JSON"][1]
        chunks = "Transfer-Encoding: chunked\r\n"
        yield path, "no key (401)", request(path, noise, key=""), SIZE
        yield path, "another key (401)", request(path, noise, key="x" * 8000), SIZE
        yield path, "method (405)", request(path, noise, method="PATCH"), SIZE
        yield path, "too large (413)", request(path, noise, length=1 << 40), SIZE
        yield path, "coding (415)", request(path, noise, more=f"Content-Encoding: br\r\nContent-Length: {SIZE}\r\n"), SIZE
        yield path, "no gzip", request(path, noise, more=f"Content-Encoding: gzip\r\nContent-Length: {SIZE}\r\n"), SIZE
        yield path, "no chunks", request(path, noise, more=chunks), SIZE
        yield path, "chunks of a byte", request(path, chunked(noise[:SIZE // 6], 1), more=chunks), SIZE
        yield path, "no key, chunks of a byte", request(path, chunked(noise[:SIZE // 6], 1), key="", more=chunks), SIZE
        yield path, "many members of gzip", request(path, fill(gzip.compress(b"")), more=f"Content-Encoding: gzip\r\nContent-Length: {len(fill(gzip.compress(b'')))}\r\n"), SIZE
    yield "/nowhere", "no such route (404)", request("/nowhere", noise), SIZE
    line = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n"
    for name, head in (("long heads", line + "X: " + "y" * 15_000 + "\r\n\r\n"), ("heads of many fields", line + "X:y\r\n" * 90 + "\r\n"),
                       ("heads of one field's list", line + "Connection: " + "a," * 7_000 + "\r\n\r\n"), ("long paths", line.replace("nowhere", "%41" * 1_300) + "\r\n")):
        yield "any", name, fill(head.encode(), 1 << 20), fill(head.encode(), 1 << 20).__len__()
    yield "any", "a head without end", (line + "X: " + "y" * SIZE).encode(), SIZE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", default=str(ROOT / "build/release/bin/infer"), help="the command to run")
    parser.add_argument("--only", default="", help="only the kinds whose name contains this")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="infer-refused-") as folder:
        server = start(args.infer, pathlib.Path(folder))
        for path, name, data, stands_for in cases():
            if args.only not in name:
                continue
            wire, status = measure(server, data)
            by = wire * len(data) / max(len(data), stands_for)
            rows.append((by, wire, path, name, status))
            if status.startswith("2"):
                print(f"not refused: {path} {name}", flush=True)
        server.terminate()
        server.stdout.read()
        server.wait()
    rows.sort(reverse=True)
    print("| route | refused for | status | us a byte | us a byte on the wire |\n|---|---|---|---|---|")
    for by, wire, path, name, status in rows[:12]:
        print(f"| {path} | {name} | {status} | {by:.4f} | {wire:.4f} |")
    _, wire, path, name, _ = max(rows, key=lambda row: row[1])
    print(f"{len(rows)} kinds; the median takes {sorted(row[0] for row in rows)[len(rows) // 2]:.4f} us a byte; "
          f"the dearest on the wire is {path}, {name}: {wire:.1f} us")
    return 0 if rows[0][0] <= GOAL_US else 1


if __name__ == "__main__":
    sys.exit(main())
