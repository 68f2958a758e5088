#!/usr/bin/env python3
"""Measures precision and recall of `infer duplicates` on changed copies of photographs. Prints a table in Markdown.

Half of the photographs are sources, each with six changed copies beside it. The other half are unchanged and have no
duplicate.
"""

import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CACHE = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")
sys.path.insert(0, str(next(CACHE.glob(f"pillow-*-{sys.version_info.major}.{sys.version_info.minor}"))))
from PIL import Image, ImageDraw, ImageEnhance  # noqa: E402

# Pairs of the set that show the same subject: a stereo pair and two chessboards.
SAME = {"motorcycle_right": "motorcycle_left", "chessboard_RGB": "chessboard_GRAY"}


def rotated(image, path):
    """Saves the image rotated, with an EXIF orientation that makes it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.ROTATE_90).save(path, quality=92, exif=exif)


def watermarked(image):
    out = image.copy()
    draw = ImageDraw.Draw(out, "RGBA")
    width, height = out.size
    draw.rectangle((0.55 * width, 0.88 * height, width, height), fill=(255, 255, 255, 170))
    draw.text((0.58 * width, 0.91 * height), "(c) a photographer", fill=(0, 0, 0, 255))
    return out


def cropped(image):
    width, height = image.size
    left, top = round(width * 0.025), round(height * 0.025)
    return image.crop((left, top, width - left, height - top))


CHANGES = {
    "rescaled to half": lambda image, path: image.resize((image.width // 2, image.height // 2)).save(path, quality=92),
    "recompressed at 30": lambda image, path: image.save(path, quality=30),
    "cropped by 5 %": lambda image, path: cropped(image).save(path, quality=92),
    "brighter by 25 %": lambda image, path: ImageEnhance.Brightness(image).enhance(1.25).save(path, quality=92),
    "rotated by EXIF": rotated,
    "watermarked": lambda image, path: watermarked(image).save(path, quality=92),
}


def make_set(folder):
    """Makes all files and returns {path: (source, change)}."""
    photos = sorted(path for path in (CACHE / "photos").iterdir() if path.suffix in (".jpg", ".jpeg", ".png"))
    made = {}
    for number, path in enumerate(photos):
        image = Image.open(path).convert("RGB")
        source = SAME.get(path.stem, path.stem)
        original = folder / f"{path.stem}.png"
        image.save(original)
        made[str(original)] = (source, "as it is")
        if number % 2:
            continue
        copy = folder / f"{path.stem}-copy.png"
        copy.write_bytes(original.read_bytes())
        made[str(copy)] = (source, "the same bytes")
        for change, apply in CHANGES.items():
            target = folder / f"{path.stem}-{change.replace(' ', '-').replace('%', 'percent')}.jpg"
            apply(image, target)
            made[str(target)] = (source, change)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--infer", default="build/release/bin/infer")
    parser.add_argument("--model", help="model folder: also measure the cosine stage of this model, even with random weights")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        made = make_set(pathlib.Path(work))
        print(f"{len(made)} files of {len({source for source, _ in made.values()})} subjects")
        print("| stage and threshold | pairs found | precision | recall | " +
              " | ".join(["the same bytes", *CHANGES]) + " |")
        print("|" + "---|" * (5 + len(CHANGES)))
        runs = [(f"hash, {distance} of 64 bits", ["--max-distance", str(distance)]) for distance in (0, 4, 6, 8, 10, 12)]
        if args.model:
            for cosine in (0.99, 0.96, 0.9):
                runs.append((f"cosine {cosine} alone", ["--max-distance", "0", "--model", args.model, "--force-cosine",
                                                        "--min-cosine", str(cosine)]))
        for name, flags in runs:
            out = subprocess.run([args.infer, "duplicates", work, "--json", "-", *flags], check=True,
                                 capture_output=True, text=True).stdout
            # Two files of one group count as found, since the user sees them together.
            found = set()
            for group in json.loads(out)["groups"]:
                files = {path for link in group["links"] for path in (link["a"], link["b"])}
                found |= {frozenset(pair) for pair in itertools.combinations(files, 2)}
            exact = {}
            for path in made:
                exact.setdefault(pathlib.Path(path).read_bytes(), []).append(path)
            # Links to the first of equal files count for each exact copy.
            alias = {path: paths for paths in exact.values() for path in paths}
            for pair in list(found):
                a, b = pair
                found |= {frozenset(p) for p in itertools.product(alias[a], alias[b]) if p[0] != p[1]}
            true = {frozenset(pair) for pair in itertools.combinations(made, 2) if made[pair[0]][0] == made[pair[1]][0]}
            parts = []
            for change in ["the same bytes", *CHANGES]:
                # Compares each changed file with its source.
                wanted = {frozenset(pair) for pair in true if {made[p][1] for p in pair} == {change, "as it is"}}
                parts.append(f"{len(found & wanted)} of {len(wanted)}")
            hits = len(found & true)
            print(f"| {name} | {len(found)} | {hits / max(1, len(found)):.3f} | {hits / len(true):.3f} | " +
                  " | ".join(parts) + " |")
            for pair in found - true:
                print("  wrong:", " ".join(sorted(pathlib.Path(p).name for p in pair)), file=sys.stderr)


if __name__ == "__main__":
    main()
