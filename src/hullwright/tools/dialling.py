"""Requests and connections to a container's own address: no proxy, no redirects, and an end.

The standard library's HTTP client asks no variable for a proxy and follows nothing by itself. Its
import takes 15 ms, which every task of stacks would pay, so only a request does.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError

if TYPE_CHECKING:
    from collections.abc import Iterator

# As much of an answer as is read.
BODY_BYTES: Final = 1 << 20
# What a path may hold as it is; everything else is written in percents.
_IN_PATHS: Final = "!#$%&'()*+,/:;=?@[]~"
# Docker's proxy of a published port takes every connection, and ends it as soon as nobody in the
# container does.
_PROXY_S: Final = 0.3


class UnansweredError(HullwrightError):
    """Nothing that can be used came from there; why is what a server said in its place."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        location: where it sends who asks, for a redirect.
        body: its first MiB.
        cut: whether there was more.
    """

    status: int
    location: str = ""
    body: bytes = b""
    cut: bool = False


def get(host: str, port: int, path: str, timeout_s: float) -> Answer:
    """Return what a server answers to GET, whatever its status is.

    The request's host is `localhost`, however it is reached: servers that know their names know
    that one.

    Raises:
        UnansweredError: nothing listens there, it does not speak HTTP, or is too slow.
    """
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import quote

    connection = HTTPConnection(host, port, timeout=timeout_s)
    try:
        with _told(timeout_s):
            connection.connect()
            with _ended_after(connection.sock, timeout_s):
                headers = {"Host": "localhost", "User-Agent": "hullwright", "Connection": "close"}
                connection.request("GET", quote(path, safe=_IN_PATHS), headers=headers)
                response = connection.getresponse()
                body = response.read(BODY_BYTES + 1)
    except HTTPException as error:
        said = f"{error}" or type(error).__name__
        raise UnansweredError("what came is no answer of HTTP", why=said) from None
    finally:
        connection.close()
    location = response.getheader("Location") or ""
    return Answer(response.status, location, body[:BODY_BYTES], cut=len(body) > BODY_BYTES)


def connect(host: str, port: int, timeout_s: float, *, proxied: bool = False) -> None:
    """Make sure that a connection can be made.

    Args:
        host: an address.
        port: its port.
        timeout_s: longest wait.
        proxied: whether Docker's proxy may be what takes it, so that only staying open counts.

    Raises:
        UnansweredError: it cannot.
    """
    with _told(timeout_s), socket.create_connection((host, port), timeout_s) as connection:
        if not proxied:
            return
        connection.settimeout(min(_PROXY_S, timeout_s))
        try:
            said = connection.recv(1)
        except TimeoutError:
            return
        if not said:
            raise UnansweredError("the connection was closed at once")


def is_attached(address: str, prefix_bits: int) -> bool:
    """Return whether this machine has an address in the same network, such as a bridge has.

    No packet is sent: a datagram's socket only chooses its route.
    """
    from ipaddress import ip_address, ip_interface

    there = ip_address(address)
    family = socket.AF_INET if there.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as chooser:
        try:
            chooser.connect((address, 9))
        except OSError:
            return False
        ours = chooser.getsockname()[0]
    return ip_address(ours) in ip_interface(f"{address}/{prefix_bits}").network


@contextmanager
def _told(timeout_s: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise UnansweredError(f"no answer within {timeout_s:.1f} s") from None
    except ConnectionRefusedError:
        raise UnansweredError("nothing listens there: the connection was refused") from None
    except OSError as error:
        raise UnansweredError(error.strerror or f"{error}") from None


@contextmanager
def _ended_after(connection: socket.socket, timeout_s: float) -> Iterator[None]:
    """End a connection whose other side goes on for too long, a few bytes at a time."""
    overdue = threading.Event()

    def end() -> None:
        overdue.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        # Whatever the end of the connection looks like to who reads, its cause is the time.
        if overdue.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if overdue.is_set():
        raise TimeoutError
