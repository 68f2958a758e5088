"""Shared by the peers for photographs: loads the TorchScript file, and prepares its input with Pillow.

PEER_MODEL: path of model.pt. PEER_THREADS: torch's intra-op threads.
"""

import io
import os

import numpy as np
import torch
from PIL import Image, ImageOps

SIZE = 224
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def load():
    torch.set_num_threads(int(os.environ.get("PEER_THREADS", "1")))
    model = torch.jit.freeze(torch.jit.load(os.environ["PEER_MODEL"]).eval())
    with torch.inference_mode():
        for _ in range(3):
            model(torch.zeros(1, 3, SIZE, SIZE))
    return model


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
    pixels = (np.asarray(image, np.float32) / np.float32(255) - MEAN) / STD
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def embed(model, photographs):
    """Returns a normalised vector for each tensor of `preprocess`."""
    with torch.inference_mode():
        return torch.nn.functional.normalize(model(torch.stack(photographs)), dim=-1)
