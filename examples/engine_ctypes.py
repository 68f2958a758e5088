"""Runs a model from Python through the C header, with only ctypes: engine_ctypes.py LIBINFER.SO MODEL_DIR DIM,DIM,..."""

import ctypes
import sys

INFER_FP32 = 11


class Tensor(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int), ("rank", ctypes.c_size_t), ("dims", ctypes.POINTER(ctypes.c_int64)),
                ("data", ctypes.c_void_p)]


infer = ctypes.CDLL(sys.argv[1])
infer.infer_error_message.restype = infer.infer_code_name.restype = infer.infer_version.restype = ctypes.c_char_p
infer.infer_error_message.argtypes = infer.infer_error_free.argtypes = [ctypes.c_void_p]
infer.infer_response_tensor.restype = Tensor
infer.infer_response_tensor.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
infer.infer_response_free.argtypes = infer.infer_engine_free.argtypes = [ctypes.c_void_p]
infer.infer_response_count.argtypes = [ctypes.c_void_p]
infer.infer_response_count.restype = ctypes.c_size_t


def check(code, error):
    if code:
        message = infer.infer_error_message(error).decode()
        infer.infer_error_free(error)
        sys.exit(f"{infer.infer_code_name(code).decode()}: {message}")


error, engine, response = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
check(infer.infer_engine_open(sys.argv[2].encode(), None, ctypes.byref(engine), ctypes.byref(error)), error)
shape = [int(dim) for dim in sys.argv[3].split(",")]
count = 1
for dim in shape:
    count *= dim
values = (ctypes.c_float * count)(*(i / count for i in range(count)))
sample = Tensor(INFER_FP32, len(shape), (ctypes.c_int64 * len(shape))(*shape), ctypes.addressof(values))
check(infer.infer_engine_infer(engine, ctypes.byref(sample), ctypes.c_size_t(1), ctypes.c_int64(10_000),
                               ctypes.byref(response), ctypes.byref(error)), error)
for index in range(infer.infer_response_count(response)):
    output = infer.infer_response_tensor(response, index)
    dims = output.dims[:output.rank]
    first = ctypes.cast(output.data, ctypes.POINTER(ctypes.c_float))[0]
    print(f"libinfer {infer.infer_version().decode()}: output {index} of shape {dims}, the first number is {first:.6f}")
infer.infer_response_free(response)
infer.infer_engine_free(engine)
