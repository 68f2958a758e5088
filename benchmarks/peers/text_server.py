"""A typical handwritten server for texts: FastAPI around sentence-transformers. PEER_MODEL: the checkpoint's folder."""

import os

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

torch.set_num_threads(int(os.environ.get("PEER_THREADS", "1")))
model = SentenceTransformer(os.environ["PEER_MODEL"], device="cpu")
model.encode(["warm", "up"])
app = FastAPI()


class Request(BaseModel):
    inputs: str | list[str]


@app.post("/embed")
def embed(request: Request):
    texts = [request.inputs] if isinstance(request.inputs, str) else request.inputs
    return model.encode(texts, normalize_embeddings=True, batch_size=32, show_progress_bar=False).tolist()


@app.get("/health")
async def health():
    return {"status": "ok"}
