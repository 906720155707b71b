"""The loop that feeds the wait: the engine's events, inspections, sockets, and Compose's end."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final

from hullwright.errors import UnavailableError
from hullwright.tools import engine, ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullwright.stack.selection import Selection
    from hullwright.stack.wait import Wait
    from hullwright.workspace import Workspace

# How often sockets are looked at while a service is not known to listen: reading one table takes
# 50 µs, and no event tells of it.
_SOCKETS_S: Final = 0.025
# Between two inspections of the same container that events did not ask for.
_INSPECT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Line:
    text: str


@dataclass(frozen=True, slots=True)
class _Ended:
    """Compose closed its output: it has ended, or is just about to."""


@dataclass(frozen=True, slots=True)
class _Silent:
    """The stream of events ended, which it never does by itself."""


_Fact = engine.Event | _Line | _Ended | _Silent


def start_and_wait(
    ws: Workspace, selection: Selection, argv: list[str], project: str, wait: Wait
) -> list[str]:
    """Run Compose, feed the wait until it is over, and return what Compose printed.

    Compose is asked to end when the verdict stands before its own end. Interrupting leaves what
    was started as it is.
    """
    facts: queue.SimpleQueue[_Fact] = queue.SimpleQueue()
    lines: list[str] = []
    follow = engine.events_argv(project, wait.began_at)
    with (
        ws.runner.following(*follow) as events,
        ws.runner.beside(*argv, cwd=ws.root, env=selection.environment) as up,
        _pumped(events.stdout, lambda line: _event_to(facts, line), lambda: facts.put(_Silent())),
        _pumped(up.stdout, lambda line: facts.put(_Line(line)), lambda: facts.put(_Ended())),
    ):
        for container in engine.of_project(ws.runner, project):
            wait.observe(container, time.time())
        looked: dict[str, float] = {}
        told: dict[str, str] = {}
        while not wait.over:
            for fact in _next_facts(facts, _patience_s(wait)):
                match fact:
                    case engine.Event():
                        wait.feed(fact)
                    case _Line():
                        lines.append(ws.runner.redacted(fact.text))
                    case _Ended():
                        wait.compose_ended(up.wait())
                        _look(ws, wait, project)
                    case _:
                        # Says by itself that no engine answers, where that is the cause.
                        _look(ws, wait, project)
                        raise UnavailableError(
                            "the engine stopped telling what happens",
                            next_step="invoke ps   (what was started is left as it is)",
                        )
            _inspect(ws, wait, looked)
            _listen(wait)
            wait.time(time.time())
            _tell(ws, wait, told)
    _look(ws, wait, project)
    return lines


def _look(ws: Workspace, wait: Wait, project: str) -> None:
    for container in engine.of_project(ws.runner, project):
        wait.observe(container, time.time())


def _inspect(ws: Workspace, wait: Wait, looked: dict[str, float]) -> None:
    now = time.time()
    due = [each for each in wait.to_inspect(now) if now - looked.get(each, 0.0) >= _INSPECT_S]
    for container in engine.inspected(ws.runner, due):
        looked[container.id] = now
        wait.observe(container, time.time())


def _listen(wait: Wait) -> None:
    for track in wait.to_listen():
        open_ports = ports.listening_ports(track.pid)
        declared = set(track.listens)
        found = open_ports & declared if declared else open_ports
        # The number may already be another process's, or that of another machine.
        if found and ports.runs_container(track.pid, track.id):
            wait.listening(track.id, time.time())
        wait.looked(track.id)


def _patience_s(wait: Wait) -> float:
    idle_s = wait.next_s(time.time())
    return min(idle_s, _SOCKETS_S) if wait.to_listen() else min(idle_s, 1.0)


def _next_facts(facts: queue.SimpleQueue[_Fact], patience_s: float) -> Iterator[_Fact]:
    try:
        yield facts.get(timeout=patience_s)
        while True:
            yield facts.get_nowait()
    except queue.Empty:
        return


def _event_to(facts: queue.SimpleQueue[_Fact], line: str) -> None:
    event = engine.parse_event(line)
    if event is not None:
        facts.put(event)


def _tell(ws: Workspace, wait: Wait, told: dict[str, str]) -> None:
    """Show what is waited for on a terminal; elsewhere, a line for each service's end."""
    now_s = time.time() - wait.began_at
    states = {name: wait.status(name) for name in wait.expected}
    waiting = [name for name, state in states.items() if state == "waiting"]
    ws.console.status(f"… {now_s:.0f} s  waiting for {', '.join(waiting) or 'Compose'}")
    if not ws.console.live:
        for name, state in states.items():
            if state not in {"waiting", told.get(name)}:
                word = "running, no health check" if state == "unknown" else state
                ws.console.note(f"{datetime.now(UTC):%H:%M:%S} {name} {word}")
    told.update(states)


@contextmanager
def _pumped(
    stream: IO[str] | None,
    on_line: Callable[[str], object],
    on_end: Callable[[], object] = lambda: None,
) -> Iterator[None]:
    """Hand over each line of a stream from a thread of its own, which ends with the stream."""

    def pump() -> None:
        # The stream is closed under this thread when the wait is over before it.
        with suppress(ValueError):
            for line in stream or ():
                on_line(line.rstrip("\r\n"))
        on_end()

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    yield
