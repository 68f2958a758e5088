"""Sends the same requests to this server and to a Triton server and compares the answers: reference.py OURS TRITON PREFIX.

Status codes must be equal, JSON must be equal after parsing (except error texts), and tensors must be equal bit by bit.
The list below and docs/protocols.md name the exceptions with their reasons.
"""

import gzip
import json
import re
import struct
import sys
import urllib.error
import urllib.request

from echo import DTYPES
from test_protocol import LENGTH, SIZES, binary

# Exceptions, with the reason why the answers differ. A listed case whose answers agree is an error too.
STATUS = "Triton answers 500 to a body that is not what the protocol asks for; 400 tells the client whose fault it is"
DIFFERENCES = {
    "GET /v2": "name, version and extensions are each server's own",
    "GET model": "platform is each server's own",
    "GET version": "platform is each server's own",
    "GET live": "Triton's body is empty; the kserve client reads .live",
    "GET ready": "Triton's body is empty; the kserve client reads .live",
    "GET model ready": "Triton's body is empty; the protocol has name and ready",
    "GET unknown model ready": "Triton answers 400; the protocol knows no such model: 404",
    "GET config": "Triton's configuration has fields for what only Triton does",
    "POST empty id": "Triton leaves an empty id out; a given id is echoed",
    "POST no JSON": STATUS,
    "POST no object": STATUS,
    "POST no inputs": STATUS,
    "POST inputs no list": STATUS,
    "POST timeout as text": STATUS,
    "POST too few elements": STATUS,
    "POST too many elements": STATUS,
    "POST text for a number": STATUS,
    "POST unknown encoding": "Triton answers 501; HTTP has 415 for it",
    "GET statistics of an unknown model": "Triton answers 400; there is no such model: 404",
}


def cases(prefix):
    """Yields (name, path, body, headers)."""
    def model(dtype):
        return f"/v2/models/{prefix}_{dtype.lower()}"

    def tensor(dtype, shape, data=None, size=None):
        out = {"name": "INPUT0", "shape": shape, "datatype": dtype}
        out.update({"data": data} if size is None else {"parameters": {"binary_data_size": size}})
        return out

    def infer(name, dtype, body, headers=None):
        return name, model(dtype) + "/infer", body if isinstance(body, bytes) else json.dumps(body).encode(), headers or {}

    yield "GET /v2", "/v2", None, {}
    yield "GET live", "/v2/health/live", None, {}
    yield "GET ready", "/v2/health/ready", None, {}
    yield "GET model", model("FP32"), None, {}
    yield "GET version", model("FP32") + "/versions/1", None, {}
    yield "GET model ready", model("FP32") + "/ready", None, {}
    yield "GET config", model("FP32") + "/config", None, {}
    yield "GET unknown model", "/v2/models/none", None, {}
    yield "GET unknown version", model("FP32") + "/versions/7", None, {}
    yield "GET unknown model ready", "/v2/models/none/ready", None, {}
    yield "GET statistics of an unknown model", "/v2/models/none/stats", None, {}
    yield "POST unknown model", "/v2/models/none/infer", b'{"inputs":[]}', {}
    for dtype in DTYPES:
        count = 8
        if dtype != "FP16":
            values = [i % 2 == 1 for i in range(count)] if dtype == "BOOL" else [i + 0.1 if dtype.startswith("FP") else i for i in range(count)]
            yield infer(f"POST {dtype} flat", dtype, {"id": "x", "inputs": [tensor(dtype, [2, 4], values)]})
            yield infer(f"POST {dtype} nested", dtype, {"inputs": [tensor(dtype, [2, 4], [values[:4], values[4:]])]})
        data = bytes([1, 0] * 4) if dtype == "BOOL" else bytes(range(count * SIZES[dtype]))
        body, headers = binary({"inputs": [tensor(dtype, [2, 4], size=len(data))],
                                "outputs": [{"name": "OUTPUT0", "parameters": {"binary_data": True}}]}, data)
        yield infer(f"POST {dtype} binary", dtype, body, headers)
        body, headers = binary({"inputs": [tensor(dtype, [2, 4], size=len(data))], "parameters": {"binary_data_output": True}}, data)
        yield infer(f"POST {dtype} binary by default", dtype, body, headers)
        yield infer(f"POST {dtype} raw", dtype, data[:len(data) // 2], {LENGTH: "0", "Content-Type": "application/octet-stream"})
    floats = struct.pack("<4f", 0.1, 1e-40, -3.4e38, float("nan"))
    body, headers = binary({"inputs": [tensor("FP32", [1, 4], size=16)], "parameters": {"binary_data_output": True}}, floats)
    yield infer("POST denormal and NaN", "FP32", body, headers)
    yield infer("POST gzip", "FP32", gzip.compress(body), {**headers, "Content-Encoding": "gzip"})
    good = tensor("FP32", [1, 4], [1, 2, 3, 4])
    yield infer("POST empty id", "FP32", {"id": "", "inputs": [good]})
    yield infer("POST one output", "FP32", {"inputs": [good], "outputs": [{"name": "OUTPUT0"}]})
    yield infer("POST no outputs", "FP32", {"inputs": [good], "outputs": []})
    yield infer("POST extra fields", "FP32", {"inputs": [good], "other": 1, "parameters": {"mine": "a"}})
    yield infer("POST version", "FP32", {"inputs": [good]})
    yield infer("POST unknown output", "FP32", {"inputs": [good], "outputs": [{"name": "none"}]})
    yield infer("POST unknown input", "FP32", {"inputs": [{**good, "name": "none"}]})
    yield infer("POST missing input", "FP32", {"inputs": []})
    yield infer("POST wrong shape", "FP32", {"inputs": [tensor("FP32", [1, 5], [1, 2, 3, 4, 5])]})
    yield infer("POST no batch dimension", "FP32", {"inputs": [tensor("FP32", [4], [1, 2, 3, 4])]})
    yield infer("POST too few elements", "FP32", {"inputs": [tensor("FP32", [1, 4], [1, 2, 3])]})
    yield infer("POST too many elements", "FP32", {"inputs": [tensor("FP32", [1, 4], [1, 2, 3, 4, 5])]})
    yield infer("POST wrong datatype", "FP32", {"inputs": [tensor("INT32", [1, 4], [1, 2, 3, 4])]})
    yield infer("POST unknown datatype", "FP32", {"inputs": [tensor("FP99", [1, 4], [1, 2, 3, 4])]})
    yield infer("POST FP16 in JSON", "FP16", {"inputs": [tensor("FP16", [1, 4], [1, 2, 3, 4])]})
    yield infer("POST text for a number", "FP32", {"inputs": [tensor("FP32", [1, 4], [1, 2, 3, "4"])]})
    yield infer("POST timeout", "FP32", {"inputs": [good], "parameters": {"timeout": 60_000_000}})
    yield infer("POST timeout as text", "FP32", {"inputs": [good], "parameters": {"timeout": "soon"}})
    yield infer("POST no JSON", "FP32", b"{")
    yield infer("POST no object", "FP32", b"[]")
    yield infer("POST no body", "FP32", b"")
    yield infer("POST no inputs", "FP32", {})
    yield infer("POST inputs no list", "FP32", {"inputs": 5})
    for name, size, bytes_sent in (("small", 12, 16), ("large", 20, 16), ("short of bytes", 16, 12), ("with bytes left", 16, 20)):
        body, headers = binary({"inputs": [tensor("FP32", [1, 4], size=size)]}, bytes(bytes_sent))
        yield infer(f"POST binary size {name}", "FP32", body, headers)
    yield infer("POST header longer than the body", "FP32", b"{}", {LENGTH: "99"})
    yield infer("POST header no number", "FP32", b"{}", {LENGTH: "x"})
    yield infer("POST unknown encoding", "FP32", b"{}", {"Content-Encoding": "zstd"})


def ask(url, path, body, headers):
    request = urllib.request.Request(url + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status, head, data = response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        status, head, data = error.code, error.headers, error.read()
    length = int(head.get(LENGTH, len(data)))
    try:
        parsed = json.loads(data[:length] or b"null")
    except ValueError:
        parsed = data[:length].decode(errors="replace")
    if isinstance(parsed, dict) and set(parsed) == {"error"}:
        parsed = {"error": "..."}
    if isinstance(parsed, dict):
        # Numbers of 32 bits are printed differently but parse to the same value.
        for output in parsed.get("outputs", []):
            if isinstance(output, dict) and output.get("datatype") == "FP32" and "data" in output:
                output["data"] = [struct.unpack("<f", struct.pack("<f", v))[0] for v in output["data"]]
    return status, parsed, data[length:]


def main():
    ours, triton, prefix = sys.argv[1:4]
    problems, agreed, differed = [], 0, []
    for name, path, body, headers in cases(prefix):
        mine, theirs = ask(ours, path, body, headers), ask(triton, path, body, headers)
        if (mine == theirs) == (name not in DIFFERENCES):
            agreed += mine == theirs
            if mine != theirs:
                differed.append(name)
            continue
        problems.append(f"{name}: ours {mine}, Triton {theirs}" if mine != theirs else f"{name}: agrees, but is listed")
    for problem in problems:
        print(re.sub(r"(.{400}).*", r"\1 ...", problem))
    print(f"reference: {agreed} answers equal, {len(differed)} differ as listed, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
