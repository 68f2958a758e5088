"""Writes models that return their input, for this server or for Triton: echo.py OUT PREFIX [--triton]."""

import json
import pathlib
import sys

DTYPES = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"]
SHAPE = [4]

TRITON = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT0", pb_utils.get_input_tensor_by_name(r, "INPUT0").as_numpy())])
                for r in requests]
"""


def write(out, name, dtype, shape, triton, max_batch_size=8):
    folder = pathlib.Path(out) / name
    (folder / "1").mkdir(parents=True, exist_ok=True)
    if triton:
        def tensor(what, key):
            return f'{what} [{{ name: "{key}" data_type: TYPE_{dtype} dims: {json.dumps(shape)} }}]\n'
        (folder / "config.pbtxt").write_text(f'name: "{name}"\nbackend: "python"\nmax_batch_size: {max_batch_size}\n'
                                             + tensor("input", "INPUT0") + tensor("output", "OUTPUT0"))
        (folder / "1" / "model.py").write_text(TRITON)
    else:
        def spec(key):
            return {"name": key, "dtype": dtype, "shape": shape}
        (folder / "infer.json").write_text(json.dumps({"task": "raw", "backend": "scripted", "file": "script.json",
                                                       "inputs": [spec("INPUT0")], "outputs": [spec("OUTPUT0")]}))
        (folder / "1" / "script.json").write_text("{}")


def write_all(out, prefix, triton=False):
    for dtype in DTYPES:
        write(out, f"{prefix}_{dtype.lower()}", dtype, SHAPE, triton)


if __name__ == "__main__":
    write_all(sys.argv[1], sys.argv[2], "--triton" in sys.argv[3:])
