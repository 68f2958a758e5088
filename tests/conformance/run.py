#!/usr/bin/env python3
"""Runs third-party clients against this server: run.py INFER [--no-triton]. Needs what setup.sh in this folder installs.

Runs the conformance kit with tritonclient, kserve and openai, schemathesis on /openapi.json, promtool and perf_analyzer, and sends
the same requests to a Triton server.
"""

import argparse
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import echo

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("INFER_CACHE", pathlib.Path.home() / ".cache" / "libinfer"))
CLIENTS, TRITON = CACHE / "clients", CACHE / "triton"
SITE = TRITON / "lib" / "python3.11" / "site-packages"
CUDA_RUNTIME = SITE / "nvidia" / "cuda_runtime" / "lib"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_ready(port, path, process, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"conformance: the server ended with {process.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("conformance: the server was not ready in time")


def start_ours(infer, models):
    port, probe = free_port(), free_port()
    process = subprocess.Popen([infer, "serve", "--models", models, "--port", str(port), "--probe-port", str(probe),
                                "--repository-api", "on", "--log-level", "error"])
    wait_ready(probe, "/readyz", process)
    return process, port, probe


def triton_command(models):
    """Returns (command, environment, port)."""
    server = SITE / "pytriton" / "tritonserver"
    backends = TRITON / "backends"
    if not backends.exists():
        shutil.copytree(server / "backends" / "python", backends / "python")
        shutil.copy(server / "python_backend_stubs" / "3.11" / "triton_python_backend_stub", backends / "python")
    port = free_port()
    environment = dict(os.environ, PYTHONPATH=str(SITE), PATH=f"{TRITON}/bin:" + os.environ["PATH"],
                       LD_LIBRARY_PATH=f"{SITE / 'nvidia_pytriton.libs'}:{CUDA_RUNTIME}")
    command = [str(server / "bin" / "tritonserver"), f"--model-repository={models}", f"--backend-directory={backends}", f"--http-port={port}",
               "--allow-grpc=false", "--allow-metrics=false", "--log-info=false", "--disable-auto-complete-config"]
    return command, environment, port


def start_triton(models):
    command, environment, port = triton_command(models)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    wait_ready(port, "/v2/health/ready", process)
    return process, port


def stop(process):
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()


class Steps:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def note(self, name, good, output=""):
        print(f"conformance: {name}: {'passed' if good else 'FAILED'}", flush=True)
        if not good:
            print(output[-6000:], flush=True)
        self.passed += good
        self.failed += not good

    def run(self, name, command, **options):
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        self.note(name, done.returncode == 0, done.stdout)
        return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("infer")
    parser.add_argument("--no-triton", action="store_true", help="leave the comparison with Triton out")
    arguments = parser.parse_args()
    infer = pathlib.Path(arguments.infer).resolve()
    steps = Steps()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    with tempfile.TemporaryDirectory(prefix="infer-conformance-") as folder:
        models = pathlib.Path(folder) / "models"
        echo.write_all(models, "echo")
        subprocess.run([infer, "model", "import", CACHE / "minilm", "--arch", "bert", "--out", models / "minilm"], check=True,
                       stdout=subprocess.DEVNULL)
        ours, port, probe = start_ours(infer, models)
        url = f"http://127.0.0.1:{port}"
        triton = None
        try:
            print(steps.run("tritonclient, kserve, openai and the protocol's specification",
                            [CLIENTS / "bin" / "pytest", "-q", "-p", "no:cacheprovider", HERE, "--url", url, "--model", "minilm",
                             "--echo", "echo", "--embedding-model", "minilm"]).strip().splitlines()[-1])
            steps.run("schemathesis against /openapi.json",
                      [CLIENTS / "bin" / "st", "run", url + "/openapi.json", "--max-examples", "15", "--seed", "1",
                       "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                       "--header", "X-Timeout-Ms: 60000", "--exclude-path-regex", "/v2/repository/models/", "--no-color"], cwd=folder)
            connection = http.client.HTTPConnection("127.0.0.1", probe)
            connection.request("GET", "/metrics")
            metrics = connection.getresponse().read()
            steps.run("promtool check metrics", ["promtool", "check", "metrics"], input=metrics.decode())
            output = steps.run("perf_analyzer",
                               [CLIENTS / "bin" / "perf_analyzer", "-m", "echo_fp32", "-u", f"127.0.0.1:{port}", "-i", "http", "-b",
                                "4", "--concurrency-range", "4", "--measurement-interval", "1000", "--stability-percentage", "90"],
                               env=dict(os.environ, LD_LIBRARY_PATH=str(CUDA_RUNTIME)))
            steps.note("perf_analyzer finds the server's statistics", re.search(r"Successful request count: [1-9]", output) is not None,
                       output)
            if not arguments.no_triton:
                reference = pathlib.Path(folder) / "reference"
                echo.write_all(reference, "echo", triton=True)
                triton, triton_port = start_triton(reference)
                print(steps.run("the answers of Triton 2.51",
                                [CLIENTS / "bin" / "python", HERE / "reference.py", url, f"http://127.0.0.1:{triton_port}", "echo"])
                      .strip().splitlines()[-1])
        finally:
            stop(ours)
            if triton:
                stop(triton)
    print(f"{steps.passed} passed, {steps.failed} failed")
    return 1 if steps.failed else 0


if __name__ == "__main__":
    sys.exit(main())
