"""An open-loop HTTP client: sends each request when it is due, whether or not earlier requests were answered."""

import asyncio
import time


async def _one(host, port, request, results):
    start = time.monotonic()
    status = 0
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request)
        await writer.drain()
        line = await reader.readline()
        status = int(line.split()[1])
        await reader.read()
        writer.close()
    except (OSError, IndexError, ValueError):
        pass
    results.append((status, time.monotonic() - start))


async def _open_loop(host, port, request, rate, seconds):
    results, tasks = [], []
    start = time.monotonic()
    for i in range(int(rate * seconds)):
        delay = start + i / rate - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        tasks.append(asyncio.create_task(_one(host, port, request, results)))
    await asyncio.gather(*tasks)
    return results


def post(path, body):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def open_loop(host, port, request, rate, seconds):
    """Returns [(status, seconds)] of rate x seconds requests. Status 0 means a failed connection."""
    return asyncio.run(_open_loop(host, port, request, rate, seconds))


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p / 100))] if values else float("nan")
