"""The loop that feeds the wait: the engine's events, inspections, sockets, and Compose's end."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final

from hullwright.errors import UnavailableError
from hullwright.stack import firstlines, words
from hullwright.stack.looks import Looks
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullwright.stack.selection import Selection
    from hullwright.stack.wait import Wait
    from hullwright.workspace import Workspace

# What comes within so short a time is taken in together: the probes of forty services alone are
# some hundred events a second.
_GATHER_S: Final = 0.02
# Between two tellings of what is waited for.
_TELL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch saw.

    Attributes:
        output: what Compose printed, secrets masked.
        there: the containers at its end.
        over_at: when the verdict stood, epoch seconds.
    """

    output: list[str]
    there: tuple[engine.Container, ...]
    over_at: float


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
) -> Watched:
    """Run Compose, feed the wait until it is over, and return what came of it.

    Compose is asked to end when the verdict stands before its own end. Interrupting leaves what
    was started as it is.
    """
    facts: queue.SimpleQueue[_Fact] = queue.SimpleQueue()
    lines: list[str] = []
    looks = Looks(ws, wait, project)
    follow = engine.events_argv(project, wait.began_at)
    with (
        ws.runner.following(*follow) as events,
        ws.runner.beside(*argv, cwd=ws.root, env=selection.environment) as up,
        _pumped(events.stdout, lambda line: _event_to(facts, line), lambda: facts.put(_Silent())),
        _pumped(up.stdout, lambda line: facts.put(_Line(line)), lambda: facts.put(_Ended())),
        looks.meter.sampling(wait),
        looks.at_sockets(),
    ):
        looks.at_all()
        told = _Told(ws, wait)
        while not wait.over:
            for fact in _next_facts(facts, looks.patience_s()):
                match fact:
                    case engine.Event():
                        wait.feed(fact)
                    case _Line():
                        lines.append(ws.runner.redacted(fact.text))
                        if name := words.kept_in(fact.text):
                            wait.kept(name, time.time())
                    case _Ended():
                        wait.compose_ended(up.wait())
                        looks.at_all()
                    case _:
                        # Says by itself that no engine answers, where that is the cause.
                        looks.at_all()
                        raise UnavailableError(
                            "the engine stopped telling what happens",
                            next_step=f"{words.invoked('ps', selection.stack.name)}"
                            "   (what was started is left as it is)",
                        )
            looks.at_what_is_due()
            wait.time(time.time())
            told.tell()
        over_at = time.time()
        told.tell(last=True)
    # Logs are read while the engine answers what is there.
    reading = threading.Thread(target=firstlines.find, args=(ws, wait, project))
    reading.start()
    there = looks.at_all()
    reading.join()
    return Watched(lines, there, over_at)


def _next_facts(facts: queue.SimpleQueue[_Fact], patience_s: float) -> Iterator[_Fact]:
    try:
        yield facts.get(timeout=patience_s)
        until = time.monotonic() + _GATHER_S
        while (rest_s := until - time.monotonic()) > 0:
            yield facts.get(timeout=rest_s)
    except queue.Empty:
        return


def _event_to(facts: queue.SimpleQueue[_Fact], line: str) -> None:
    event = engine.parse_event(line)
    if event is not None:
        facts.put(event)


@dataclass
class _Told:
    """Shows what is waited for on a terminal; elsewhere, a line for each service's end."""

    ws: Workspace
    wait: Wait
    states: dict[str, str] = field(default_factory=dict)
    next_at: float = 0.0

    def tell(self, *, last: bool = False) -> None:
        """Tell what has changed, if it is time to."""
        now = time.time()
        if now < self.next_at and not last:
            return
        self.next_at = now + _TELL_S
        console = self.ws.console
        states = {name: self.wait.status(name) for name in self.wait.expected}
        waiting = [name for name, state in states.items() if state == "waiting"]
        passed_s = now - self.wait.began_at
        console.status(f"… {passed_s:.0f} s  waiting for {', '.join(waiting) or 'Compose'}")
        if not console.live:
            for name, state in states.items():
                if state not in {"waiting", self.states.get(name)}:
                    word = "running, no health check" if state == "unknown" else state
                    console.note(f"{datetime.now(UTC):%H:%M:%S} {name} {word}")
        self.states.update(states)


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
