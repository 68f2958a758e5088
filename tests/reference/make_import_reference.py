#!/usr/bin/env python3
"""Writes tests/reference/import.txt: the results of sentence-transformers and transformers for tiny checkpoints of every kind that
infer model import supports. The weights come from the formula of make_reference.py, which tests/support/checkpoint_files.h shares.
Needs sentence-transformers 5 or newer. Run it only when a case is added."""

import json
import math
import pathlib
import tempfile

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer, pipeline

TEXTS = ["the good film", "Bad, bad!", "a b c d e f g h i j k l m n o p q r", "the zz \u00e9"]
VOCABULARY = (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(97 + i) for i in range(26)] +
              ["##a", "##b", "the", "good", "bad", ".", "##s", "!", "film"])
SIZES = {"vocab_size": 40, "max_position_embeddings": 16, "hidden_size": 32, "num_hidden_layers": 2,
         "num_attention_heads": 4, "intermediate_size": 48}
MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
FLAGS = dict(zip(MODES, ["pooling_mode_cls_token", "pooling_mode_max_tokens", "pooling_mode_mean_tokens",
                         "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
                         "pooling_mode_lasttoken"]))


def fnv(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def formula(name, shape):
    shift = fnv(name) % 1000
    values = [math.sin(0.37 * i + shift) for i in range(math.prod(shape))]
    lower = name.lower()
    near_one = ("norm" in lower or "layrnorm" in lower) and name.endswith("weight")
    values = [1 + 0.1 * v if near_one else 0.2 * v for v in values]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def fill(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(formula(name, tuple(parameter.shape)))
    return model.eval()


def save_base(folder, model):
    fill(model).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)


def sentences(folder, modules):
    """Returns the vectors of a checkpoint with these modules: (type, path, config, tensors)."""
    save_base(folder, BertModel(BertConfig(**SIZES), add_pooling_layer=False))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 16, "do_lower_case": false}')
    listed = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for kind, path, config, tensors in modules:
        listed.append({"idx": len(listed), "name": str(len(listed)), "path": path,
                       "type": f"sentence_transformers.models.{kind}"})
        (folder / path).mkdir()
        if config is not None:
            (folder / path / "config.json").write_text(json.dumps(config))
        if tensors:
            save_file({name: formula(f"{path}/{name}", shape) for name, shape in tensors.items()},
                      folder / path / "model.safetensors")
    (folder / "modules.json").write_text(json.dumps(listed))
    return SentenceTransformer(str(folder), device="cpu").encode(TEXTS).flatten().tolist()


def pooling(config, size=32):
    return ("Pooling", "1_Pooling", {"word_embedding_dimension": size, **config}, None)


def dense(inputs, outputs, activation, bias=True, path="2_Dense"):
    tensors = {"linear.weight": (outputs, inputs), **({"linear.bias": (outputs,)} if bias else {})}
    return ("Dense", path, {"in_features": inputs, "out_features": outputs, "bias": bias,
                            "activation_function": f"torch.nn.modules.{activation}"}, tensors)


cases = {}
for mode in MODES:
    cases["flag-" + mode] = [pooling({flag: name == mode for name, flag in FLAGS.items()})]
    cases["mode-" + mode] = [pooling({"pooling_mode": mode})]
cases["flags-all"] = [pooling({flag: True for flag in FLAGS.values()})]
cases["modes-list"] = [pooling({"pooling_mode": ["lasttoken", "mean", "cls"]})]
mean = pooling({"pooling_mode_mean_tokens": True})
for name, activation in {"tanh": "activation.Tanh", "identity": "linear.Identity", "relu": "activation.ReLU",
                         "gelu": "activation.GELU", "sigmoid": "activation.Sigmoid", "silu": "activation.SiLU"}.items():
    cases["dense-" + name] = [mean, dense(32, 8, activation, bias=name != "identity")]
cases["normalize"] = [mean, ("Normalize", "2_Normalize", None, None)]
cases["layer-norm"] = [mean, ("LayerNorm", "2_LayerNorm", {"dimension": 32}, {"norm.weight": (32,), "norm.bias": (32,)})]
cases["whole"] = [pooling({"pooling_mode": ["cls", "max"]}), dense(64, 8, "activation.Tanh"),
                  ("LayerNorm", "3_LayerNorm", {"dimension": 8}, {"norm.weight": (8,), "norm.bias": (8,)}),
                  dense(8, 6, "linear.Identity", False, "4_Dense"), ("Normalize", "5_Normalize", {}, None)]

out = {}
for name, modules in cases.items():
    with tempfile.TemporaryDirectory() as folder:
        out[name] = sentences(pathlib.Path(folder), modules)

for name, labels, problem in [("single", 3, "single_label_classification"), ("multi", 3, "multi_label_classification"),
                              ("unsaid", 3, None), ("one", 1, None), ("regression-1", 1, "regression"),
                              ("regression-2", 2, "regression")]:
    with tempfile.TemporaryDirectory() as folder:
        config = BertConfig(**SIZES, num_labels=labels, problem_type=problem)
        save_base(pathlib.Path(folder), BertForSequenceClassification(config))
        classify = pipeline("text-classification", folder, top_k=None, truncation=True, max_length=16)
        out["classify-" + name] = [row[f"LABEL_{i}"] for scores in classify(TEXTS)
                                   for row in [{one["label"]: one["score"] for one in scores}] for i in range(labels)]

with open(pathlib.Path(__file__).parent / "import.txt", "w") as file:
    for name, values in out.items():
        file.write(name + "".join(f" {value:.8g}" for value in values) + "\n")
