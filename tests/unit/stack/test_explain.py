"""Causes in words: from what the wait and the engine know to one sentence and its facts."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.run import Result, Runner
from hullwright.secret import Secret
from hullwright.stack import explain
from hullwright.stack.expected import Expected
from hullwright.stack.wait import Wait
from hullwright.tools import ports
from hullwright.tools.engine import Container, Event, ProbeResult
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.stack import Failure


class Silent(Runner):
    """Answers that nothing is there, but for the logs of every container."""

    def read(self, *argv: str, **_: object) -> Result:
        if argv[:2] == ("docker", "logs"):
            return Result(argv, 0, "first\nthe password is hunter2hunter2\n", "")
        return Result(argv, 0, "[]" if "inspect" in argv else "")


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    told = io.StringIO()
    runner = Silent({}, secrets={Secret("hunter2hunter2")})
    return Workspace(tmp_path, Config("x"), runner, Console({}, out=told, err=told), {})


def died(code: int, **expected: str) -> Wait:
    wait = Wait({"db": Expected("db", **expected)}, 0.0, 60.0)  # type: ignore[arg-type]  # policy
    wait.feed(Event(1.0, "start", "id", "x-db-1", "db"))
    wait.feed(Event(2.0, "die", "id", "x-db-1", "db", code))
    return wait


def told(ws: Workspace, wait: Wait, *there: Container, output: tuple[str, ...] = ()) -> Failure:
    failures = explain.failures(ws, wait, there, output, stack="default")
    assert len(failures) == 1
    return failures[0]


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (1, "1"),
        (
            126,
            "126 (the command was found but cannot be executed: permissions, or another platform)",
        ),
        (127, "127 (the command was not found)"),
        (137, "137 (ended by SIGKILL)"),
        (139, "139 (segmentation fault)"),
        (143, "143 (ended by SIGTERM)"),
        (255, "255"),
    ],
)
def test_exit_codes_have_their_meaning(code: int, meaning: str) -> None:
    assert explain.exit_meaning(code) == meaning


def test_a_crash_has_its_last_lines_without_secrets(ws: Workspace) -> None:
    failure = told(ws, died(3))
    assert failure.sentence == "db crashed: it ended with 3"
    assert failure.logs == ("first", "the password is ***")
    assert failure.facts[-1] == ("logs", "invoke logs --service db   (the last 2 follow)")


SHOWN = Container(
    id="id", name="x-db-1", service="db", number=1, project="x", image="i", image_id="sha256:1",
    state="running", pid=0, exit_code=0, oom_killed=False, error="", restarts=0,
    restart_policy="no", created_at=0.5, started_at=1.0, finished_at=0.0, health="unhealthy",
    probe_test=("CMD-SHELL", "check --token hunter2hunter2"),
    probes=(ProbeResult(1.0, 1.1, 1, "bad token hunter2hunter2"),),
)  # fmt: skip


def test_a_check_that_fails_has_its_output_without_secrets(ws: Workspace) -> None:
    wait = Wait({"db": Expected("db")}, 0.0, 60.0)
    wait.feed(Event(1.0, "start", "id", "x-db-1", "db"))
    wait.observe(SHOWN, 2.0)
    facts = dict(told(ws, wait, SHOWN).facts)
    assert facts["result"] == "exit code 1\nbad token ***"
    assert "hunter2" not in facts["check"]


def test_no_probe_at_all_is_told_with_what_to_try(ws: Workspace) -> None:
    wait = Wait({"db": Expected("db")}, 0.0, 5.0)
    shown = replace(SHOWN, probes=(), health="starting")
    wait.observe(shown, 1.0)
    wait.time(5.1)
    failure = told(ws, wait, shown)
    assert failure.sentence == "db was not ready within 5 s"
    assert dict(failure.facts)["result"] == "no probe has ended yet"
    assert "start_interval" in dict(failure.facts)["try"]


def test_what_was_not_restarted_in_time_says_nothing_of_its_old_run(ws: Workspace) -> None:
    wait = Wait({"db": Expected("db")}, 100.0, 5.0)
    old = replace(SHOWN, health="healthy", probes=(ProbeResult(1.0, 1.1, 0, "ok"),))
    wait.observe(old, 100.0)
    wait.feed(Event(100.1, "kill", "id", "x-db-1", "db"))
    wait.time(105.1)
    failure = told(ws, wait, old)
    assert failure.sentence == "db was not started anew within 5 s"
    assert failure.facts == (("waits for", "Compose, which was stopping it"),)
    assert failure.logs == ()


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (0, "it passes by now\nok"),
        (-1, "Health check exceeded timeout (1s)"),
        (2, "exit code 2\nbad"),
    ],
)
def test_a_probes_code_stands_only_beside_what_it_says(
    ws: Workspace, code: int, result: str
) -> None:
    wait = Wait({"db": Expected("db", timeout_s=3)}, 0.0, 60.0)
    probe = ProbeResult(4.0, 4.1, code, result.rpartition("\n")[2])
    wait.observe(replace(SHOWN, probes=(), health="starting"), 1.0)
    wait.time(4.1)
    facts = dict(told(ws, wait, replace(SHOWN, probes=(probe,), health="starting")).facts)
    assert facts["result"] == result


def test_what_was_never_started_says_what_it_waits_for(ws: Workspace) -> None:
    wait = Wait({"app": Expected("app", depends_on=("db",))}, 0.0, 5.0)
    wait.time(5.1)
    failure = told(ws, wait)
    assert failure.sentence == "app was not started within 5 s"
    assert failure.facts == (("waits for", "db"),)


@pytest.mark.parametrize(
    ("line", "cause", "sentence"),
    [
        (
            (
                "Error response from daemon: failed to set up container networking: driver failed "
                "programming external connectivity on endpoint x: Bind for 127.0.0.1:8080 failed: "
                "port is already allocated"
            ),
            "port-taken",
            "port 8080 is already taken",
        ),
        (
            (
                "Error response from daemon: failed to bind host port for "
                "127.0.0.1:8080:172.18.0.2:80/tcp: address already in use"
            ),
            "port-taken",
            "port 8080 is already taken",
        ),
        (
            "Error response from daemon: No such image: x:1",
            "image-missing",
            "image x:1 is not in the local store",
        ),
        ("Error: network x not found", "compose", "Compose could not start the stack"),
        (
            "network shared declared as external, but could not be found",
            "external-network",
            "network shared, which the files call external, is not there",
        ),
        (
            'external volume "old" not found',
            "external-volume",
            "volume old, which the files call external, is not there",
        ),
    ],
)
def test_what_only_compose_told_of(
    ws: Workspace, line: str, cause: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "listeners", lambda: [ports.Listener("tcp", "127.0.0.1", 8080, 1)])
    monkeypatch.setattr(ports, "owner", lambda _inode: ports.Process(7, "nginx"))
    wait = Wait({"db": Expected("db")}, 0.0, 60.0)
    wait.compose_ended(1)
    output = ('time="x" level=warning msg="failed to"', " Container x-db-1  Starting", line)
    failure = told(ws, wait, output=output)
    assert (failure.cause, failure.sentence) == (cause, sentence)
    assert line in dict(failure.facts)["compose"]
    if cause == "port-taken":
        assert dict(failure.facts)["held by"] == "process 7: nginx"


def test_a_start_that_holds_has_no_failure(ws: Workspace) -> None:
    wait = Wait({"db": Expected("db")}, 0.0, 60.0)
    wait.feed(Event(1.0, "health_status: healthy", "id", "x-db-1", "db"))
    wait.compose_ended(0)
    assert explain.failures(ws, wait, (), ()) == ()
    assert json.dumps(explain.reason(wait.tracks["id"])) == '""'


def test_containers_that_failed_alike_are_told_of_once(ws: Workspace) -> None:
    wait = Wait({"db": Expected("db", scale=2), "web": Expected("web")}, 0.0, 60.0)
    for number in (1, 2):
        wait.feed(Event(1.0, "start", f"id{number}", f"x-db-{number}", "db"))
        wait.feed(Event(2.0, "die", f"id{number}", f"x-db-{number}", "db", 3))
    wait.feed(Event(1.0, "start", "id3", "x-web-1", "web"))
    wait.feed(Event(2.0, "die", "id3", "x-web-1", "web", 3))
    told = [each.service for each in explain.failures(ws, wait, (), ())]
    assert told == ["db", "web"]


def test_what_could_not_start_follows_what_kept_it_from_it(ws: Workspace) -> None:
    wait = Wait(
        {
            "app": Expected("app", depends_on=("api",)),
            "api": Expected("api", depends_on=("db",)),
            "db": Expected("db"),
            "other": Expected("other"),
        },
        0.0,
        60.0,
    )
    wait.feed(Event(0.5, "create", "id2", "x-api-1", "api"))
    wait.feed(Event(1.0, "start", "id", "x-db-1", "db"))
    wait.feed(Event(2.0, "die", "id", "x-db-1", "db", 3))
    found = explain.failures(ws, wait, (), ())
    assert [(each.service, each.cause) for each in found] == [
        ("db", "crash"), ("api", "dependency"), ("app", "dependency"),
    ]  # fmt: skip
    assert found[2].sentence == "app was not started: it depends on api"
    assert dict(found[2].facts) == {"because": "db crashed: it ended with 3"}
    assert explain.reason(wait.tracks["id2"], found) == found[1].sentence


def test_the_deeper_of_two_failures_is_told_first(ws: Workspace) -> None:
    wait = Wait({"app": Expected("app", depends_on=("db",)), "db": Expected("db")}, 0.0, 60.0)
    for name in ("app", "db"):
        wait.feed(Event(1.0, "start", f"id-{name}", f"x-{name}-1", name))
        wait.feed(Event(2.0, "die", f"id-{name}", f"x-{name}-1", name, 1))
    assert [each.service for each in explain.failures(ws, wait, (), ())] == ["db", "app"]


def test_one_of_which_only_compose_saw_that_it_is_unhealthy_is_told_as_any(ws: Workspace) -> None:
    wait = Wait({"db": Expected("db")}, 0.0, 60.0)
    starting = replace(SHOWN, health="starting", restarts=1)
    wait.observe(starting, 2.0)
    wait.compose_ended(1)
    gave_up = "dependency failed to start: container x-db-1 is unhealthy"
    failure = told(ws, wait, starting, output=(gave_up,))
    assert (failure.cause, failure.sentence) == (
        "unhealthy",
        "db is unhealthy: its health check fails",
    )
    assert {"check", "result", "try", "logs"} <= set(dict(failure.facts))
    assert failure.logs


def test_what_is_healthy_again_has_its_words_beside_those_of_compose(ws: Workspace) -> None:
    wait = Wait({"db": Expected("db")}, 0.0, 60.0)
    healthy = replace(SHOWN, health="healthy", probes=(ProbeResult(1.0, 1.1, 0, "ok"),))
    wait.observe(healthy, 2.0)
    wait.compose_ended(1)
    gave_up = "dependency failed to start: container x-db-1 is unhealthy"
    failure = told(ws, wait, healthy, output=(gave_up,))
    assert failure.sentence == "db did not come up, and others depend on it"
    assert {"compose", "check", "result", "try", "logs"} <= set(dict(failure.facts))
    assert failure.logs


def test_one_that_compose_waits_for_no_longer_has_crashed(ws: Workspace) -> None:
    wait = died(5, policy="always")
    wait.compose_ended(1)
    gave_up = "dependency failed to start: container db is unhealthy"
    there = replace(SHOWN, id="id", name="db", service="db")
    found = explain.failures(ws, wait, (there,), (gave_up,))
    assert [(each.cause, each.sentence) for each in found] == [
        ("crash", "db crashed: it ended with 5")
    ]
