"""What no event tells while a stack starts: inspections and sockets.

Each is looked at as seldom as its answer may wait, for the engine needs the processor itself.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.beside import repeated
from hullwright.stack.meter import Meter
from hullwright.tools import engine, ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.stack.wait import Wait
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

# How far apart looks at the sockets of services are that are not known to listen; reading the
# tables of one takes some 40 µs.
_SOCKETS_S: Final = 0.025
_SOCKETS_EACH_S: Final = 0.0025
_SOCKETS_MOST_S: Final = 0.05
# Between two inspections; each is a process, so it also leaves the engine this many times its own
# duration, a quarter of a second at most.
_INSPECT_S: Final = 0.05
_INSPECT_REST: Final = 2
_INSPECT_MOST_S: Final = 0.25


@dataclass
class Looks:
    """Looks at what is due, and feeds the wait with what it sees."""

    ws: Workspace
    wait: Wait
    project: str
    meter: Meter = field(default_factory=Meter)
    _next_inspection: float = 0.0

    @contextmanager
    def at_sockets(self) -> Iterator[None]:
        """Look at sockets while the block runs.

        It has a thread of its own: what an inspection takes, which is more than a tenth of a
        second on a busy machine, would be told as a service's own time.
        """
        with repeated(_SOCKETS_S, self._listen):
            yield

    def at_all(self) -> tuple[Container, ...]:
        """Return every container of the project, after the wait has been told of it."""
        found = engine.of_project(self.ws.runner, self.project)
        for container in found:
            self.wait.observe(container, time.time())
        return found

    def at_what_is_due(self) -> None:
        """Look at what is due now."""
        self._inspect(time.time())

    def patience_s(self) -> float:
        """Return how long nothing is due, in seconds."""
        now = time.time()
        due = [now + min(self.wait.next_s(now), 1.0)]
        if self.wait.to_inspect(now):
            due.append(self._next_inspection)
        if self.wait.to_listen():
            due.append(now + _SOCKETS_MOST_S)
        return max(0.001, min(due) - now)

    def _inspect(self, now: float) -> None:
        due = self.wait.to_inspect(now) if now >= self._next_inspection else []
        if not due:
            return
        for container in engine.inspected(self.ws.runner, due):
            self.wait.observe(container, time.time())
        after = time.time()
        self._next_inspection = after + min(
            max(_INSPECT_S, _INSPECT_REST * (after - now)), _INSPECT_MOST_S
        )

    def _listen(self) -> float:
        """Look at the sockets of what is not known to listen, and return when to look again."""
        for track in self.wait.live():
            self.meter.locate(track)
        tracks = self.wait.to_listen()
        for track in tracks:
            began_at = track.started_at or 0.0
            open_ports = ports.listening_ports(track.pid)
            declared = set(track.listens)
            found = open_ports & declared if declared else open_ports
            # The number may already be another process's, or that of another machine; and what
            # was started anew meanwhile has not listened yet.
            if found and ports.runs_container(track.pid, track.id) and began_at == track.started_at:
                self.wait.listening(track.id, time.time())
            self.wait.looked(track.id)
        return min(max(_SOCKETS_S, _SOCKETS_EACH_S * len(tracks)), _SOCKETS_MOST_S)
