"""Tests that a fault does not take the server down, one case in each run: robustness_test.py INFER CASE. Uses the real program and fault.

Exits with 77, which CTest counts as skipped, if the fault cannot be produced on this machine.
"""

import base64
import fcntl
import gzip
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

infer = pathlib.Path(sys.argv[1]).resolve()


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, models, *flags, limit=None, environment=None, stdout=None):
        self.port, self.probe = free_port(), free_port()
        self.log = models.parent / "log"
        self.process = subprocess.Popen([infer, "serve", "--models", models, "--port", str(self.port), "--probe-port", str(self.probe),
                                         *map(str, flags)], stdout=stdout or self.log.open("w"), env=environment, preexec_fn=limit)
        self.wait(lambda: self.get("/readyz", self.probe)[0] == 200, "ready")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        alive = self.process.poll() is None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        if kind is None:
            expect(alive, "the server still runs at the end")
            expect(code == 0, f"the server ends with {code}")

    def wait(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except OSError:
                pass
            expect(self.process.poll() is None, f"the server ended before: {what}")
            time.sleep(0.02)
        sys.exit(f"FAILED: not within {seconds} s: {what}")

    def ask(self, method, path, body=None, port=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        connection.request(method, path, body if body is None or isinstance(body, (bytes, str)) else json.dumps(body))
        response = connection.getresponse()
        answer = response.status, response.read().decode(errors="replace")
        connection.close()
        return answer

    def get(self, path, port=None):
        return self.ask("GET", path, port=port, timeout=10)

    def infer(self, value=1.0):
        return self.ask("POST", "/v2/models/echo/infer", request(value))

    def metric(self, name):
        return float(re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics", self.probe)[1], re.MULTILINE).group(1))

    def lines(self, event):
        return [line for line in self.log.read_text().splitlines() if f'"event":"{event}"' in line]

    def serves(self, what):
        status, answer = self.infer()
        expect(status == 200, f"{what}: {status} {answer}")
        for path in ("/livez", "/readyz"):
            expect(self.get(path, self.probe)[0] == 200, f"{what}: {path}")


def request(value):
    return {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [value, 0]}]}


def write_model(models, name="echo", shape=(2,), manifest=None, **script):
    (models / name / "1").mkdir(parents=True)
    (models / name / "1" / "script.json").write_text(json.dumps(script))
    tensor = {"name": "x", "dtype": "FP32", "shape": list(shape)}
    (models / name / "infer.json").write_text(json.dumps({"task": "raw", "backend": "scripted", "file": "script.json",
                                                          "inputs": [tensor], "outputs": [tensor], **(manifest or {})}))


def a_model_that_fails(models):
    write_model(models, poison=13)
    with Server(models) as server:
        for _ in range(3):
            status, answer = server.infer(13)
            expect(status == 500 and "poisoned" in answer, f"{status} {answer}")
        server.serves("after a failing forward")
        expect(len(server.lines("batch_failed")) == 3, "each failure is logged")


def a_request_without_memory(models):
    write_model(models)
    write_model(models, "long", (-1,))
    with Server(models, "--max-body-bytes", 64 << 20, "--max-buffered-bytes", 1 << 30) as server:
        server.serves("before")
        used = int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGESIZE")
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (used + (160 << 20), resource.RLIM_INFINITY))
        count = 20 << 20
        body = b'{"inputs":[{"name":"x","shape":[1,%d],"datatype":"FP32","data":[%s0]}]}' % (count, b"0," * (count - 1))
        status, answer = server.ask("POST", "/v2/models/long/infer", body)
        expect(status == 507, f"{status} {answer[:200]}")
        server.serves("after running out of memory")


def a_model_file_that_is_deleted_or_cut(models):
    series = models.parent / "series.csv"
    series.write_text("y\n" + "".join(f"{i % 7}\n" for i in range(200)))
    made = subprocess.run([infer, "train", "forecast", "--data", series, "--target", "y", "--model", "gru", "--out",
                           models / "y"], capture_output=True, text=True)
    if "no LibTorch" in made.stderr or "without LibTorch" in made.stderr:
        skip("this build has no LibTorch")
    expect(made.returncode == 0, made.stderr)
    write_model(models)
    with Server(models, "--watch-interval-ms", 20) as server:
        def forecast():
            status, answer = server.ask("POST", "/predict", {"inference_length": 3})
            expect(status == 200, answer)
            return json.loads(answer)["predictions"]
        before = forecast()
        version = next(path for path in (models / "y").iterdir() if path.is_dir())
        file = version / "model.pt"
        whole = file.read_bytes()
        os.truncate(file, len(whole) // 2)
        expect(forecast() == before, "a file cut short changes nothing")
        # The server refuses another version with such a file, and reports it.
        shutil.copytree(version, models / "y" / "9")
        (models / "y" / "PROMOTED").write_text("9\n")
        server.wait(lambda: server.lines("swap_refused"), "the swap is refused")
        file.unlink()
        shutil.rmtree(models / "y" / "9")
        expect(forecast() == before, "a deleted file changes nothing")
        server.serves("after losing a model's file")


def a_models_folder_that_vanishes(models):
    write_model(models)
    with Server(models, "--watch-interval-ms", 20) as server:
        away = models.with_name("away")
        models.rename(away)
        server.wait(lambda: server.lines("swap_refused"), "the loss is logged")
        time.sleep(0.3)  # time for a dozen more checks
        expect(len(server.lines("swap_refused")) == 1, "and logged once")
        server.serves("without its folder")
        away.rename(models)
        (models / "echo" / "2").mkdir()
        (models / "echo" / "2" / "script.json").write_text("{}")
        server.wait(lambda: '"versions":["2"]' in server.get("/v2/models/echo")[1], "the folder is followed again")
        server.serves("with its folder back")


def a_full_disk_for_logs(models):
    write_model(models)
    with open("/dev/full", "w") as full, Server(models, stdout=full) as server:
        for _ in range(50):
            expect(server.infer()[0] == 200, "requests are answered")
        server.wait(lambda: server.metric("infer_log_lost_lines") >= 50, "the lost lines are counted")
        server.serves("with a full disk")


def a_log_that_nobody_reads(models):
    write_model(models)
    reader, writer = os.pipe()
    with Server(models, "--log-requests-per-second", 0, stdout=writer) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        for i in range(400):  # more lines than a pipe buffers
            connection.request("POST", "/v2/models/echo/infer", json.dumps(request(i)))
            response = connection.getresponse()
            expect(response.status == 200, "requests are answered")
            response.read()
            if response.getheader("Connection") == "close":
                connection.close()
        server.serves("with a pipe that is full")
    os.close(reader)


def thirty_seconds_of_standstill(models):
    write_model(models, base_ms=200, burn=False)
    with Server(models, "--request-timeout-ms", 10_000) as server:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(server.infer()[0])) for _ in range(20)]
        for thread in threads:
            thread.start()
        server.wait(lambda: server.metric('infer_busy_workers{model="echo"}') > 0, "requests are under way")
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(30)  # the standstill
        server.process.send_signal(signal.SIGCONT)
        for thread in threads:
            thread.join()
        # 429: by the rate measured over the standstill, the request would begin too late.
        expect(len(answers) == 20 and set(answers) <= {200, 429, 504}, f"each request has one answer: {answers}")
        server.serves("after a standstill")


def a_clock_that_is_set(models):
    library = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if library is None:
        skip("there is no faketime; scripts/setup.sh --tests installs it")
    write_model(models, base_ms=5)
    clock = models.parent / "clock"
    clock.write_text("+0")
    environment = dict(os.environ, LD_PRELOAD=str(library), FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1",
                       FAKETIME_DONT_FAKE_MONOTONIC="1")
    with Server(models, environment=environment) as server:
        years = set()
        for step in ("+0", "+400d", "-400d", "+0"):
            clock.write_text(step)
            for _ in range(5):
                start = time.monotonic()
                expect(server.infer()[0] == 200, f"a request after a step of {step}")
                expect(time.monotonic() - start < 5, f"no wait after a step of {step}")
            server.serves(f"after a step of {step}")
        server.wait(lambda: len(server.lines("request")) >= 20, "the log")
        years = {re.search(r'"timestamp":"(\d+)', line).group(1) for line in server.lines("request")}
        expect(len(years) >= 3, f"the steps were real: {years}")


def no_descriptors_left(models):
    write_model(models)
    limit = 120

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with Server(models, limit=few) as server:
        def cpu():
            fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        # Twice as many idle connections as descriptors.
        crowd = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2 * limit)]
        for _ in range(20):
            expect(server.get("/livez", server.probe)[0] == 200, "probes are answered meanwhile")
            expect(server.get("/metrics", server.probe)[0] == 200, "metrics too")
        server.serves("idle connections make room for one that asks")
        before = cpu()
        time.sleep(1)  # the interval of the CPU time measurement
        expect(cpu() - before < 0.3, f"waiting costs no processor time: {cpu() - before:.2f} s in a second")
        for connection in crowd:
            connection.close()
        server.serves("after the crowd has gone")
        server.wait(lambda: server.metric("process_open_fds") < limit / 2, "descriptors are given back")


def few_descriptors_at_the_start(models):
    write_model(models)
    readable = 0
    for limit in range(13, 41):
        def few(limit=limit):
            os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:2])  # each core needs descriptors
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        started = subprocess.Popen([infer, "serve", "--models", models, "--port", "0", "--probe-port", "0"], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, preexec_fn=few)
        said = ""
        for line in started.stdout:
            said += line
            if '"event":"ready"' in line:
                readable += 1
                started.kill()
                break
        started.wait()
        started.stdout.close()
        if '"event":"ready"' not in said:
            expect("Too many open files" in said, f"{limit} descriptors: the server reports the reason: {said}")
        for wrong in ("no such", "contains no folder", "has no version"):
            expect(wrong not in said, f"{limit} descriptors: the server does not report existing files as missing: {said}")
    expect(0 < readable < 28, f"some of these limits are too few and some suffice: {readable}")


def uploads_over_tls(models):
    write_model(models)
    pem = models.parent / "tls.pem"
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                           "-keyout", pem, "-out", models.parent / "crt"], capture_output=True)
    if made.returncode != 0:
        skip("there is no openssl")
    pem.write_text(pem.read_text() + (models.parent / "crt").read_text())
    context = ssl.create_default_context(cafile=models.parent / "crt")
    context.check_hostname = False

    def upload(size, cut):
        """Sends a body of `size` bytes whose TLS records end within `cut` bytes of what the kernel delivers at a time."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def until(step):
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        connection.sendall(outgoing.read())
                        incoming.write(connection.recv(1 << 16))
            until(tls.do_handshake)
            tls.write(b"POST /v2/models/echo/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
            body = json.dumps(request(1)).encode()
            body += b" " * (size - len(body))
            while body:
                body = body[tls.write(body):]
            packed = outgoing.read()
            while packed:  # each piece ends within a record, and the last record is short
                piece, packed = packed[:16_384 * 3 + cut], packed[16_384 * 3 + cut:]
                connection.sendall(piece)
            return until(lambda: tls.read(12))
    late = 0
    with Server(models, "--tls", pem) as server:
        near = 256 << 10
        sizes = [*range(250 << 10, 260 << 10, 37), *range(near - 40, near + 41), (512 << 10) + 1, 3_000_000]
        for number, size in enumerate(sizes):
            start = time.monotonic()
            try:
                answer = upload(size, number * 997 % 16_384)
            except OSError as error:
                sys.exit(f"FAILED: a body of {size} bytes over TLS: {error}")
            expect(answer == b"HTTP/1.1 200", f"a body of {size} bytes over TLS: {answer}")
            late += time.monotonic() - start > 0.4
    expect(late < len(sizes) / 4, f"bodies over TLS do not wait for bytes beyond their end: {late} of {len(sizes)} did")


def uploads_over_tls_in_small_segments(models):
    """Repeats the test with segments of 248 bytes, so that records and segments end at different places."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
            skip("no network namespace can be made here")
    except FileNotFoundError:
        skip("there is no unshare")
    ended = subprocess.run([*alone, sys.executable, __file__, str(infer), "uploads_over_a_short_loopback"])
    sys.exit(ended.returncode)


def uploads_over_a_short_loopback(models):
    # struct ifreq of netdevice(7). In a new network namespace, loopback is down at first.
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8922, struct.pack("16si20x", b"lo", 300))     # SIOCSIFMTU
        fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 0x1))     # SIOCSIFFLAGS, IFF_UP
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            s.connect(listener.getsockname())
            largest = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    expect(largest <= 260, f"a segment holds little: {largest} bytes")
    uploads_over_tls(models)


def uploads_that_pause(models):
    """A body of any size is answered as soon as its last bytes arrive, wherever its sender paused."""
    write_model(models)

    def unread(connection):
        """Returns how many bytes the kernel has buffered for the server's end of the connection; see proc_pid_net_tcp(5)."""
        ends = f"0100007F:{server.port:04X} 0100007F:{connection.getsockname()[1]:04X} "
        line = next(line for line in open("/proc/net/tcp") if ends in line)
        return int(line.split()[4].split(":")[1], 16)

    count = late = 0
    with Server(models) as server:
        for size in ((256 << 10) - 1, 256 << 10, (256 << 10) + 1, 300_000, (512 << 10) + 5, 1_000_000, 6_000_000):
            for last in (1, 100, 3_456, (16 << 10) - 1, 16 << 10, (64 << 10) + 1, 200_000, (256 << 10) - 2):
                if last >= size:
                    continue
                body = json.dumps(request(1)).encode()
                body += b" " * (size - len(body))
                with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                    connection.sendall(b"POST /v2/models/echo/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                       b"Content-Length: %d\r\n\r\n" % size + body[:-last])
                    read_by = time.monotonic() + 1  # below its mark, the server need not read before the rest arrives
                    while unread(connection) > 0 and time.monotonic() < read_by:
                        time.sleep(0.001)
                    start = time.monotonic()
                    connection.sendall(body[-last:])
                    try:
                        answer = connection.recv(12)
                    except OSError as error:
                        sys.exit(f"FAILED: a body of {size} bytes that pauses before its last {last}: {error}")
                    expect(answer == b"HTTP/1.1 200", f"a body of {size} bytes that pauses before its last {last}: {answer}")
                    count, late = count + 1, late + (time.monotonic() - start > 0.4)
    # The server checks every half second, so a few late answers are due to a busy machine.
    expect(late < count / 4, f"the server notices the last bytes of a body at once: {late} of {count} were not")


def a_crowd_at_the_probe_port(models):
    write_model(models)
    with Server(models) as server:
        head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
        upload = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        for slow in (head, upload, b"G", b""):
            crowd = []
            for _ in range(80):
                connection = socket.create_connection(("127.0.0.1", server.probe))
                connection.sendall(slow)
                crowd.append(connection)
            for _ in range(3):
                start = time.monotonic()
                expect(server.get("/livez", server.probe)[0] == 200, "a probe beside a crowd is answered")
                expect(time.monotonic() - start < 3, f"and in time: {time.monotonic() - start:.1f} s beside {slow}")
            for connection in crowd:
                connection.close()
        server.serves("after the crowd")


def slow_peers_hold_no_place(models):
    write_model(models, shape=(-1,))
    count = 2 << 20
    large = b'{"inputs":[{"name":"x","shape":[1,%d],"datatype":"FP32","parameters":{"binary_data_size":%d}}]}' % (count, 4 * count)
    head = b"POST /v2/models/echo/infer HTTP/1.1\r\nHost: localhost\r\n"
    peers = {"sends a body slowly": head + b"Content-Length: 9000000\r\n\r\n",
             "sends chunks slowly": head + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n",
             "sends a body that nobody wants": b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n",
             "takes no answer": head + b"Inference-Header-Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (
                 len(large), len(large) + 4 * count) + large + bytes(4 * count)}

    def dribble(crowd, stop):
        while not stop.wait(0.2):
            for connection in crowd:
                try:
                    connection.send(b" ")
                except OSError:
                    pass  # the connection made room

    def beside(what, sent, places):
        with Server(models, "--max-connections", places) as server:
            def answered(port, patience):
                start = time.monotonic()
                status = server.infer()[0] if port == server.port else server.get("/livez", port)[0]
                took = time.monotonic() - start
                expect(status == 200 and took < patience, f"{status} after {took:.1f} s beside a crowd that {what}")
            crowd = []
            for _ in range(places):
                connection = socket.create_connection(("127.0.0.1", server.port))
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
                connection.sendall(sent)
                crowd.append(connection)
            # These connections make progress and must stay open.
            moving = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
            body = json.dumps(request(1)).encode()
            body += b" " * (80_000 - len(body))
            for connection in moving:
                connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body))
            stop = threading.Event()
            threads = [threading.Thread(target=dribble, args=(crowd, stop))] if what.startswith("sends") else []

            def move(connection):
                for at in range(0, len(body), 5_000):
                    connection.sendall(body[at:at + 5_000])
                    time.sleep(0.25)  # slow, but not slow enough to be closed
            threads += [threading.Thread(target=move, args=(connection,)) for connection in moving]
            for thread in threads:
                thread.start()
            for _ in range(3):
                answered(server.port, 20)  # within the 30 s body timeout of the crowd
                answered(server.probe, 20)
            for thread in threads[-len(moving):]:
                thread.join()
            for connection in moving:
                answer = connection.recv(12)
                expect(answer == b"HTTP/1.1 200", f"a body that moves on beside a crowd that {what}: {answer}")
            stop.set()
            if what == "sends a body slowly":
                told = []
                for connection in crowd:
                    connection.setblocking(False)
                    try:
                        told.append(connection.recv(4096))
                    except OSError:
                        pass
                expect(any(b"HTTP/1.1 408" in one and b"max_connections" in one for one in told), f"the server reports the reason: {told}")
            for thread in threads:
                thread.join()
            for connection in [*crowd, *moving]:
                connection.close()
            server.serves(f"after a crowd that {what}")

    for what, sent in peers.items():
        beside(what, sent, 16 if what.startswith("takes") else 64)


def memory_of_bodies_goes_back_when_idle(models):
    write_model(models, shape=(-1,))
    pixels = {"name": "pixels", "dtype": "FP32", "shape": [3, 32, 32]}
    write_model(models, "photos", manifest={"task": "image-embedding", "inputs": [pixels], "preprocess": {"size": 32},
                                            "outputs": [{"name": "embedding", "dtype": "FP32", "shape": [8]}]})
    size = 4 << 20
    png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da63f8ffff3f0005fe02"
                        "fe331295140000000049454e44ae426082")
    image = base64.b64encode(png + bytes(size)).decode()
    count = size // 2
    numbers = '{"inputs":[{"name":"x","shape":[1,%d],"datatype":"FP32","data":[%s0]}]}' % (count, "1," * (count - 1))
    nested = '{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[%s[0]]}]}' % ("[[1],[2]]," * (size // 10))
    strings = '{"inputs": ["%s"]}' % '","'.join(["abcdef"] * (size // 9))
    part = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + png + bytes(size // 32) + b"\r\n"
    tensor = b'{"inputs":[{"name":"x","shape":[1,%d],"datatype":"FP32","parameters":{"binary_data_size":%d}}]}' % (size // 4, size)
    kinds = [("/v2/models/echo/infer", numbers.encode(), {}, 200), ("/v2/models/echo/infer", nested.encode(), {}, 400),
             ("/v2/models/echo/infer", tensor + bytes(size), {"Inference-Header-Content-Length": str(len(tensor))}, 200),
             ("/embed/base64", json.dumps({"images": [image]}).encode(), {}, 200), ("/embed", png + bytes(size), {"Content-Type": "image/png"}, 200),
             ("/embed", part * 32 + b"--b--", {"Content-Type": "multipart/form-data; boundary=b"}, 200),
             ("/embed/base64", gzip.compress(numbers.encode(), 1), {"Content-Encoding": "gzip"}, 400),
             ("/v1/embeddings", json.dumps({"input": "data:image/png;base64," + image}).encode(), {}, 200),
             *((path, strings.encode(), {}, 0) for path in ("/embed", "/similarity", "/predict", "/infer", "/v1/embeddings"))]

    with Server(models, "--watch-interval-ms", 0, "--log-requests-per-second", 0) as server:
        def rss():
            return int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

        def send(kind, chunked):
            path, body, headers, wanted = kind
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
            parts = (body[i:i + 50_000] for i in range(0, len(body), 50_000)) if chunked else body
            connection.request("POST", path, parts, {"Content-Type": "application/json", **headers}, encode_chunked=chunked)
            status = connection.getresponse().status
            connection.close()
            if status != wanted and wanted != 0:
                wrong.append(f"{path} {body[:40]}: {status}")
        server.serves("before")
        before, wrong = rss(), []
        for round_number in range(2):
            jobs = [(kind, chunked) for kind in kinds for chunked in (False, True)]
            threads = [threading.Thread(target=lambda mine=jobs[i::4]: [send(*job) for job in mine]) for i in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            expect(not wrong, f"the bodies get the right answers: {wrong[:3]}")
            peak = rss()
            server.wait(lambda: rss() < before + 10, f"memory returns to its level: {before:.0f} MB before, {peak:.0f} MB after a burst", 60)
            print(f"{before:.0f} MB before, {peak:.0f} MB right after the burst, {rss():.0f} MB when idle")
        server.serves("after")


def write_image_model(models):
    (models / "photos" / "1").mkdir(parents=True)
    (models / "photos" / "1" / "script.json").write_text("{}")
    (models / "photos" / "infer.json").write_text(json.dumps({
        "task": "image-embedding", "backend": "scripted", "file": "script.json",
        "inputs": [{"name": "x", "dtype": "FP32", "shape": [3, 32, 32]}], "outputs": [{"name": "y", "dtype": "FP32", "shape": [8]}]}))


def deep_png(width, height):
    """Returns a PNG of zeros with 16-bit RGBA, which is as small to send and as large to decode as possible."""
    packer, row = zlib.compressobj(1), bytes(1 + width * 8)
    data = b"".join([packer.compress(row) for _ in range(height)] + [packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks)


def peak_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10


def embed(server, photo, milliseconds=200_000):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=200)
    connection.request("POST", "/embed", photo, {"Content-Type": "image/png", "X-Timeout-Ms": str(milliseconds)})
    response = connection.getresponse()
    return response.status, response.read().decode(errors="replace")


def photographs_for_which_there_is_no_memory(models):
    write_image_model(models)
    large, small = deep_png(8000, 6250), deep_png(640, 480)  # 150 MB of RGB; 0.9 MB
    limit = 170_000_000
    with Server(models, "--max-decode-bytes", limit, "--max-wait-ms", 0, "--request-timeout-ms", 200_000) as server:
        expect(embed(server, small)[0] == 200, "a small photograph")
        before, answers = peak_bytes(server), []

        def send(photo):
            answers.append(embed(server, photo)[0])

        crowd = [threading.Thread(target=send, args=(large,)) for _ in range(8)]
        for client in crowd:
            client.start()
        server.wait(lambda: server.metric("infer_decode_waiting") >= 2, "some wait while one is decoded")
        status, answer = embed(server, small)
        expect(status == 200, f"a small image after them has its turn: {status} {answer}")
        for client in crowd:
            client.join()
        expect(answers == [200] * 8, f"each image has its turn: {answers}")
        used = peak_bytes(server) - before
        expect(used < limit + (30 << 20), f"eight of 50 Mpx took {used} bytes, {limit} were allowed")
        # A later request with a short deadline gets 429, and the others get their answers.
        answers.clear()
        crowd = [threading.Thread(target=send, args=(large,)) for _ in range(8)]
        for client in crowd:
            client.start()
        server.wait(lambda: server.metric("infer_decode_waiting") >= 3, "some wait while one is decoded")
        status, answer = embed(server, large, 250)
        expect(status == 429 and f"max_decode_bytes {limit}" in answer, f"with a deadline too near: {status} {answer}")
        for client in crowd:
            client.join()
        expect(answers == [200] * 8, f"the other images have their turn: {answers}")
        expect(embed(server, small)[0] == 200, "afterwards")
        expect(server.metric("infer_decode_bytes") == 0, "all is given back")
    with Server(models, "--max-decode-bytes", 100_000_000) as server:
        status, answer = embed(server, large)
        expect(status == 413 and "8000 x 6250: " in answer and "exceed max_decode_bytes 100000000" in answer, f"{status} {answer}")
        expect(embed(server, small)[0] == 200, "a small one beside it")


def a_photograph_that_takes_longer_than_its_deadline(models):
    write_image_model(models)
    large = deep_png(8000, 6250)
    with Server(models) as server:
        start = time.monotonic()
        expect(embed(server, large)[0] == 200, "it can be decoded")
        whole = time.monotonic() - start
        shares = []
        for _ in range(5):  # at least one of several tries has a quiet moment
            start = time.monotonic()
            status = embed(server, large, 20)[0]
            expect(status == 504, f"not in time: {status}")
            shares.append((time.monotonic() - start) / whole)
        expect(min(shares) < 0.5, f"decoding ends at the deadline, not at the last row: {shares} of {whole:.2f} s")
        expect(server.metric("infer_decode_bytes") == 0, "and gives its memory back")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="infer-robustness-") as folder:
        (pathlib.Path(folder) / "models").mkdir()
        globals()[sys.argv[2]](pathlib.Path(folder) / "models")
