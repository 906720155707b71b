"""The loop around the wait: streams stand for the engine and for Compose."""

from __future__ import annotations

import io
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
    logs: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def read(self, *argv: str, **_: object) -> Result:
        self.asked.append(argv)
        state = {"Status": "running", "Pid": 0, "Health": {"Status": "starting"}}
        labels = {"com.docker.compose.service": "db"}
        shown = {"Id": "id", "Name": "/x-db-1", "State": state, "Config": {"Labels": labels}}
        return Result(argv, 0, json.dumps([shown]) if "inspect" in argv else "id")

    @contextmanager
    def following(self, *argv: str, **_: object) -> Iterator[Any]:
        if "logs" in argv:
            self.asked.append(argv)
            yield SimpleNamespace(stdout=io.StringIO(self.logs), terminate=lambda: None)
            return
        yield SimpleNamespace(stdout=self.events)
        self.events.close()
        self.ended.append(argv[1])

    @contextmanager
    def beside(self, *argv: str, **_: object) -> Iterator[Any]:
        yield SimpleNamespace(stdout=self.output, wait=lambda: self.code)
        self.output.close()
        self.ended.append(argv[1])


def event(action: str, at: float, service: str = "db") -> str:
    attributes = {"com.docker.compose.service": service, "name": f"x-{service}-1"}
    actor = {"ID": "id" if service == "db" else f"id-{service}", "Attributes": attributes}
    return json.dumps({"Action": action, "Actor": actor, "timeNano": int(at * 1e9)}) + "\n"


def played(tmp_path: Path, runner: Played, wait: Wait) -> tuple[list[str], str]:
    told = io.StringIO()
    ws = Workspace(tmp_path, Config("x"), runner, Console({}, out=told, err=told), {})
    argv = ["docker", "compose"]
    watched = start_and_wait(ws, Selection(Stack("default", ())), argv, "x", wait)
    return watched.output, told.getvalue()


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


class Failing(Played):
    """Shows another service that has ended too, once the verdict fell."""

    def read(self, *argv: str, **kwargs: object) -> Result:
        shown = super().read(*argv, **kwargs)
        if "inspect" not in argv or not self.ended:
            return shown
        state = {"Status": "exited", "ExitCode": 3, "FinishedAt": "2999-01-01T00:00:02Z"}
        state["StartedAt"] = "2999-01-01T00:00:01Z"
        labels = {"com.docker.compose.service": "app"}
        other = {"Id": "id-app", "Name": "/x-app-1", "State": state, "Config": {"Labels": labels}}
        return Result(argv, 0, json.dumps([*json.loads(shown.stdout), other]))


def test_what_failed_beside_the_first_is_told_too(tmp_path: Path) -> None:
    began = time.time()
    wait = Wait({"db": Expected("db"), "app": Expected("app")}, began, 30)
    runner = Failing({})
    runner.events = Open(event("start", began) + event("health_status: unhealthy", began + 0.1))
    runner.output = Open()
    played(tmp_path, runner, wait)
    assert {track.service: track.cause for track in wait.live()} == {
        "db": "unhealthy",
        "app": "crash",
    }


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


def test_the_first_line_of_each_container_is_timed(tmp_path: Path) -> None:
    began = time.time()
    wait = Wait({"db": Expected("db")}, began, 30)
    runner = Played({})
    runner.events = Open(event("start", began) + event("health_status: healthy", began + 0.2))
    runner.output = io.StringIO("")
    lines = ("db-1  | %s ready", "other-1  | %s later", "db-1  | %s later", "no line", "| | |")
    runner.logs = "\n".join(lines) % (stamp(began + 0.15), stamp(began + 1), stamp(began + 0.1))
    played(tmp_path, runner, wait)
    (track,) = wait.containers("db")
    # Nothing orders the lines of several containers, but those of one are in order.
    assert track.first_log_at == pytest.approx(began + 0.15, abs=0.001)
    (asked,) = (argv for argv in runner.asked if "logs" in argv)
    assert asked == (
        *("docker", "compose", "--project-name", "x", "logs", "--timestamps", "--no-color"),
        *("--since", f"{began:.3f}", "db"),
    )


def test_what_happens_at_once_is_asked_about_once(tmp_path: Path) -> None:
    began = time.time()
    names = [f"s{number}" for number in range(40)]
    wait = Wait({name: Expected(name) for name in names}, began, 30)
    runner = Played({})
    events = [event("create", began, name) for name in names]
    events += [event("start", began + 0.1, name) for name in names]
    events += [event("exec_start: true", began + 0.15, name) for name in names]
    events += [event("health_status: healthy", began + 0.2, name) for name in names]
    runner.events, runner.output = Open("".join(events)), io.StringIO("")
    played(tmp_path, runner, wait)
    assert wait.done
    # At the beginning, at Compose's end, at the verdict, and at what the events did not tell.
    assert len([argv for argv in runner.asked if "inspect" in argv]) <= 6


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
