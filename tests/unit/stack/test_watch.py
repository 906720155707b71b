"""The loop around the wait: streams stand for the engine and for Compose."""

from __future__ import annotations

import io
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.config.models import Config, Stack
from hullwright.console import Console
from hullwright.errors import UnavailableError
from hullwright.run import Result, Runner
from hullwright.secret import Secret
from hullwright.stack.expected import Expected
from hullwright.stack.selection import Selection
from hullwright.stack.wait import Wait
from hullwright.stack.watch import start_and_wait
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Open:
    """A stream that gives its lines and then stays open, until it is closed."""

    def __init__(self, text: str = "") -> None:
        self._lines = text.splitlines(keepends=True)
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[str]:
        yield from self._lines
        self._closed.wait(timeout=10)

    def close(self) -> None:
        self._closed.set()


@dataclass
class Played(Runner):
    """Plays what the engine's events and Compose print; inspections show a checked container."""

    events: Any = None
    output: Any = None
    code: int = 0
    ended: list[str] = field(default_factory=list)

    def read(self, *argv: str, **_: object) -> Result:
        state = {"Status": "running", "Pid": 0, "Health": {"Status": "starting"}}
        labels = {"com.docker.compose.service": "db"}
        shown = {"Id": "id", "Name": "/x-db-1", "State": state, "Config": {"Labels": labels}}
        return Result(argv, 0, json.dumps([shown]) if "inspect" in argv else "id")

    @contextmanager
    def following(self, *argv: str, **_: object) -> Iterator[Any]:
        yield SimpleNamespace(stdout=self.events)
        self.events.close()
        self.ended.append(argv[1])

    @contextmanager
    def beside(self, *argv: str, **_: object) -> Iterator[Any]:
        yield SimpleNamespace(stdout=self.output, wait=lambda: self.code)
        self.output.close()
        self.ended.append(argv[1])


def event(action: str, at: float) -> str:
    attributes = {"com.docker.compose.service": "db", "name": "x-db-1"}
    actor = {"ID": "id", "Attributes": attributes}
    return json.dumps({"Action": action, "Actor": actor, "timeNano": int(at * 1e9)}) + "\n"


def played(tmp_path: Path, runner: Played, wait: Wait) -> tuple[list[str], str]:
    told = io.StringIO()
    ws = Workspace(tmp_path, Config("x"), runner, Console({}, out=told, err=told), {})
    lines = start_and_wait(ws, Selection(Stack("default", ())), ["docker", "compose"], "x", wait)
    return lines, told.getvalue()


def test_it_ends_with_the_last_service_and_tells_of_each(tmp_path: Path) -> None:
    began = time.time()
    wait = Wait({"db": Expected("db")}, began, 30)
    events = event("create", began) + "not json\n" + event("start", began + 0.1)
    healthy = event("health_status: healthy", began + 0.2)
    runner = Played({}, secrets={Secret("hunter2hunter2")})
    runner.events = Open(events + healthy)
    runner.output = io.StringIO(" Container x-db-1 Started\nthe password hunter2hunter2\n")
    lines, told = played(tmp_path, runner, wait)
    assert not wait.failed
    assert wait.containers("db")[0].healthy_at == pytest.approx(began + 0.2, abs=0.001)
    assert lines == [" Container x-db-1 Started", "the password ***"]
    assert told.endswith(" db healthy\n")
    assert runner.ended == ["compose", "events"]


def test_a_verdict_ends_compose_that_still_works(tmp_path: Path) -> None:
    began = time.time()
    wait = Wait({"db": Expected("db")}, began, 30)
    runner = Played({})
    runner.events = Open(event("start", began) + event("health_status: unhealthy", began + 0.1))
    runner.output = Open()
    played(tmp_path, runner, wait)
    assert wait.failed
    assert wait.compose_code is None
    assert time.time() - began < 5


def test_time_runs_out_without_any_event(tmp_path: Path) -> None:
    began = time.time()
    wait = Wait({"db": Expected("db")}, began, 0.2)
    runner = Played({})
    runner.events, runner.output = Open(), Open()
    played(tmp_path, runner, wait)
    assert wait.overdue
    assert time.time() - began < 3


def test_an_engine_that_stops_telling_is_an_error(tmp_path: Path) -> None:
    wait = Wait({"db": Expected("db")}, time.time(), 30)
    runner = Played({})
    runner.events, runner.output = io.StringIO(""), Open()
    with pytest.raises(UnavailableError, match="stopped telling what happens"):
        played(tmp_path, runner, wait)
