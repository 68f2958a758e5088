#!/usr/bin/env python3
"""Makes reference pixels with Pillow: make_golden.py CACHE OUT.

Writes for every photograph the 224 x 224 RGB pixels of CLIP's preprocessing before normalisation (OUT/photo-NAME.rgb),
and encoded images of every supported kind with their decoded upright pixels. OUT/index.txt lists the files:
  photo NAME SOURCE PIXELS
  kind NAME ENCODED PIXELS WIDTH HEIGHT
  hash NAME SOURCE BITS
"""

import math
import pathlib
import statistics
import sys
import textwrap

cache, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(next(cache.glob(f"pillow-*-{sys.version_info.major}.{sys.version_info.minor}"))))
from PIL import Image, ImageOps  # noqa: E402  (needs the path above)
from PIL.PngImagePlugin import PngInfo  # noqa: E402

SIZE = 224
ORIENTATION = 0x0112


def clip_pixels(path):
    """Applies torchvision's Resize(224, BICUBIC) and CenterCrop(224) to an upright RGB image."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    width, height = image.size
    if width <= height:
        width, height = SIZE, int(SIZE * height / width)
    else:
        width, height = int(SIZE * width / height), SIZE
    image = image.resize((width, height), Image.BICUBIC)
    left, top = int(round((width - SIZE) / 2.0)), int(round((height - SIZE) / 2.0))
    return image.crop((left, top, left + SIZE, top + SIZE))


def perceptual_hash(path):
    """Returns Zauner's DCT hash of an upright RGB image, computed in double precision, as 16 hexadecimal digits."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB").resize((32, 32), Image.BICUBIC)
    data = image.tobytes()
    luma = [0.299 * data[3 * i] + 0.587 * data[3 * i + 1] + 0.114 * data[3 * i + 2] for i in range(32 * 32)]
    basis = [[math.cos(math.pi * (2 * x + 1) * (k + 1) / 64) for x in range(32)] for k in range(8)]
    rows = [[sum(luma[32 * y + x] * basis[u][x] for x in range(32)) for u in range(8)] for y in range(32)]
    values = [sum(rows[y][u] * basis[v][y] for y in range(32)) for v in range(8) for u in range(8)]
    median = statistics.median(values)
    return f"{sum(1 << i for i, value in enumerate(values) if value > median + 1):016x}"


def kinds(photo):
    """Yields (name, file suffix, image, save options) for each kind of JPEG and PNG."""
    rgb = photo.convert("RGB")
    grey = photo.convert("L")
    alpha = rgb.copy()
    alpha.putalpha(grey)
    yield "jpeg", "jpg", rgb, {"quality": 90}
    yield "jpeg-444", "jpg", rgb, {"quality": 90, "subsampling": 0}
    yield "jpeg-422", "jpg", rgb, {"quality": 90, "subsampling": 1}
    yield "jpeg-progressive", "jpg", rgb, {"quality": 90, "progressive": True}
    yield "jpeg-grey", "jpg", grey, {"quality": 90}
    yield "jpeg-cmyk", "jpg", rgb.convert("CMYK"), {"quality": 95}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        yield f"jpeg-orientation-{orientation}", "jpg", rgb, {"quality": 90, "exif": exif}
    yield "png-rgb", "png", rgb, {}
    yield "png-rgba", "png", alpha, {}
    yield "png-grey", "png", grey, {}
    yield "png-grey-alpha", "png", alpha.convert("LA"), {}
    yield "png-palette", "png", rgb.quantize(64), {}
    yield "png-palette-transparent", "png", rgb.quantize(64), {"transparency": 3}
    yield "png-bilevel", "png", photo.convert("1"), {}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        yield f"png-orientation-{orientation}", "png", rgb, {"exif": exif}
        # Some writers repeat the header of a JPEG's EXIF, or put it into a PNG, which has none (Pillow writes one header less).
        header, tiff = b"Exif\0\0", exif.tobytes().removeprefix(b"Exif\0\0")
        yield f"png-exif-doubled-{orientation}", "png", rgb, {"exif": 2 * header + tiff}
        # XMP has the orientation if EXIF has none. ImageMagick keeps EXIF in a PNG's text.
        packets = [f'<rdf:Description tiff:Orientation="{orientation}"/>', f"<tiff:Orientation>{orientation}</tiff:Orientation>"]
        yield f"jpeg-xmp-{orientation}", "jpg", rgb, {"quality": 90, "xmp": packets[orientation % 2].encode()}
        for name, packed in ("plain", False), ("packed", True):
            texts = PngInfo()
            texts.add_itxt("XML:com.adobe.xmp", packets[orientation % 2], zip=packed)
            yield f"png-xmp-{name}-{orientation}", "png", rgb, {"pnginfo": texts}
            texts = PngInfo()
            text = f"\nexif\n{len(header + tiff):8}\n" + "\n".join(textwrap.wrap((header + tiff).hex(), 72)) + "\n"
            texts.add_text("Raw profile type exif", text, zip=packed)
            yield f"png-profile-{name}-{orientation}", "png", rgb, {"pnginfo": texts}
        yield f"jpeg-exif-doubled-{orientation}", "jpg", rgb, {"quality": 90, "exif": 2 * header + tiff}


def main():
    out.mkdir(parents=True, exist_ok=True)
    index = []
    for path in sorted((cache / "photos").iterdir()):
        pixels = out / f"photo-{path.stem}.rgb"
        pixels.write_bytes(clip_pixels(path).tobytes())
        index.append(f"photo {path.stem} {path} {pixels}")
    photo = Image.open(cache / "photos" / "china.jpg").resize((101, 67), Image.BICUBIC)
    for name, suffix, image, options in kinds(photo):
        encoded, pixels = out / f"{name}.{suffix}", out / f"{name}.rgb"
        image.save(encoded, **options)
        upright = ImageOps.exif_transpose(Image.open(encoded)).convert("RGB")
        pixels.write_bytes(upright.tobytes())
        index.append(f"kind {name} {encoded} {pixels} {upright.width} {upright.height}")
    # Pillow clips 16-bit values when converting to RGB, so the reference uses the high byte, computed here.
    high = photo.convert("L")
    deep = Image.new("I;16", high.size)
    deep.putdata([value * 256 + (value * 7) % 256 for value in high.getdata()])
    deep.save(out / "png-grey-16.png")
    (out / "png-grey-16.rgb").write_bytes(high.convert("RGB").tobytes())
    index.append(f"kind png-grey-16 {out / 'png-grey-16.png'} {out / 'png-grey-16.rgb'} {high.width} {high.height}")
    for path in sorted((cache / "photos").iterdir()):
        if path.suffix in (".jpg", ".jpeg", ".png"):
            index.append(f"hash {path.stem} {path} {perceptual_hash(path)}")
    (out / "index.txt").write_text("\n".join(index) + "\n")


if __name__ == "__main__":
    main()
