"""Looks at the registry on this machine's loopback: the recorded one, and who has its port."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.provision.facts import REGISTRY_PORT, Registry
from hullwright.provision.state import RegistryRecord, load_registry
from hullwright.tools import ports

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK: Final = "127.0.0.1"
# Beyond the tenth taken port in a row something else is wrong.
_TRIED: Final = 10
_ANSWER_S: Final = 2.0


def observe_registry(
    folder: Path,
    *,
    free: Callable[[int], bool] | None = None,
    serves: Callable[[int], bool] | None = None,
) -> Registry:
    """Return the state of the registry that `folder` has the record of.

    Args:
        folder: this machine's state.
        free: tells whether a port of loopback can be bound.
        serves: tells whether a registry answers at a port of loopback.
    """
    free, serves = free or is_free, serves or is_registry
    record = load_registry(folder)
    if record is not None and runs(record):
        return Registry("running", record.port, record=record)
    wanted = record.port if record else REGISTRY_PORT
    if free(wanted):
        return Registry("stopped" if record else "absent", wanted, record=record)
    if serves(wanted):
        return Registry("foreign", wanted, record=record)
    others = (port for port in range(REGISTRY_PORT, REGISTRY_PORT + _TRIED) if port != wanted)
    port = next((other for other in others if free(other)), 0)
    return Registry("stopped" if record else "absent", port, _holder(wanted), record)


def runs(record: RegistryRecord) -> bool:
    """Return whether the recorded process is there: by its number and by its own configuration.

    After a restart of the machine the number may be another program's.
    """
    try:
        number = Path(record.pid_file).read_text(encoding="utf-8").strip()
        words = Path("/proc", number, "cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    return record.config.encode() in words


def is_free(port: int) -> bool:
    """Return whether nobody listens at a port of loopback."""
    with socket.socket() as probe:
        # Connections of a server that has ended linger; they keep nobody from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_registry(port: int) -> bool:
    """Return whether what listens at a port of loopback is a registry.

    Every registry, one that asks for a login too, names this version (Distribution specification,
    "Determining support").
    """
    # Only where a port is taken: a run with nothing to do needs no network client.
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(LOOPBACK, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/v2/")
        answer = connection.getresponse()
        named = answer.getheader("Docker-Distribution-Api-Version") == "registry/2.0"
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return named and answer.status in {200, 401}


def _holder(port: int) -> str:
    """Return in words what listens at a port, as far as this user may see it."""
    found = ports.conflicting(port, LOOPBACK, "tcp", ports.listeners())
    process = ports.owner(found.inode) if found else None
    return f"process {process.pid} ({process.command})" if process else "another program"
