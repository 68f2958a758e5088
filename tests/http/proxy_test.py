"""Sends random framings directly and through nginx and HAProxy: proxy_test.py INFER [COUNT [SEED]]. No program may see more requests
than the program before it, because such a request would be smuggled past a proxy.

Exits with 77, which CTest counts as skipped, if neither proxy is installed. scripts/setup.sh --tests installs both.
"""

import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from robustness_test import Server, expect, free_port, skip, write_model

LAST = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SMUGGLED = b"GET /health HTTP/1.1\r\nHost: b\r\n\r\n"


def framing(random):
    """Returns a request with mostly valid parts, followed by another request that may look like a part of the first."""
    def often(right, *wrong):
        return right if random.random() < 0.9 else random.choice(wrong)
    crlf = often(b"\r\n", b"\n", b"\r\r\n", b"\r\n ")
    colon = often(b": ", b":", b" : ", b"\t: ", b":\t", b":\x0b", b":\r\n ", b"\x00: ")
    lines = [random.choice([b"POST", b"POST", b"PUT", b"DELETE", b"GET", b"HEAD"]) + b" " + often(b"/nowhere", b"http://a/nowhere", b"/a%00", b"/ x") +
             b" " + often(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"http/1.1"), b"Host: a"]
    body = random.choice([b"", b"hello", SMUGGLED])
    kind = random.choice(["length", "chunked", "both", "none"])
    if kind in ("length", "both"):
        value = b"%d" % len(body)
        lines.append(often(b"Content-Length", b"content-length", b"Content-Length\x00", b"Content_Length") + colon +
                     often(value, b"0", b"+" + value, b"0x5", value + b", " + value, b"%35", b"00" + value, value + b" ", b"-1", b"5 5"))
    if kind in ("chunked", "both"):
        lines.append(often(b"Transfer-Encoding", b"transfer-encoding", b"Transfer-Encoding\x0b", b"Transfer_Encoding") + colon +
                     often(b"chunked", b"CHUNKED", b"xchunked", b"chunked, identity", b"identity, chunked", b"gzip", b"chunked;q=1",
                           b"\"chunked\"", b" chunked", b"chunked\x00", b""))
        size = b"%x" % len(body)
        end = often(b"\r\n", b"\n", b"\r", b"")
        chunk = often(size, b"0x" + size, b"+" + size, size + b" ", b" " + size, b"0" * 20 + size, size + b"g", b"-" + size, b"f" * 17) + \
            often(b"", b";a=b", b";a=\"\r\n\"", b";", b" ;a", b";a\nb", b";" + b"a" * 9000) + end + body + often(b"\r\n", b"\n", b"", b"xx") if body else b""
        body = chunk + often(b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n", b"0\n\n", b"0\r\n", b"00\r\n\r\n", b"0;\r\n\r\n",
                             b"0\r\n" + SMUGGLED)
    extra = often(None, b"Host: b", b"Transfer-Encoding: chunked", b"Content-Length: 5", b"Connection: close, Content-Length", b" folded: x",
                  b"X\x00: y", b"X: \x00", b"X : y", b"no colon", b": empty", b"Expect: 100-continue", b"Expect: tea", b"Trailer: Content-Length",
                  b"X: a\rContent-Length: 5", b"Upgrade: h2c", b"Range: bytes=0-0,2-2")
    if extra is not None:
        lines.insert(random.randrange(1, len(lines) + 1), extra)
    return lines[0] + often(b"\r\n", b"\n", b"\r\r\n") + crlf.join(lines[1:]) + often(b"\r\n\r\n", b"\n\n", b"\r\n\n") + body + \
        random.choice([b"", SMUGGLED]) + LAST


class Log:
    """Collects a proxy's log, which says for each request whether the proxy forwarded it."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0)
        self.port = self.socket.getsockname()[1]
        self.forwarded = 0

    def read(self):
        while True:
            try:
                self.forwarded += b"forwarded=127" in self.socket.recv(65536)
            except BlockingIOError:
                return self.forwarded


def nginx(folder, port, upstream, log):
    (folder / "nginx.conf").write_text(f"""
daemon off; pid {folder}/nginx.pid; error_log /dev/null; worker_processes 1;
events {{ }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  log_format way 'forwarded=$upstream_addr'; access_log syslog:server=127.0.0.1:{log.port} way;
  underscores_in_headers on; ignore_invalid_headers off; large_client_header_buffers 4 32k;
  upstream infer {{ server 127.0.0.1:{upstream}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://infer; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; proxy_next_upstream off; }}
  }}
}}""")
    return ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "/dev/null"]


def haproxy(folder, port, upstream, log):
    (folder / "haproxy.cfg").write_text(f"""
global
  log 127.0.0.1:{log.port} local0
defaults
  mode http
  log global
  log-format "forwarded=%bi %si"
  timeout connect 5s
  timeout client 5s
  timeout server 30s
  retries 0
  http-reuse always
  option accept-invalid-http-request
frontend f
  bind 127.0.0.1:{port}
  log-format "forwarded=%si"
  default_backend b
backend b
  server s 127.0.0.1:{upstream}
""")
    return ["haproxy", "-f", folder / "haproxy.cfg", "-db"]


def exchange(port, bytes):
    """Returns the answer, and whether the other side closed the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=0.1) as connection:
        try:
            connection.sendall(bytes)
            while part := connection.recv(65536):
                answer += part
            return answer, True
        except TimeoutError:
            return answer, False
        except OSError:
            return answer, True


def counted(server, asked=[0]):
    """Returns the number of requests that the server counted, without those that ask for this number."""
    text = server.get("/metrics", server.probe)[1]
    asked[0] += 1
    return sum(int(float(value)) for value in re.findall(r"^http_requests_total\S* (\S+)$", text, re.MULTILINE)) - asked[0] + 1


def try_framings(server, port, count, seed, log):
    source = random.Random(seed)
    base, refused = counted(server), 0
    if log:
        log.read()
        log.forwarded = 0
    seen = 0
    for number in range(count):
        bytes = framing(source)
        answer, ended = exchange(port, bytes)
        answers = len(re.findall(rb"HTTP/1\.[01] (?!100)\d\d\d", answer))
        refused += answer.startswith(b"HTTP/1.1 400")
        what = f"framing {number} of seed {seed}: {bytes[:400]!r}: {answer[:2000]!r}"
        end = time.monotonic() + 2
        while True:
            ours = counted(server) - base
            limit = log.read() if log else seen + answers
            if ours == limit or (time.monotonic() > end):
                break
            time.sleep(0.002)
        # A proxy alone may have counted a request whose client has left.
        expect(ours <= limit, f"{ours} requests of {limit} at {what}")
        expect(ours == limit or not ended or log, f"{ours} requests of {limit} at {what}")
        if log:
            log.forwarded = ours
        seen = ours
    return seen, refused


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    proxies = [proxy for proxy in (nginx, haproxy) if shutil.which(proxy.__name__, path="/usr/sbin:/usr/bin")]
    if not proxies:
        skip("there is neither nginx nor HAProxy")
    with tempfile.TemporaryDirectory(prefix="infer-proxy-") as folder:
        folder = pathlib.Path(folder)
        (folder / "models").mkdir()
        write_model(folder / "models")
        with Server(folder / "models", "--allowed-hosts", "a,b,infer") as server:
            print("straight: %d requests, %d refused first" % try_framings(server, server.port, count, seed, None))
            for proxy in proxies:
                port, log = free_port(), Log()
                process = subprocess.Popen([str(word) for word in proxy(folder, port, server.port, log)], stderr=subprocess.DEVNULL,
                                           env={"PATH": "/usr/sbin:/usr/bin"})
                try:
                    server.wait(lambda: exchange(port, LAST)[0].startswith(b"HTTP/1.1 200"), f"{proxy.__name__} runs")
                    time.sleep(0.2)  # waits for the proxy's log of the requests so far
                    print(proxy.__name__ + ": %d requests, %d refused first" % try_framings(server, port, count, seed, log))
                finally:
                    process.terminate()
                    process.wait(10)
            server.serves("after all of that")


if __name__ == "__main__":
    main()
