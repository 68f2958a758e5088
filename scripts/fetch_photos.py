#!/usr/bin/env python3
"""Puts free photographs into $INFER_CACHE/photos and Pillow, the reference for resizing, into $INFER_CACHE/pillow."""

import re
import sys

import wheels

PILLOW = "13.0.0"
IMAGE_SHA256 = "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af"
LEARN_SHA256 = "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df"


def photo(name):
    found = re.search(r"(?:skimage/data|sklearn/datasets/images)/([a-z_A-Z]+\.(?:jpg|png))$", name)
    return found.group(1) if found else None


def main():
    if not (wheels.CACHE / "photos").exists():
        wheels.install("photos", [
            ("scikit-image==0.26.0", IMAGE_SHA256, photo),
            ("scikit-learn==1.9.1", LEARN_SHA256, photo),
        ])
    pillow = wheels.CACHE / f"pillow-{PILLOW}-{sys.version_info.major}.{sys.version_info.minor}"
    if not pillow.exists():
        print(f"setup: fetching pillow=={PILLOW}", flush=True)
        wheels.install_locked("pillow", pillow)


if __name__ == "__main__":
    main()
