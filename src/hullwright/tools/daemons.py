"""Whether a BuildKit daemon answers at an endpoint: a greeting of HTTP/2, which gRPC begins with.

A connection alone would say yes for a daemon that hangs, and for TLS that one side will refuse:
with TLS 1.3 a client learns that its certificate is not taken only when it reads.
https://www.rfc-editor.org/rfc/rfc9113#section-3.4
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A node of the same site answers in some milliseconds; one behind a slow line still in these.
ANSWER_S: Final = 2.0
# The preface and empty SETTINGS: what a client says first, and what a server answers with SETTINGS.
_GREETING: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_FRAME_HEAD_BYTES: Final = 9
_SETTINGS: Final = 4
_SSH: Final = 22


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a node wants to see, and what it is known by: absolute paths.

    Attributes:
        ca: certificate of the authority that signed the node's.
        cert, key: our own.
    """

    ca: Path
    cert: Path
    key: Path

    def missing(self) -> tuple[str, ...]:
        """Return those files that are not there."""
        return tuple(str(path) for path in (self.ca, self.cert, self.key) if not path.is_file())


def unanswered(endpoint: str, certificates: Certificates | None = None) -> str:
    """Return why no BuildKit daemon can be talked to at an endpoint; empty where one can.

    Args:
        endpoint: `tcp://HOST:PORT` or `unix:///PATH`; of any other kind nothing is known, which
            counts as an answer.
        certificates: for TLS; None for none.
    """
    if certificates is not None and (missing := certificates.missing()):
        return f"its files for TLS are not there: {', '.join(missing)}"
    return _tried(endpoint, certificates, greets=True)


def unconnected(endpoint: str) -> str:
    """Return why nothing takes connections at the endpoint of an engine; empty where it does.

    A name of a context of Docker's or Kubernetes' counts as an answer: only their own programs
    know what it stands for.
    """
    return _tried(endpoint, None, greets=False)


def address_of(endpoint: str) -> tuple[str, int] | str | None:
    """Return host and port, or the path of a socket; None for what is neither.

    Raises:
        UsageError: it looks like one of them, and is none.
    """
    parts = urlsplit(endpoint)
    if parts.scheme == "unix":
        return f"{parts.netloc}{parts.path}"
    if parts.scheme not in {"tcp", "ssh"}:
        return None
    try:
        port = parts.port or (_SSH if parts.scheme == "ssh" else None)
    except ValueError:
        port = None
    if not parts.hostname or port is None:
        raise UsageError(
            f'"{endpoint}" is no endpoint of a node',
            why="expected a host and a port, such as tcp://build-1:1234",
        )
    return parts.hostname, port


def _tried(endpoint: str, certificates: Certificates | None, *, greets: bool) -> str:
    try:
        address = address_of(endpoint)
        if address is not None:
            _answered(address, certificates, greets=greets)
    except TimeoutError:
        return f"no answer within {ANSWER_S:.0f} s"
    except ConnectionRefusedError:
        return "nothing listens there: the connection was refused"
    except FileNotFoundError:
        return "there is no such socket"
    except UsageError as error:
        return f"{error.what}: {error.why}"
    except OSError as error:
        return _said(error)
    return ""


def _said(error: OSError) -> str:
    """Return the words of a failed connection; OpenSSL's without their place in its source."""
    told = getattr(error, "verify_message", "") or getattr(error, "reason", "")
    if "EOF occurred" in f"{error}":
        return "TLS: it ended the connection, as one does that does not take our certificate"
    if told:
        return f"TLS: {f'{told}'.replace('_', ' ').lower()}"
    return error.strerror or f"{error}" or type(error).__name__


def _answered(
    address: tuple[str, int] | str, certificates: Certificates | None, *, greets: bool
) -> None:
    """Make sure that something answers there in time.

    Raises:
        OSError: it does not.
    """
    until_s = time.monotonic() + ANSWER_S
    with _connected(address) as plain:
        connection = _secured(plain, address, certificates) if certificates else plain
        with connection:
            if greets:
                # Who does not take our certificate may have gone; what it said can still be read.
                with suppress(OSError):
                    connection.sendall(_GREETING)
                hint = "" if certificates else ", as one does that wants TLS"
                _refuse_other(b"".join(_received(connection, until_s, hint)))


def _connected(address: tuple[str, int] | str) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, ANSWER_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(ANSWER_S)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _secured(
    plain: socket.socket, address: tuple[str, int] | str, certificates: Certificates
) -> socket.socket:
    # Imported where a node has certificates: it takes some milliseconds.
    import ssl

    context = ssl.create_default_context(cafile=certificates.ca)
    context.load_cert_chain(certificates.cert, certificates.key)
    # A server of gRPC ends a connection that does not say so.
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(plain, server_hostname=address[0])


def _received(connection: socket.socket, until_s: float, hint: str) -> Iterator[bytes]:
    """Yield the head of the first frame, as it comes; a hint says what an early end may mean."""
    missing = _FRAME_HEAD_BYTES
    while missing:
        connection.settimeout(max(0.01, until_s - time.monotonic()))
        piece = connection.recv(missing)
        if not piece:
            raise ConnectionError(0, f"it ended the connection without an answer{hint}")
        missing -= len(piece)
        yield piece


def _refuse_other(head: bytes) -> None:
    if head[3] != _SETTINGS:
        raise ConnectionError(0, "what answers there is no BuildKit daemon")
