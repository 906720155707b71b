"""Who has a port of this host, and the command that ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.tools import engine, ports

if TYPE_CHECKING:
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a port.

    Attributes:
        name: in words, secrets masked; of a container also the compose project that it is of.
        end: the command that ends it; empty where only a person knows how.
    """

    name: str
    end: str = ""

    def __str__(self) -> str:
        return f"{self.name}   (ended by: {self.end})" if self.end else self.name


def of_listener(ws: Workspace, taken: ports.Listener) -> Holder:
    """Return who has the port of a listening socket."""
    return _of_containers(ws, taken.port, taken.protocol) or _of_process(ws, taken)


def of_port(ws: Workspace, port: int) -> Holder:
    """Return who has a TCP port; it may have let go of it since it was refused to another."""
    by_container = _of_containers(ws, port, "tcp")
    if by_container is not None:
        return by_container
    taken = ports.conflicting(port, "", "tcp", ports.listeners())
    return _of_process(ws, taken) if taken else Holder("it has let go of it since")


def _of_containers(ws: Workspace, port: int, protocol: str) -> Holder | None:
    found = engine.publishing(ws.runner, port, protocol)
    if not found:
        return None
    names = [container.name for container in found]
    return Holder(f"container {', '.join(map(_told, found))}", " ".join(["docker stop", *names]))


def _told(container: Container) -> str:
    if not container.project:
        return container.name
    return f"{container.name} of project {container.project}"


def _of_process(ws: Workspace, taken: ports.Listener) -> Holder:
    process = ports.owner(taken.inode)
    if process is None:
        return Holder("a process of another user")
    return Holder(f"process {process.pid}: {ws.runner.redacted(process.command)}")
