"""Tests the specification of the Open Inference Protocol without a client library."""

import gzip
import json
import struct
import zlib

import pytest

LENGTH = "Inference-Header-Content-Length"
SIZES = {"BOOL": 1, "UINT8": 1, "UINT16": 2, "UINT32": 4, "UINT64": 8, "INT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "FP16": 2,
         "BF16": 2, "FP32": 4, "FP64": 8}


def zeros(specs, rows=1):
    """Returns inputs of zeros that match a model's metadata, as JSON and as bytes."""
    inputs, data = [], b""
    for spec in specs:
        shape = [rows] + [1 if dim < 0 else dim for dim in spec["shape"][1:]]
        size = SIZES[spec["datatype"]]
        for dim in shape:
            size *= dim
        inputs.append({"name": spec["name"], "shape": shape, "datatype": spec["datatype"],
                       "parameters": {"binary_data_size": size}})
        data += bytes(size)
    return inputs, data


def binary(body, data):
    head = json.dumps(body).encode()
    return head + data, {LENGTH: str(len(head)), "Content-Type": "application/octet-stream"}


def test_the_server_is_live_and_ready(send):
    assert send("/v2/health/live").status == 200
    assert send("/v2/health/ready").status == 200


def test_the_server_says_what_it_is(send):
    about = send("/v2").json
    assert about["name"] and about["version"] and "binary_tensor_data" in about["extensions"]


def test_a_model_says_what_it_takes_and_gives(send, model):
    about = send(f"/v2/models/{model}").json
    assert about["name"] == model and about["versions"] and about["platform"]
    for spec in about["inputs"] + about["outputs"]:
        assert spec["name"] and spec["datatype"] in SIZES and all(isinstance(dim, int) for dim in spec["shape"])
    version = about["versions"][0]
    assert send(f"/v2/models/{model}/versions/{version}").json["inputs"] == about["inputs"]
    assert send(f"/v2/models/{model}/ready").status == 200


def test_tensors_of_zeros_give_all_outputs(send, model):
    about = send(f"/v2/models/{model}").json
    inputs, data = zeros(about["inputs"], rows=2)
    body, headers = binary({"id": "7", "inputs": inputs, "parameters": {"binary_data_output": True}}, data)
    answer = send(f"/v2/models/{model}/infer", body, headers)
    assert answer.status == 200, answer.body
    length = int(answer.headers[LENGTH])
    head = json.loads(answer.body[:length])
    assert head["id"] == "7" and head["model_name"] == model
    assert [output["name"] for output in head["outputs"]] == [output["name"] for output in about["outputs"]]
    assert sum(output["parameters"]["binary_data_size"] for output in head["outputs"]) == len(answer.body) - length
    assert all(output["shape"][0] == 2 for output in head["outputs"])


def test_statistics_count_what_was_asked(send, model):
    def count():
        stats = send(f"/v2/models/{model}/stats").json["model_stats"][0]
        return stats["inference_count"], stats["inference_stats"]["success"]["count"], stats["execution_count"]
    before = count()
    inputs, data = zeros(send(f"/v2/models/{model}").json["inputs"], rows=3)
    body, headers = binary({"inputs": inputs, "parameters": {"binary_data_output": True}}, data)
    assert send(f"/v2/models/{model}/infer", body, headers).status == 200
    after = count()
    assert (after[0] - before[0], after[1] - before[1]) == (3, 1) and after[2] > before[2]


@pytest.mark.parametrize("path", ["/v2/models/none", "/v2/models/none/ready", "/v2/models/none/config", "/v2/models/none/stats",
                                  "/v2/models/none/versions/9"])
def test_an_unknown_model_is_not_found(send, path):
    answer = send(path)
    assert answer.status in (400, 404) and isinstance(answer.json["error"], str) or path.endswith("ready")
    assert send("/v2/models/none/infer", {"inputs": []}).status in (400, 404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"inputs":5}', b'{"inputs":[{}]}', b'{"inputs":[{"name":"x"}]}',
                                  b'{"inputs":[{"name":"none","shape":[1],"datatype":"FP32","data":[1]}]}', b"\xff\xfe"])
def test_a_bad_body_is_an_error_with_words(send, model, body):
    answer = send(f"/v2/models/{model}/infer", body)
    assert answer.status == 400 and answer.json["error"]


JSON_VALUES = {"BOOL": [True, False, True, False], "UINT8": [0, 1, 2, 255], "UINT64": [0, 1, 2, 2**63 + 1], "INT8": [-128, 0, 1, 127],
               "INT64": [-2**62 - 1, 0, 1, 2**53 + 1], "FP32": [0.1, -1.5e-30, 3.0e38, 0], "FP64": [0.1, -1e-300, 1e300, 2]}


@pytest.mark.parametrize("dtype", JSON_VALUES)
def test_json_tensors_come_back_as_they_went(send, echo, dtype):
    values = JSON_VALUES[dtype]
    for data in (values, [values]):
        body = {"inputs": [{"name": "INPUT0", "shape": [1, 4], "datatype": dtype, "data": data}]}
        output = send(f"/v2/models/{echo}_{dtype.lower()}/infer", body).json["outputs"][0]
        assert output["shape"] == [1, 4] and output["datatype"] == dtype
        if dtype == "FP32":
            assert struct.pack("<4f", *output["data"]) == struct.pack("<4f", *values)
        else:
            assert output["data"] == values


@pytest.mark.parametrize("dtype", [dtype for dtype in SIZES if dtype != "BF16"])
def test_binary_tensors_come_back_bit_by_bit(send, echo, dtype):
    data = bytes([1] * 8 if dtype == "BOOL" else range(1, 1 + 8 * SIZES[dtype]))
    body, headers = binary({"inputs": [{"name": "INPUT0", "shape": [2, 4], "datatype": dtype,
                                        "parameters": {"binary_data_size": len(data)}}],
                            "outputs": [{"name": "OUTPUT0", "parameters": {"binary_data": True}}]}, data)
    answer = send(f"/v2/models/{echo}_{dtype.lower()}/infer", body, headers)
    assert answer.status == 200, answer.body
    assert answer.body[int(answer.headers[LENGTH]):] == data


@pytest.mark.parametrize("encoding,pack", [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_bodies_are_understood(send, echo, encoding, pack):
    data = struct.pack("<2000f", *range(2000))
    body, headers = binary({"inputs": [{"name": "INPUT0", "shape": [500, 4], "datatype": "FP32",
                                        "parameters": {"binary_data_size": len(data)}}],
                            "parameters": {"binary_data_output": True}}, data)
    headers.update({"Content-Encoding": encoding, "Accept-Encoding": encoding})
    answer = send(f"/v2/models/{echo}_fp32/infer", pack(body), headers)
    if answer.status == 400:
        pytest.skip("the server takes fewer rows: " + answer.json["error"])
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == encoding
    plain = zlib.decompress(answer.body, 15 + 32)
    assert plain[int(answer.headers[LENGTH]):] == data


def test_an_empty_id_is_echoed(send, echo):
    body = {"id": "", "inputs": [{"name": "INPUT0", "shape": [1, 4], "datatype": "INT64", "data": [1, 2, 3, 4]}]}
    assert send(f"/v2/models/{echo}_int64/infer", body).json["id"] == ""
    del body["id"]
    assert "id" not in send(f"/v2/models/{echo}_int64/infer", body).json


@pytest.mark.parametrize("size,data", [(15, bytes(16)), (17, bytes(16)), (16, bytes(15)), (16, bytes(17))])
def test_sizes_that_do_not_add_up_are_refused(send, echo, size, data):
    body, headers = binary({"inputs": [{"name": "INPUT0", "shape": [1, 4], "datatype": "FP32",
                                        "parameters": {"binary_data_size": size}}]}, data)
    assert send(f"/v2/models/{echo}_fp32/infer", body, headers).status == 400
