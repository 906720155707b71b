"""The health check that the image runs on itself: standard library only, a few milliseconds."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_S: Final = 5.0
_MOST_BYTES: Final = 65_536


def check(environ: Mapping[str, str], path: str = "/healthz") -> tuple[bool, str]:
    """Return whether the service in this container answers `path` with 200, and what it said."""
    port = environ.get("PORT") or "8080"
    # A plain HTTP/1.0 request: importing an HTTP client would take longer than the whole check.
    request = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=_TIMEOUT_S) as connection:
            connection.sendall(request.encode("ascii"))
            answer = _read(connection)
    except (OSError, ValueError) as error:
        return False, f"127.0.0.1:{port}{path}: {error}"
    head, _, body = answer.partition("\r\n\r\n")
    status = head.splitlines()[0] if head else "no answer"
    return " 200 " in f"{status} ", f"{status} {body.strip()}".strip()


def _read(connection: socket.socket) -> str:
    received = b""
    while len(received) < _MOST_BYTES and (piece := connection.recv(4096)):
        received += piece
    return received.decode("utf-8", "replace")
