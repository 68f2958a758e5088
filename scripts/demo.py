#!/usr/bin/env python3
"""Starts the server, posts real photographs, prints the answers and the speed, and stops the server: demo.py INFER MODEL"""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HOST, PORT, PROBE_PORT = "127.0.0.1", 8002, 9002
PHOTOS = ["astronaut.png", "chelsea.png", "china.jpg", "coffee.png", "flower.jpg", "hubble_deep_field.jpg",
          "motorcycle_left.png", "motorcycle_right.png", "retina.jpg", "rocket.jpg"]


def request(method, path, body=None, port=PORT, headers=None):
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_ready(server):
    for _ in range(1200):
        if server.poll() is not None:
            raise SystemExit(f"demo: the server ended with code {server.returncode}:\n{server.stdout.read().decode()}")
        try:
            if request("GET", "/readyz", port=PROBE_PORT)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("demo: the server was not ready within a minute")


@contextlib.contextmanager
def serving(infer, *flags):
    """Runs a server that is ready at the start and stopped cleanly at the end."""
    server = subprocess.Popen([infer, "serve", *map(str, flags)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_ready(server)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.stdout.read()
        code = server.wait(timeout=60)
    print(f"server stopped, exit code {code}")
    if code != 0:
        raise SystemExit(1)


def embed(photo):
    start = time.monotonic()
    status, body = request("POST", "/embed", photo.read_bytes(), headers={"Content-Type": "application/octet-stream"})
    if status != 200:
        raise SystemExit(f"demo: {photo.name}: {status} {body.decode()}")
    return json.loads(body)["embeddings"][0], (time.monotonic() - start) * 1000


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))


def main():
    infer, model = sys.argv[1], sys.argv[2]
    cache = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
    photos = [cache / "photos" / name for name in PHOTOS]
    start = time.monotonic()
    with serving(infer, "--model", model):
        print(f"server ready on http://{HOST}:{PORT} after {time.monotonic() - start:.1f} s\n")
        print(f"{'photograph':24} {'ms':>6}  first numbers of the embedding")
        vectors = {}
        for photo in photos:
            vectors[photo.name], ms = embed(photo)
            print(f"{photo.name:24} {ms:6.0f}  " + " ".join(f"{x:+.4f}" for x in vectors[photo.name][:5]) + " ...")
        body = json.dumps({"images": [base64.b64encode(photo.read_bytes()).decode() for photo in photos]})
        begin = time.monotonic()
        status, answer = request("POST", "/embed/base64", body, headers={"Content-Type": "application/json"})
        many = json.loads(answer)
        assert status == 200 and len(many["embeddings"]) == len(photos), answer
        worst = min(cosine(vectors[p.name], v) for p, v in zip(photos, many["embeddings"]))
        print(f"\nall {len(photos)} in one request: {(time.monotonic() - begin) * 1000:.0f} ms, "
              f"{many['dim']} numbers each, cosine to the single answers at least {worst:.6f}")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            begin = time.monotonic()
            count = sum(1 for _ in pool.map(embed, photos * 8))
        rate = count / (time.monotonic() - begin)
        print(f"{count} photographs from 16 clients: {rate:.1f} photographs per second")
        if json.loads((pathlib.Path(model) / "infer.json").read_text()).get("weights") == "random":
            print("\nThe model's weights are random: equal photographs get equal vectors, but other similarities mean nothing. "
                  "Import a trained model for similarity.")


if __name__ == "__main__":
    main()
