"""Repeats problems reported for other servers on this server: field_cases_test.py INFER. docs/field-cases.md lists them.

Runs the real program with a model that returns its input. Each case is one public report, and the server must survive it.
"""

import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request

infer = pathlib.Path(sys.argv[1]).resolve()
failures = []


def expect(case, holds, what):
    if not holds:
        failures.append(f"{case}: {what}")


def echo(models):
    (models / "echo" / "1").mkdir(parents=True)
    tensor = {"dtype": "FP32", "shape": [-1, -1]}
    (models / "echo" / "infer.json").write_text(json.dumps({
        "task": "raw", "backend": "scripted", "file": "script.json",
        "inputs": [{"name": "IN", **tensor}], "outputs": [{"name": "OUT", **tensor}]}))
    (models / "echo" / "1" / "script.json").write_text("{}")


class Server:
    def __init__(self, models, *flags):
        self.process = subprocess.Popen([infer, "serve", "--models", models, "--port", "0", "--probe-port", "0", *flags],
                                        stdout=subprocess.PIPE, text=True)
        self.port = self.probe = None
        for line in self.process.stdout:
            record = json.loads(line)
            self.port, self.probe = record.get("port", self.port), record.get("probe_port", self.probe)
            if record.get("event") == "ready":
                return
        sys.exit("FAILED: the server ended before it was ready")

    def raw(self, data, half_close=False, timeout=20):
        """Returns what the server sends until it closes the connection, or until one complete answer with a length."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            try:
                s.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the server refused the request before reading all bytes; its answer is there
            if half_close:
                s.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                head, end, body = answer.partition(b"\r\n\r\n")
                if end and not head.startswith(b"HTTP/1.1 100"):
                    length = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                    if length and len(body) >= length[0]:
                        return answer
                try:
                    part = s.recv(65536)
                except TimeoutError:
                    return answer + b"(and then nothing for %d s)" % timeout
                if not part:
                    return answer
                answer += part

    def post(self, path, body, content_type="application/json", headers=""):
        data = body if isinstance(body, bytes) else body.encode()
        answer = self.raw(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
                          f"Content-Length: {len(data)}\r\n{headers}\r\n".encode() + data)
        head, _, text = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), text.decode(errors="replace")

    def stop(self):
        alive = self.process.poll() is None
        self.process.terminate()
        self.process.stdout.read()
        expect("every case", alive and self.process.wait(60) == 0, "the server lives, and ends with 0")


def row(shape, data):
    return json.dumps({"inputs": [{"name": "IN", "shape": shape, "datatype": "FP32", "data": data}]})


def main(folder):
    models = folder / "models"
    echo(models)
    server = Server(models, "--max-body-bytes", "4000000", "--drain-delay-ms", "0")
    path = "/v2/models/echo/infer"
    good = row([1, 1, 1], [1])
    code, text = server.post(path, good)
    expect("set-up", code == 200, f"the model answers: {code} {text}")

    # triton-inference-server/server 3563: a dimension of -1 in a request's shape crashed the server.
    for shape in ([-1, 3], [1, -1, 1], [1, -9223372036854775808, 1], [1, 1.5, 1], [1, 18446744073709551616, 1]):
        code, text = server.post(path, row(shape, [1, 2, 3]))
        expect("triton 3563", code == 400 and ("shape" in text or "number" in text), f"{shape}: {code} {text}")

    # 2643: the content type of `curl --data` crashed the server.
    code, text = server.post(path, good, "application/x-www-form-urlencoded")
    expect("triton 2643", code in (200, 415), f"{code} {text}")

    # 5840 and 5664: a body larger than the limit.
    code, text = server.post(path, row([1, 1, 1000000], [1.25] * 1000000))
    expect("triton 5840", code == 413 and "max_body_bytes" in text, f"{code} {text[:200]}")

    # 4133: concurrent clients must each get their own rows.
    processes = [subprocess.Popen([sys.executable, __file__, infer, "--client", str(server.port), str(seed)]) for seed in range(4)]
    expect("triton 4133", all(p.wait(120) == 0 for p in processes), "each client gets its own rows back")

    # ggml-org/llama.cpp 9195, 9210, 6396: invalid UTF-8 in the body, in names, and in the error about them.
    for body in (b'{"inputs":[{"name":"\xff\xfe","shape":[1,1,1],"datatype":"FP32","data":[1]}]}', '{"id":"日"}'.encode("gbk"),
                 b'{"id":"\xe6\x97"}'):
        code, text = server.post(path, body)
        expect("llama.cpp 9195", code == 400 and json.loads(text)["error"], f"{body}: {code} {text}")

    # llama.cpp 11738: an empty body is an error of the client, not of the server.
    code, text = server.post(path, b"")
    expect("llama.cpp 11738", code == 400, f"{code} {text}")

    # llama.cpp 7221 and 7589: an array instead of a number or a name.
    for body in ('{"inputs":[[1]]}', '{"inputs":"x"}', '[]', '3', '{"inputs":[{"name":[1],"shape":"x","datatype":4,"data":{}}]}'):
        code, text = server.post(path, body)
        expect("llama.cpp 7221", code == 400, f"{body}: {code} {text}")

    # huggingface/text-embeddings-inference 365: an empty batch.
    code, text = server.post(path, '{"inputs":[]}')
    expect("text-embeddings-inference 365", code == 400, f"{code} {text}")

    # httpwg/http-core 22: a client that has closed its sending side still reads.
    answer = server.raw(b"GET /v2/models/echo HTTP/1.0\r\n\r\n", half_close=True)
    expect("http-core 22", answer.startswith(b"HTTP/1.1 200") and b"echo" in answer, str(answer[:200]))
    data = good.encode()
    answer = server.raw(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data,
                        half_close=True)
    expect("http-core 22", answer.startswith(b"HTTP/1.1 200"), str(answer[:200]))

    # mtrudel/bandit 695: refusing a request that waits for "100 Continue" must not hold the connection until a timeout.
    for target, status in (("/nowhere", b"404"), ("/health", b"405")):
        answer = server.raw(f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
                            .encode(), timeout=5)
        final = answer[answer.rfind(b"HTTP/1.1 "):]
        expect("bandit 695", final[9:12] == status and b"connection: close" in final.lower(), str(answer[:300]))

    server.stop()

    # rwf2/Rocket 411, searxng/searxng 6437: a Service with the program's name sets the variable of the program's port.
    run = subprocess.run([infer, "serve", "--models", models], env={"INFER_PORT": "tcp://10.0.0.143:8002"}, capture_output=True,
                         text=True, timeout=60)
    expect("Rocket 411", run.returncode != 0 and "INFER_PORT" in run.stderr + run.stdout, f"{run.returncode} {run.stderr}")


def client(port, seed):
    for i in range(100):
        wide = 1 + (seed + i) % 3
        data = [float(seed * 1000 + i + k) for k in range(wide)]
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v2/models/echo/infer", row([1, 1, wide], data).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            if json.load(answer)["outputs"][0]["data"] != data:
                return 1
    return 0


if sys.argv[2:3] == ["--client"]:
    sys.exit(client(int(sys.argv[3]), int(sys.argv[4])))
folder = pathlib.Path(tempfile.mkdtemp())
try:
    main(folder)
finally:
    shutil.rmtree(folder)
for failure in failures:
    print("FAILED:", failure)
sys.exit(bool(failures))
