"""Runs every example: examples_test.py EXAMPLES_DIR INFER LIBINFER CACHE"""

import pathlib
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

examples, infer, library, cache = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
source = pathlib.Path(__file__).resolve().parent.parent.parent / "examples"
photos = cache / "photos"


def run(name, *arguments, code=0):
    command = [str(examples / f"example_{name}") if not name.endswith(".py") else "python3", *map(str, arguments)]
    if name.endswith(".py"):
        command.insert(1, str(source / name))
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    print(f"{name}: {done.stdout}{done.stderr}", end="")
    if done.returncode != code:
        sys.exit(f"{name} ended with {done.returncode}, expected {code}")
    return done.stdout + done.stderr


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


for path in source.glob("*.*"):
    expect(len(path.read_text().splitlines()) < 80, f"{path.name} is under 80 lines")
with tempfile.TemporaryDirectory() as work:
    model = pathlib.Path(work) / "clip"
    subprocess.run([infer, "model", "create", "clip-vit-b-32", "--seed", "1", "--out", model], check=True,
                   capture_output=True)
    first = run("embed", model, photos / "rocket.jpg")
    expect(first.startswith("512 numbers, the first is "), first)
    expect(run("embed_c", model, photos / "rocket.jpg") == first, "C gives what C++ gives")
    bad = run("embed_c", model, __file__, code=1)
    expect("InvalidArgument: image is neither JPEG nor PNG" in bad, bad)
    expect("NotFound" in run("embed_c", work + "/absent", photos / "rocket.jpg", code=1), "a missing model has its code")
    expect("output 0 of shape [512]" in run("engine_ctypes.py", library, model, "3,224,224"), "ctypes runs the engine")
    wrong = run("engine_ctypes.py", library, model, "3,224", code=1)
    expect("InvalidArgument: " in wrong, wrong)

    every = run("async_deadlines", model, 60_000, photos / "rocket.jpg", photos / "coffee.png", __file__)
    expect(every.count("the first of 512 numbers") == 2 and "neither JPEG nor PNG" in every, every)
    expect("deadline" in run("async_deadlines", model, 0, photos / "rocket.jpg"), "a deadline that has passed is said")
    expect("512 numbers" in run("custom_preprocessor", model, photos / "coffee.png"), "own preprocessing")
    expect("last average 24.0, in a batch of 4" in run("own_backend"), "own backend, batched")
    pairs = run("photo_duplicates", model, photos)
    expect("motorcycle_left.png and motorcycle_right.png" in pairs or
           "motorcycle_right.png and motorcycle_left.png" in pairs, pairs)

    server = subprocess.Popen([str(examples / "example_own_route"), str(model)], stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().split()[-1]

        def ask(path, body):
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "image/jpeg"})
            return urllib.request.urlopen(request, timeout=60).read()

        expect(0 <= int(ask("/argmax", (photos / "rocket.jpg").read_bytes())) < 512, "the route answers")
        try:
            ask("/argmax", b"no picture")
            sys.exit("FAILED: a bad picture must not be answered with 200")
        except urllib.error.HTTPError as error:
            expect(error.code == 400, f"code {error.code}")
        ask("/stop", b"")
        expect(server.wait(30) == 0, "it ends")
    finally:
        server.kill()

    address = work + "/socket"
    server = subprocess.Popen([str(examples / "example_unix_socket"), str(model), address], stdout=subprocess.PIPE, text=True)
    try:
        expect(server.stdout.readline() == f"listening on {address}\n", "the socket's server listens")

        def say(line):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address)
                client.sendall(line.encode() + b"\n")
                return client.makefile().readline()

        expect(say(f"60000 {photos / 'rocket.jpg'}").startswith("512 "), "a photograph's vector comes through the socket")
        expect(say(f"60000 {__file__}").startswith("InvalidArgument: images[0]: image is neither JPEG nor PNG"), "a bad one is named")
        expect(say(f"0 {photos / 'rocket.jpg'}").startswith("DeadlineExceeded: "), "the call's deadline holds")
    finally:
        server.kill()
