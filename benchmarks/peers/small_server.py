"""A typical handwritten server for a small tensor: FastAPI, a model of its body, numpy. uvicorn's --port sets port 8003."""

import numpy
from fastapi import FastAPI
from pydantic import BaseModel


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Request(BaseModel):
    inputs: list[Tensor]


app = FastAPI()


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/v2/models/small/infer")
async def infer(request: Request):
    tensor = request.inputs[0]
    values = numpy.asarray(tensor.data, numpy.float32).reshape(tensor.shape)
    return {"model_name": "small", "model_version": "1", "outputs": [
        {"name": "y", "datatype": "FP32", "shape": list(values.shape), "data": values.ravel().tolist()}]}
