"""A proxy before a registry that lets each request wait, and tells of it.

    .venv/bin/python bench/slowproxy.py 127.0.0.1:5000 --milliseconds 50

It writes its address as its first line, then one line for each request: `GET /v2/…`. It is a
process of its own, so that it takes nothing from what is measured, and knows only what is asked
of a registry that is read: requests without a body, answers with a length.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from contextlib import suppress

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nhost:[^\r]*", re.IGNORECASE)


async def serve(upstream: str, delay_s: float) -> None:
    """Take connections until the process is ended."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await relay(reader, writer, upstream, delay_s)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"{host}:{port}", flush=True)
    await server.serve_forever()


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: str, delay_s: float
) -> None:
    """Hand the requests of one connection on, each after its wait."""
    host, _, port = upstream.partition(":")
    answers, questions = await asyncio.open_connection(host, int(port))
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.split(b" ", 2)
            print(method.decode(), path.decode(), flush=True)
            await asyncio.sleep(delay_s)
            questions.write(_HOST.sub(b"\r\nHost: " + upstream.encode(), head, count=1))
            told = await answers.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(told)
            size = int(length[1]) if length and method != b"HEAD" else 0
            writer.write(told + (await answers.readexactly(size) if size else b""))
            await writer.drain()
    finally:
        questions.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("upstream")
    parser.add_argument("--milliseconds", type=float, default=50)
    given = parser.parse_args()
    asyncio.run(serve(given.upstream, given.milliseconds / 1000))


if __name__ == "__main__":
    main()
