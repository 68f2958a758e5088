"""A typical handwritten server for forecasts: FastAPI and torch around the same TorchScript GRU, numpy for the normalisation.
PEER_MODEL: the version's folder with infer.json, model.pt and window.txt."""

import json
import os
import pathlib

import numpy as np
import torch
from fastapi import FastAPI
from pydantic import BaseModel

torch.set_num_threads(int(os.environ.get("PEER_THREADS", "1")))
folder = pathlib.Path(os.environ["PEER_MODEL"])
series = json.loads((folder / "infer.json").read_text())["series"]
numbers = np.array((folder / "window.txt").read_text().split(), float)[1:]
mean, scale = np.array(series["mean"]), np.array(series["scale"])
columns, targets = len(series["columns"]), series["targets"]
recorded = numbers.reshape(-1, columns)
model = torch.jit.freeze(torch.jit.load(folder / "model.pt").eval())
app = FastAPI()


class Request(BaseModel):
    inference_length: int = 1
    rows: list[list[float]] | None = None


@app.post("/predict")
def predict(request: Request):
    rows = np.array(request.rows if request.rows else recorded)[-series["history"]:]
    out = []
    with torch.inference_mode():
        while len(out) < request.inference_length:
            window = torch.from_numpy(((rows - mean) / scale).astype(np.float32)).unsqueeze(0)
            for step in model(window)[0][0].numpy():
                values = step * scale[:targets] + mean[:targets]
                out.append(values.tolist())
                row = rows[-1].copy()
                row[:targets] = values
                rows = np.vstack([rows[1:], row])
    return {"predictions": out[: request.inference_length]}


@app.get("/health")
async def health():
    return {"status": "ok"}
