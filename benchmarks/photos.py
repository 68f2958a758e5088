#!/usr/bin/env python3
"""Measures the server's memory while it decodes the largest allowed photographs: photos.py [--infer PROGRAM] [--flags ...].

Each row uses a new server with a scripted model and the given flags, so that only decoding needs memory: the peak (VmHWM) minus the
memory before the first request. Prints a table in Markdown. Makes the photographs itself: PNGs of zeros, which are small to send and
large to decode, and JPEGs of noise by Pillow.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("INFER_CACHE", pathlib.Path.home() / ".cache" / "libinfer"))
WIDTH, HEIGHT = 8000, 6250  # 50 Mpx, the default of --max-pixels


def png(depth, color_type, channels):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer, data = zlib.compressobj(9), bytearray()
    row = bytes(1 + WIDTH * channels * depth // 8)
    for _ in range(HEIGHT):
        data += packer.compress(row)
    data += packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color_type, 0, 0, 0)) + chunk(
        b"IDAT", bytes(data)) + chunk(b"IEND", b"")


def jpeg(work, **options):
    sys.path.insert(0, str(next(CACHE.glob(f"pillow-*-{sys.version_info.major}.{sys.version_info.minor}"))))
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    small = Image.frombytes("RGB", (80, 50), os.urandom(80 * 50 * 3))
    path = work / "photo.jpg"
    small.resize((WIDTH, HEIGHT), Image.BICUBIC).save(path, quality=85, **options)
    return path.read_bytes()


class Server:
    def __init__(self, infer, work, flags):
        folder = work / "models" / "photos"
        (folder / "1").mkdir(parents=True, exist_ok=True)
        (folder / "1" / "script.json").write_text("{}")
        (folder / "infer.json").write_text(json.dumps({
            "task": "image-embedding", "backend": "scripted", "file": "script.json",
            "inputs": [{"name": "x", "dtype": "FP32", "shape": [3, 224, 224]}],
            "outputs": [{"name": "y", "dtype": "FP32", "shape": [8]}]}))
        log = work / "log"
        self.process = subprocess.Popen([infer, "serve", "--models", work / "models", "--port", "0", "--probe-port", "0", *flags],
                                        stdout=log.open("w"))
        while '"event":"ready"' not in log.read_text():
            if self.process.poll() is not None:
                sys.exit(f"photos: the server ended: {log.read_text()}")
            time.sleep(0.05)
        self.port = int(re.search(r'"port":(\d+)', log.read_text())[1])
        self.before = self.peak()

    def peak(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6

    def embed(self, photo):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request("POST", "/embed", photo, {"Content-Type": "image/png" if photo[:1] == b"\x89" else "image/jpeg"})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--infer", default=str(ROOT / "build/release/bin/infer"))
    parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[], help="flags for infer serve")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="infer-photos-") as folder:
        work = pathlib.Path(folder)
        photos = {"PNG, 16-bit RGBA": png(16, 6, 4), "PNG, 8-bit RGB": png(8, 2, 3), "JPEG, sequential": jpeg(work),
                  "JPEG, progressive 4:2:0": jpeg(work, progressive=True),
                  "JPEG, progressive 4:4:4": jpeg(work, progressive=True, subsampling=0)}
        print("| 50 Mpx | sent | at once | answers | peak above idle | seconds |\n|---|---|---|---|---|---|")
        for name, photo in photos.items():
            for count in (1, 4):
                server = Server(args.infer, work, args.flags)
                start = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(count) as pool:
                    answers = [status for status, _ in pool.map(server.embed, [photo] * count)]
                seconds = time.monotonic() - start
                print(f"| {name} | {len(photo) / 1e3:.0f} kB | {count} | {', '.join(map(str, answers))} | "
                      f"{server.peak() - server.before:.0f} MB | {seconds:.1f} |", flush=True)
                server.stop()


if __name__ == "__main__":
    main()
