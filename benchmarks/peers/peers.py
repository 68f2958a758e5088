#!/usr/bin/env python3
"""Compares this server with its alternatives: same model, cores and client, three alternating rounds. Takes about a quarter of an hour.

Writes the table between the marks of docs/benchmarks.md. Each peer runs in its fastest setting: two processes with one intra-op thread
or one process with two, and for FastAPI also `def` or `async def`.
"""

import argparse
import atexit
import base64
import datetime
import importlib.metadata
import json
import math
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import compare  # noqa: E402
import workloads  # noqa: E402

sys.path.insert(0, str(compare.ROOT / "tests" / "conformance"))
import run as conformance  # noqa: E402

ROOT, CACHE = compare.ROOT, compare.CACHE
WORK = ROOT / "bench-results" / "peers"
PEERS, MLSERVER = CACHE / "peers", CACHE / "mlserver"
CLIENTS, ROUNDS = 30, 3


def open_inference(text, **more):
    return {"inputs": [{"name": "image", "shape": [1, 1], "datatype": "BYTES", "data": [text], **more}]}


class Running:
    """A server for photographs or texts, running until `stop`."""

    def __init__(self, command, port, ready, environment=None, folder=None):
        self.port = port
        self.process = subprocess.Popen([str(part) for part in command], cwd=folder, env=environment, start_new_session=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.end)
        conformance.wait_ready(ready[0], ready[1], self.process)

    def end(self):
        """Also stops the server's workers, through its own process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def stop(self):
        conformance.stop(self.process)
        self.end()


class Ours:
    path, name = "/embed/base64", "libinfer"
    choices = [()]

    def __init__(self, args, model):
        self.args, self.model, self.body = args, model, lambda text: {"images": [text]}

    def start(self, *_):
        port, probe = conformance.free_port(), conformance.free_port()
        command = [f"{self.args.build}/bin/infer", "serve", "--model", self.model, "--port", port, "--probe-port", probe, "--log-requests-per-second", "0"]
        return Running(command, port, (probe, "/readyz"))

    @staticmethod
    def vector(answer):
        return answer["embeddings"][0]


class Peer(Ours):
    choices = [(1, 2), (2, 1)]  # threads, workers

    def __init__(self, name, model):
        self.name, self.model = name, pathlib.Path(model).resolve() / "1" / "model.pt"
        self.body = lambda text: {"images": [text]}

    def environment(self, threads, **more):
        return dict(os.environ, PEER_MODEL=str(self.model), PEER_THREADS=str(threads), PYTHONPATH=str(HERE), PYTHONWARNINGS="ignore",
                    OMP_NUM_THREADS=str(threads), **more)


class FastApi(Peer):
    choices = [(1, "def"), (2, "def"), (1, "async def"), (2, "async def")]

    def start(self, threads, style):
        port = conformance.free_port()
        return Running([PEERS / "bin/uvicorn", "fastapi_server:app", "--port", port, "--log-level", "error"], port, (port, "/health"),
                       self.environment(threads, PEER_STYLE=style.split()[0]), HERE)


class LitServe(Peer):
    def start(self, threads, workers):
        port = conformance.free_port()
        return Running([PEERS / "bin/python", HERE / "litserve_server.py"], port, (port, "/health"),
                       self.environment(threads, PEER_PORT=str(port), PEER_WORKERS=str(workers)))


class OpenInference(Peer):
    @staticmethod
    def vector(answer):
        return answer["outputs"][0]["data"]


class MlServer(OpenInference):
    path = "/v2/models/tower/infer"

    def start(self, threads, workers):
        self.body = lambda text: open_inference(text, parameters={"content_type": "str"})
        folder = WORK / "mlserver"
        folder.mkdir(parents=True, exist_ok=True)
        port = conformance.free_port()
        (folder / "settings.json").write_text(json.dumps({
            "http_port": port, "grpc_port": conformance.free_port(), "metrics_port": conformance.free_port(), "host": "127.0.0.1", "debug": False,
            "metrics_dir": str(folder / "metrics"),
            "parallel_workers": workers if workers > 1 else 0}))
        (folder / "model-settings.json").write_text(json.dumps({
            "name": "tower", "implementation": "mlserver_runtime.Tower", "max_batch_size": 8, "max_batch_time": 0.005}))
        return Running([MLSERVER / "bin/mlserver", "start", folder], port, (port, "/v2/models/tower/ready"), self.environment(threads))


class Triton(OpenInference):
    path = "/v2/models/tower/infer"

    def start(self, threads, workers):
        self.body = open_inference
        folder = WORK / "triton" / "tower"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "1").mkdir(parents=True)
        shutil.copy(HERE / "triton_model.py", folder / "1" / "model.py")
        (folder / "config.pbtxt").write_text(
            'name: "tower"\nbackend: "python"\nmax_batch_size: 8\n'
            'input [{ name: "image" data_type: TYPE_STRING dims: [1] }]\noutput [{ name: "embedding" data_type: TYPE_FP32 dims: [512] }]\n'
            f"instance_group [{{ count: {workers} kind: KIND_CPU }}]\n"
            "dynamic_batching { preferred_batch_size: [8] max_queue_delay_microseconds: 5000 }\n")
        command, environment, port = conformance.triton_command(folder.parent)
        environment |= {key: value for key, value in self.environment(threads).items() if key.startswith(("PEER_", "OMP_"))}
        # torch and Pillow are those of the peers. numpy must be Triton's own, for which its backend was built.
        environment["PYTHONPATH"] += f":{HERE}:{PEERS / 'lib/python3.11/site-packages'}"
        return Running(command, port, (port, "/v2/models/tower/ready"), environment)


def load(contender, server, photograph, requests):
    """Returns requests per second, p95, the server's images per CPU-second and its VmRSS in MB."""
    body = WORK / "body.json"
    body.write_text(json.dumps(contender.body(photograph)))
    before = compare.cpu_seconds(server.process.pid)
    rate, _, p95 = compare.hey(server.port, body, requests, CLIENTS, contender.path)
    return rate, p95, requests // CLIENTS * CLIENTS / (compare.cpu_seconds(server.process.pid) - before), compare.rss_mb(server.process.pid)


def vector(contender, server, photograph):
    body = WORK / "body.json"
    body.write_text(json.dumps(contender.body(photograph)))
    out = subprocess.run(["curl", "-s", "-H", "Content-Type: application/json", "-d", f"@{body}", f"http://127.0.0.1:{server.port}{contender.path}"],
                         capture_output=True, check=True).stdout
    return contender.vector(json.loads(out))


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def best_choice(contender, photograph, expected):
    rates = {}
    for choice in contender.choices:
        server = contender.start(*choice)
        likeness = cosine(vector(contender, server, photograph), expected)
        if likeness < 0.999:
            raise SystemExit(f"{contender.name} computes different vectors: cosine {likeness}")
        if len(contender.choices) > 1:
            load(contender, server, photograph, CLIENTS)
            rates[choice] = load(contender, server, photograph, 4 * CLIENTS)[0]
            print(f"{contender.name} {choice}: {rates[choice]:.1f} photographs a second, cosine {likeness:.6f}", flush=True)
        server.stop()
    return max(rates, key=rates.get) if rates else ()


def described(choice):
    if not choice:
        return "as it starts"
    count, other = choice
    threads = "1 thread" if count == 1 else f"{count} threads"
    return f"`{other}`, {threads}" if isinstance(other, str) else f"{other} x {threads}"


def ratio(ours, theirs):
    """Returns the ratio of the medians, with the minimum and maximum of the rounds."""
    rounds = [a / b for a, b in zip(ours, theirs)]
    return f"{statistics.median(ours) / statistics.median(theirs):.2f} ({min(rounds):.2f} to {max(rounds):.2f})"


def photographs(args):
    photograph = base64.b64encode((CACHE / "photos" / "china.jpg").read_bytes()).decode()
    fp32, int8 = Ours(args, args.model), Ours(args, args.int8)
    int8.name = "libinfer, int8"
    server = fp32.start()
    expected = vector(fp32, server, photograph)
    server.stop()
    contenders = [fp32, int8, FastApi("FastAPI", args.model), LitServe("LitServe", args.model), MlServer("MLServer", args.model),
                  Triton("Triton, Python backend", args.model)]
    choices = [best_choice(contender, photograph, expected) for contender in contenders]
    seen = [[] for _ in contenders]
    for _ in range(ROUNDS):
        for contender, choice, rows in zip(contenders, choices, seen):
            server = contender.start(*choice)
            load(contender, server, photograph, 2 * CLIENTS)
            rows.append(load(contender, server, photograph, 12 * CLIENTS if isinstance(contender, Peer) else 30 * CLIENTS))
            server.stop()
            print(f"round: {contender.name} {', '.join(f'{value:.2f}' for value in rows[-1])}", flush=True)
    yield "| a photograph of 640x427 a request, 30 clients (hey) | photographs per second | p95 | photographs per CPU-second | VmRSS | fp32 over it | int8 over it |"
    yield "|---|---|---|---|---|---|---|"
    rates = [[row[0] for row in rows] for rows in seen]
    for contender, choice, rows, rate in zip(contenders, choices, seen, rates):
        median = [statistics.median(column) for column in zip(*rows)]
        yield (f"| {contender.name}, {described(choice)} | {median[0]:.1f} | {median[1]:.2f} s | {median[2]:.1f} | {median[3]:.0f} MB | "
               f"{ratio(rates[0], rate)} | {ratio(rates[1], rate)} |")


def in_process(args, threads, texts):
    """Returns the sentences per second of sentence-transformers at batch 32."""
    script = ("import sys, json, time, torch\nfrom sentence_transformers import SentenceTransformer\n"
              f"torch.set_num_threads({threads})\nm = SentenceTransformer(sys.argv[1], device='cpu')\n"
              "texts = json.load(sys.stdin)\nm.encode(texts[:64], batch_size=32)\nstart = time.perf_counter()\n"
              "m.encode(texts, batch_size=32, show_progress_bar=False)\nprint(len(texts) / (time.perf_counter() - start))\n")
    out = subprocess.run([f"{PEERS}/bin/python", "-c", script, str(CACHE / "minilm")], input=json.dumps(texts),
                         capture_output=True, text=True, check=True).stdout
    return float(out.split()[-1])


def texts(args):
    models = ROOT / "bench-results" / "models"
    workloads.make(args, models / "minilm", "model", "import", CACHE / "minilm", "--arch", "bert", "--out", models / "minilm")
    files = workloads.text_files(WORK)
    many = [json.loads(file.read_text())["inputs"] for file in files] * 100
    threads = max((1, 2), key=lambda n: in_process(args, n, many))

    def served(n, seconds):
        peer = workloads.Peer(args, "text_server", CACHE / "minilm", n)
        workloads.hey(workloads.PEER_PORT, "/embed", files, 2, 32)
        rate = workloads.hey(workloads.PEER_PORT, "/embed", files, seconds, 32)[0]
        peer.stop()
        return rate
    serving = max((1, 2), key=lambda n: served(n, 4))
    ours, inside, server = [], [], []
    for _ in range(ROUNDS):
        inside.append(in_process(args, threads, many))
        server.append(served(serving, 8))
        mine = workloads.Server(args, "--model", models / "minilm")
        workloads.hey(workloads.PORT, "/embed", files, 2, 32)
        ours.append(workloads.hey(workloads.PORT, "/embed", files, 8, 32)[0])
        mine.stop()
        print(f"round: texts {ours[-1]:.0f}, in process {inside[-1]:.0f}, served {server[-1]:.0f}", flush=True)
    yield "| a sentence a request, MiniLM-L6, 32 clients (hey) | sentences per second | fp32 over it |"
    yield "|---|---|---|"
    for name, rates in (("libinfer", ours), (f"sentence-transformers in process, batch 32, {threads} intra-op, no HTTP", inside),
                        (f"FastAPI around sentence-transformers, {serving} intra-op", server)):
        yield f"| {name} | {statistics.median(rates):.0f} | {ratio(ours, rates)} |"


def conditions(args):
    def version(package, folder=PEERS):
        (site,) = folder.glob("lib/python*/site-packages")
        (found,) = importlib.metadata.distributions(name=package, path=[str(site)])
        return found.version
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    return (f"{datetime.date.today()}, {cpu}, {len(os.sched_getaffinity(0))} cores, commit {commit}. torch {version('torch')}, Pillow {version('pillow')}, "
            f"FastAPI {version('fastapi')} (uvicorn {version('uvicorn')}), LitServe {version('litserve')}, MLServer {version('mlserver', MLSERVER)}, "
            f"Triton 2.51 (pytriton {version('nvidia-pytriton', CACHE / 'triton')}), sentence-transformers {version('sentence-transformers')}. "
            "LitServe, MLServer and Triton gather up to 8 within 5 ms. In brackets the least and most of three rounds.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--model", default=str(ROOT / "models/clip-vit-b-32"))
    args = parser.parse_args()
    args.peers = str(PEERS)
    WORK.mkdir(parents=True, exist_ok=True)
    args.int8 = ROOT / "bench-results" / "models" / "clip-vit-b-32-int8"
    workloads.make(args, args.int8, "model", "quantize", args.model, "--samples", CACHE / "photos", "--out", args.int8)
    lines = [conditions(args), "", *photographs(args), "", *texts(args)]
    document = ROOT / "docs" / "benchmarks.md"
    text = document.read_text()
    begin, end = "<!-- benchmarks/peers/peers.py: begin -->\n", "<!-- end -->"
    head, rest = text.split(begin)
    document.write_text(head + begin + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1])
    print("\n".join(lines))


if __name__ == "__main__":
    main()
