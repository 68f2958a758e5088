#!/usr/bin/env python3
"""Measures int8, forecasts, live promotion and memory over time. Prints a table in Markdown."""

import argparse
import atexit
import concurrent.futures
import csv
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

import compare

ROOT, CACHE = compare.ROOT, compare.CACHE
PORT, PROBE, PEER_PORT = compare.PORT, compare.PROBE, compare.PEER_PORT
ROUNDS = 3


class Server:
    def __init__(self, args, *flags):
        self.process = subprocess.Popen([f"{args.build}/bin/infer", "serve", *map(str, flags)], stdout=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        compare.wait_for(PROBE, "/readyz", self.process)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


class Peer:
    def __init__(self, args, app, model, threads):
        environment = dict(os.environ, PEER_MODEL=str(model), PEER_THREADS=str(threads), PYTHONWARNINGS="ignore")
        self.process = subprocess.Popen([f"{args.peers}/bin/uvicorn", f"{app}:app", "--port", str(PEER_PORT), "--log-level",
                                         "error"], cwd=ROOT / "benchmarks" / "peers", env=environment,
                                        stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        compare.wait_for(PEER_PORT, "/health", self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def hey(port, path, files, seconds, clients):
    """Returns (requests per second, p99 in seconds, failures) of `clients` clients, divided among `files`."""
    def one(file):
        command = ["hey", "-z", f"{seconds}s", "-c", str(clients // len(files)), "-t", "120", "-m", "POST", "-T",
                   "application/json", "-D", str(file), f"http://127.0.0.1:{port}{path}"]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        ok = sum(int(n) for n in re.findall(r"\[200\]\s+(\d+)", out))
        other = sum(int(n) for n in re.findall(r"\[(?!200)\d+\]\s+(\d+) responses", out))
        errors = sum(int(n) for n in re.findall(r"^\s+\[(\d+)\]\s+\w+ \"", out, re.MULTILINE))
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)) * ok / max(1, ok + other + errors)
        p99 = re.search(r"99% in ([\d.]+) secs", out)
        return rate, float(p99.group(1)) if p99 else float("nan"), other + errors
    with concurrent.futures.ThreadPoolExecutor(len(files)) as pool:
        rates, p99s, failures = zip(*pool.map(one, files))
    return sum(rates), max(p99s), sum(failures)


def sentences():
    with open(ROOT / "data" / "sentiment.csv", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def text_files(work):
    """Writes eight bodies, each to its own file for hey: sentences whose lengths are the octiles of the set."""
    files, ordered = [], sorted(sentences(), key=len)
    for i in range(8):
        files.append(work / f"text{i}.json")
        files[-1].write_text(json.dumps({"inputs": ordered[len(ordered) * i // 8 + len(ordered) // 16]}))
    return files


def make(args, folder, *command):
    if not folder.exists():
        subprocess.run([f"{args.build}/bin/infer", *map(str, command)], check=True, capture_output=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--peers", default=str(CACHE / "peers"))
    parser.add_argument("--only", help="regular expression of the sections to run")
    args = parser.parse_args()
    work = ROOT / "bench-results"
    models = work / "models"
    models.mkdir(parents=True, exist_ok=True)
    rows = []

    def section(name):
        return not args.only or re.search(args.only, name)

    def row(what, value, goal):
        rows.append((what, value, goal))
        print(f"| {what} | {value} | {goal} |", flush=True)

    make(args, models / "minilm", "model", "import", CACHE / "minilm", "--arch", "bert", "--out", models / "minilm")
    all_texts = sentences()
    files = text_files(work)

    if section("int8"):
        clip = ROOT / "models" / "clip-vit-b-32"
        make(args, clip, "model", "create", "clip-vit-b-32", "--seed", "1", "--out", clip)
        for name, fp32, path, load, clients, goal in (
                ("ViT-B/32", clip, "/embed/base64", [compare.payloads(work)["224"]], 30, "2.3"),
                ("MiniLM", models / "minilm", "/embed", files, 32, "1.5")):
            int8 = models / (fp32.name + "-int8")
            shutil.rmtree(int8, ignore_errors=True)
            samples = ["--samples", CACHE / "photos"]
            if fp32.name == "minilm":
                (work / "texts.txt").write_text("\n".join(all_texts) + "\n")
                samples = ["--samples", work / "texts.txt"]
            report = json.loads(subprocess.run([f"{args.build}/bin/infer", "model", "quantize", str(fp32), "--out", str(int8),
                                                "--json", *map(str, samples)], check=True, capture_output=True, text=True).stdout)
            rates = {fp32: [], int8: []}
            for _ in range(ROUNDS):
                for model in rates:
                    server = Server(args, "--model", model)
                    hey(PORT, path, load, 2, clients)
                    rates[model].append(hey(PORT, path, load, 8, clients)[0])
                    server.stop()
            fast, slow = statistics.median(rates[int8]), statistics.median(rates[fp32])
            row(f"{name} int8 over fp32, requests per second, {clients} clients; cosine on {report['samples']} samples",
                f"{fast:.1f} / {slow:.1f} = {fast / slow:.2f}; mean {report['mean_cosine']:.5f}, least {report['least_cosine']:.5f}", goal)

    if section("forecast|promote"):
        shutil.rmtree(models / "co2", ignore_errors=True)
        make(args, models / "co2", "train", "forecast", "--data", CACHE / "series" / "co2.csv", "--target", "co2", "--time", "date",
             "--history", 10, "--model", "all", "--out", models / "co2")
        (models / "co2" / "PROMOTED").write_text("1-gru\n")
        body = work / "forecast.json"
        body.write_text(json.dumps({"inference_length": 1}))
    if section("forecast"):
        trial = {}
        for n in (1, 2):
            peer = Peer(args, "forecast_server", models / "co2" / "1-gru", n)
            trial[n] = hey(PEER_PORT, "/predict", [body], 4, 32)[0]
            peer.stop()
        threads = max(trial, key=trial.get)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            peer = Peer(args, "forecast_server", models / "co2" / "1-gru", threads)
            theirs.append(hey(PEER_PORT, "/predict", [body], 6, 32)[0])
            peer.stop()
            server = Server(args, "--model", models / "co2")
            hey(PORT, "/predict", [body], 2, 32)
            ours.append(hey(PORT, "/predict", [body], 6, 32)[0])
            server.stop()
        mine, other = statistics.median(ours), statistics.median(theirs)
        row(f"forecasts per second, GRU, 32 clients, over FastAPI and torch, {threads} threads", f"{mine:.0f} / {other:.0f} = {mine / other:.1f}", "10")

    if section("promote"):
        server = Server(args, "--model", models / "co2", "--max-inflight", 400, "--max-queue-size", 1000)
        hey(PORT, "/predict", [body], 2, 200)
        quiet = hey(PORT, "/predict", [body], 10, 200)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            under = pool.submit(hey, PORT, "/predict", [body], 10, 200)
            for version in ("1-lstm", "1-gru", "1-prophet"):
                time.sleep(2.5)
                subprocess.run([f"{args.build}/bin/infer", "promote", str(models / "co2"), version], check=True, capture_output=True)
            busy = under.result()
        server.stop()
        row("three live promotions under 200 clients: failed requests; p99 over p99 without",
            f"{busy[2]} of {busy[0] * 10:.0f}; {busy[1] * 1e3:.0f} / {quiet[1] * 1e3:.0f} ms = {busy[1] / quiet[1]:.2f}", "0; 2")

    if section("tokenizer"):
        out = subprocess.run([f"{args.peers}/bin/python", "tests/text/same_ids.py", f"{args.build}/bin/encode_lines", str(CACHE), "--speed"],
                             cwd=ROOT, check=True, capture_output=True, text=True).stdout
        row("WordPiece over tokenizers, one thread", out.strip(), "1.5")

    if section("memory"):
        server = Server(args, "--model", models / "minilm")
        points = []
        words = "the good film was long and nobody in the hall laughed at it".split()
        lengths = [*range(1, 21), 40, 80, 120, 160]  # in words; together they cover every allowed length of the model

        def send(seed):
            connection = http.client.HTTPConnection("127.0.0.1", PORT)
            for i in range(250):
                n = (seed * 7919 + i * 104729) % 16 + 1
                length = lengths[(seed + i) * 31 % 24]
                body = json.dumps({"inputs": [" ".join(words[(i + j) % len(words)] for j in range(length))] * n, "truncate": True})
                connection.request("POST", "/embed", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                if response.getheader("Connection") == "close":
                    connection.close()
        sent = 0
        total = int(os.environ.get("MEMORY_REQUESTS", "50000"))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            while sent < total:
                list(pool.map(send, range(sent, sent + 8)))
                sent += 2000
                points.append((sent, compare.rss_mb(server.process.pid)))
                print(points[-1], flush=True)
        server.stop()
        late = [p for p in points if p[0] > total * 0.3]
        mean_x, mean_y = (statistics.mean(c) for c in zip(*late))
        slope = sum((x - mean_x) * (y - mean_y) for x, y in late) / sum((x - mean_x) ** 2 for x, _ in late) * 10_000
        row("RSS slope, random batch sizes 1 to 16 and 24 lengths, MB per 10,000 requests", f"{slope:.2f} ({points[-1][1]:.0f} MB)", "under 1")

    print("\n| what | measured | goal |\n|---|---|---|")
    for what, value, goal in rows:
        print(f"| {what} | {value} | {goal} |")


if __name__ == "__main__":
    main()
