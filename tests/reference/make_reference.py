#!/usr/bin/env python3
"""Writes tests/reference/outputs.txt: the results of Hugging Face transformers for tiny checkpoints whose weights come from a formula
that tests/support/checkpoint_files.h shares. Needs torch and transformers. Run it only when the formula changes."""

import csv
import math
import os
import pathlib

import torch
from transformers import (BertConfig, BertForSequenceClassification, BertModel, CLIPVisionConfig,
                          CLIPVisionModelWithProjection, DistilBertConfig, DistilBertForSequenceClassification)


def fnv(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def formula(name, shape):
    """Returns the sine of the position, shifted by the name. Layer norms are near 1."""
    count = math.prod(shape)
    shift = fnv(name) % 1000
    values = [math.sin(0.37 * i + shift) for i in range(count)]
    lower = name.lower()
    norm = "norm" in lower or "layrnorm" in lower
    if norm and name.endswith("weight"):
        values = [1 + 0.1 * v for v in values]
    else:
        values = [0.2 * v for v in values]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def fill(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Some versions nest the encoder one level deeper than checkpoints do.
            parameter.copy_(formula(name, tuple(parameter.shape)))
    return model.eval()


IDS = [[2, 7, 11, 4, 3, 0, 0], [2, 9, 3, 0, 0, 0, 0], [2, 5, 6, 7, 8, 9, 3]]
ids = torch.tensor(IDS)
mask = (ids != 0).long()
small = {"vocab_size": 40, "max_position_embeddings": 16}
bert = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, **small}
out = {}
with torch.no_grad():
    model = fill(BertModel(BertConfig(**bert), add_pooling_layer=False))
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).float()
    out["bert-mean"] = (hidden * weights).sum(1) / weights.sum(1)
    out["bert-cls"] = hidden[:, 0]
    model = fill(BertForSequenceClassification(BertConfig(**bert, num_labels=3)))
    out["bert-classify"] = model(input_ids=ids, attention_mask=mask).logits
    model = fill(DistilBertForSequenceClassification(DistilBertConfig(
        dim=32, n_layers=2, n_heads=4, hidden_dim=48, num_labels=2, **small)))
    out["distilbert-classify"] = model(input_ids=ids, attention_mask=mask).logits
    for activation in ("quick_gelu", "gelu"):
        model = fill(CLIPVisionModelWithProjection(CLIPVisionConfig(
            hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=16, patch_size=8,
            projection_dim=12, hidden_act=activation)))
        pixels = formula("pixels", (2, 3, 16, 16)) * 5
        out["clip-" + activation] = model(pixel_values=pixels).image_embeds
with open(pathlib.Path(__file__).parent / "outputs.txt", "w") as file:
    for name, values in out.items():
        file.write(name + "".join(f" {value:.9g}" for value in values.flatten().tolist()) + "\n")

# A real model: all-MiniLM-L6-v2 on the first 300 sentences of data/sentiment.csv, with each vector reduced to 8 numbers by a
# matrix from the formula.

from sentence_transformers import SentenceTransformer

root = pathlib.Path(__file__).parents[2]
cache = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
with open(root / "data" / "sentiment.csv", newline="") as file:
    texts = [row["text"] for row in csv.DictReader(file)][:300]
vectors = SentenceTransformer(str(cache / "minilm"), device="cpu").encode(texts, normalize_embeddings=True)
projection = formula("projection", (384, 8)).numpy() * 5
with open(pathlib.Path(__file__).parent / "minilm.txt", "w") as file:
    for row in vectors @ projection:
        file.write(" ".join(f"{value:.7g}" for value in row) + "\n")
