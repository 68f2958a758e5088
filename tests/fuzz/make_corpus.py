"""Writes the fuzzers' initial inputs, valid inputs and the invalid inputs of the tests: make_corpus.py GOLDEN OUT."""

import base64
import gzip
import pathlib
import struct
import sys
import zlib

golden, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
corpus = {name: [] for name in ("chunked", "encoding", "engine", "head", "image", "inference", "manifest", "multipart", "request", "safetensors", "table", "tokenizer")}
kinds = [pathlib.Path(line.split()[2]) for line in (golden / "index.txt").read_text().splitlines()
         if line.startswith("kind ")]
for path in kinds:
    data = path.read_bytes()
    corpus["image"] += [data[:40_000], data[:len(data) // 2], data[:100]]
png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
empty = png.replace(struct.pack(">II", 60_000, 60_000), struct.pack(">II", 8, 8)) + b"crc.\0\0\0\0IDATcrc.\0\0\0\0IENDcrc."
corpus["image"] += [png, empty, b"GIF89a\1\0\1\0", b"BM", b"\0\0\2\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\x18\0", b""]

picture = base64.b64encode(min((path.read_bytes() for path in kinds), key=len))
corpus["request"] += [b"", b"{}", b"[]", b'{"images"', b'{"images": []}', b'{"images": [5]}', b'{"images": ["a$aa"]}',
                      b'{"images": ["' + picture + b'"]}', b'{"images": [' + b'"",' * 8 + b'""]}',
                      b'{"images": "x"}', b"[" * 2000, b'{"images": ["\\u0041\\n"], "other": {"a": [1.5e300, null]}}']

def inference(json, data=b"", length=None):
    return struct.pack("<H", len(json) if length is None else length) + json + data

binary = b'{"id":"","inputs":[{"name":"x","shape":[2],"datatype":"%s","parameters":{"binary_data_size":%d}}]}'
corpus["inference"] += [
    inference(b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1.5,-2e3]]}],"outputs":[{"name":"y"}]}'),
    inference(b'{"inputs":[{"name":"x","shape":[3],"datatype":"BOOL","data":[true,0,1]}],"parameters":{"timeout":5}}', length=0xFFFF),
    inference(binary % (b"INT64", 16), b"\1" * 16), inference(binary % (b"FP16", 4), b"abc"), inference(binary % (b"UINT8", 2), b"ab"),
    inference(binary % (b"BYTES", 11), struct.pack("<I", 3) + b"abc" + struct.pack("<I", 0)), inference(b"", b"\0" * 12),
    inference(b'{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["QUJD"]}]}'),
    inference(b'{"inputs":[{"name":"x","shape":[1099511627776,99],"datatype":"INT8","data":[]}]}'), inference(b"[" * 300)]

corpus["manifest"] += [
    b"{}", b"[1]", b"", b'{"task": "image-embedding", "inputs": [{"name": "x", "dtype": "FP32", "shape": [3, -1]}]}',
    b'{"task": "nothing"}', b'{"tsk": "raw"}', b'{"file": "../x"}', b'{"inputs": [{"shape": [1e9]}]}',
    b'{"batch": {"max_batch_size": 0, "allowed_batch_sizes": [1, 2], "max_queue_delay_ms": 1.5}, "workers": 2}',
    b'{"preprocess": {"size": 224, "mean": [0.1, 0.2, 0.3], "std": [1, 1, 0]}, "labels": ["a", "b"]}',
    b'{"weights": "random", "precision": "fp32", "warmup": "full", "sha256": {"model.pt": "00"}, "source": {"a": [1]}}']

corpus["head"] += [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\nGET http://a:1/%41?x HTTP/1.1\r\nHost: b\r\nConnection: x, close\r\n\r\n",
    b"POST /embed HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n", b"OPTIONS * HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"]
corpus["chunked"] += [b"3\r\nabc\r\n0\r\n\r\n", b"A;b;c=d;e=\"f\\\"\"\r\n0123456789\r\n0\r\nT: u\r\n\r\nGET", b"0x3\r\nabc\r\n0\r\n\r\n",
                      b"1\r\nab\r\n", b"fffffffffffffff\r\n", b"0\r\nA : b\r\n\r\n", b"3\nabc\n0\n\n"]
corpus["encoding"] += [bytes([kind, cut]) + data for kind, data in ((0, gzip.compress(b"text" * 99)), (1, zlib.compress(b"text" * 99)),
                       (0, gzip.compress(b"one") + gzip.compress(b"two")), (0, gzip.compress(b"a")[:-1]), (0, gzip.compress(b"a") + b"b"),
                       (1, b"GZIP;q=0.5, deflate;q=0")) for cut in (0, 128)]

part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\nDATA\r\n'
for line in (b"multipart/form-data; boundary=b\n", b'multipart/form-data; x="y;z"; boundary="b"\n'):
    corpus["multipart"] += [line + body for body in (
        part + b"--b--\r\n", part * 3 + b"--b--\r\n", part, b"--b\r\n\r\n\r\n--b--\r\n", b"--b--\r\n", b"", b"x\r\n--bx\r\n--b \t\r\n\r\n\r\n--b--x",
        b"--b\r\nContent-Disposition: form-data; name*=UTF-8''x\r\n\r\n--b--\r\n")]

def safetensors(header, data=b""):
    return struct.pack("<Q", len(header)) + header + data


corpus["safetensors"] += [
    b"", b"1234567", safetensors(b"{}"), safetensors(b"{"), b"\xff" * 10,
    safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}', b"x" * 9),
    safetensors(b'{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[0,3],"data_offsets":[0,0]}}'),
    safetensors(b'{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,8]}}', b"x" * 8)]
corpus["table"] += [b"a,b\n1,2\n", b"t,y\r\n2024-01-31,\"1,5\"\r\n", b"\xef\xbb\xbfa\n\"x\"\"y\"\n", b"a\n\"", b"",
                    b"t\n2024-05-01T12:30:15.25Z\n2024Q2\n20240501\n1959.0\n1700000000\n0000-01-01\n9999-12-31T23:59:60\n"]
corpus["tokenizer"] += [b"", b"the films [SEP] a\xcc\x81b", "中文 İ ﬁ ％ \u200b\ufffd".encode(), b"\xff\xc3\xed\xa0\x80\xf4\x90\x80\x80",
                        b"a" * 200, "\u0958\u1e9e\ud7a3".encode(), b"[CLS][MASK][UNK]##s"]

# A sample is two shapes: their ranks, and a byte for each dimension, small or, from 128 on, hostile.
pair = bytes([2, 0, 136, 0, 2, 3, 135, 0])  # [0,1099511693773] and [3,65536], whose hashes were once equal
corpus["engine"] += [b"", pair, pair * 3, bytes([1, 4, 1, 2]) * 20, bytes([1, 4, 1, 2, 1, 4, 1, 3]) * 6, bytes([8] + [1] * 8 + [0]),
                     bytes([2, 138, 138, 1, 0]), bytes([1, 250] + [127] + [255] * 7 + [0]), bytes([0, 0, 1, 0, 1, 0])]

for target, inputs in corpus.items():
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs):
        (folder / f"seed-{number:03}").write_bytes(data)
