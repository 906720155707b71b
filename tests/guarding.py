"""The guard over unit and golden tests: they start no process and open no connection."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://docs.python.org/3/library/audit_events.html
_FORBIDDEN: Final = {
    "os.exec": "starts a program",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.spawn": "starts a process",
    "os.system": "starts a shell",
    "socket.bind": "opens a socket",
    "socket.connect": "opens a connection",
    "socket.getaddrinfo": "asks a name server",
    "socket.sendto": "sends to a socket",
    "subprocess.Popen": "starts a process",
}


class _Guard:
    """An audit hook cannot be taken away again, so it is switched."""

    on = False

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.on and event in _FORBIDDEN:
            # pytest's own failure is no Exception: no `except Exception` on the way can hide it.
            pytest.fail(f"a unit test {_FORBIDDEN[event]}: {event}{args!r}", pytrace=True)


_GUARD: Final = _Guard()
sys.addaudithook(_GUARD)


@pytest.fixture(autouse=True)
def guard() -> Iterator[None]:
    """Hold the rule while a unit test runs."""
    _GUARD.on = True
    yield
    _GUARD.on = False
