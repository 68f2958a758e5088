"""What a user would write instead: FastAPI, torch and Pillow around the same TorchScript file.

PEER_MODEL: path of model.pt. PEER_THREADS: torch's intra-op threads. PEER_STYLE: "def" runs each request on a thread of
FastAPI's pool, "async" one after the other on the event loop; which is faster depends on the machine, so both are tried.
"""

import base64
import io
import os

import numpy as np
import torch
from fastapi import FastAPI
from PIL import Image, ImageOps
from pydantic import BaseModel

SIZE = 224
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)

torch.set_num_threads(int(os.environ.get("PEER_THREADS", "1")))
model = torch.jit.freeze(torch.jit.load(os.environ["PEER_MODEL"]).eval())
with torch.inference_mode():
    for _ in range(3):
        model(torch.zeros(1, 3, SIZE, SIZE))

app = FastAPI()


class Request(BaseModel):
    images: list[str]


def preprocess(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    width, height = image.size
    if width <= height:
        width, height = SIZE, max(SIZE, SIZE * height // width)
    else:
        width, height = max(SIZE, SIZE * width // height), SIZE
    image = image.resize((width, height), Image.BICUBIC)
    left, top = round((width - SIZE) / 2), round((height - SIZE) / 2)
    image = image.crop((left, top, left + SIZE, top + SIZE))
    pixels = (np.asarray(image, np.float32) / 255.0 - MEAN) / STD
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def answer(request):
    batch = torch.stack([preprocess(base64.b64decode(text)) for text in request.images])
    with torch.inference_mode():
        vectors = torch.nn.functional.normalize(model(batch), dim=-1)
    return {"embeddings": vectors.tolist(), "model": "clip-vit-b-32", "dim": vectors.shape[1]}


if os.environ.get("PEER_STYLE", "def") == "async":

    @app.post("/embed/base64")
    async def embed(request: Request):
        return answer(request)

else:

    @app.post("/embed/base64")
    def embed(request: Request):
        return answer(request)


@app.get("/health")
async def health():
    return {"status": "ok"}
