"""A typical handwritten server: FastAPI around the tower.

PEER_STYLE: "def" runs each request on a thread of FastAPI's pool, "async" runs requests one after the other on the event loop.
The faster style depends on the machine, so both are measured.
"""

import base64
import os

import tower
from fastapi import FastAPI
from pydantic import BaseModel

model = tower.load()
app = FastAPI()


class Request(BaseModel):
    images: list[str]


def answer(request):
    vectors = tower.embed(model, [tower.preprocess(base64.b64decode(text)) for text in request.images])
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
