"""What a cold start does once its stack is up: checks, and killing what is to come back."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from composing import docker, there
from hullwright import coldstart, stack
from hullwright.coldstart import killing
from hullwright.coldstart.killing import KILLED, STANDS
from hullwright.config.models import Check, Stack
from hullwright.errors import ExitCode, HullwrightError
from hullwright.report import coldstart as shown

if TYPE_CHECKING:
    from composing import Made
    from hullwright.coldstart import ColdStart

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_thrown_away_is_left")]

SERVICE: Final = "  {name}: {{image: {image}, command: {command}, stop_grace_period: 0s{more}}}\n"
# Killed before it wrote its file, a service would come back.
WRITTEN: Final = "{test: 'test -e /pid', interval: 250ms, retries: 100}"
STACK: Final = Stack("default", ("compose.yaml",), require_healthcheck=False)


def service(name: str, image: str, command: str, **more: str) -> str:
    """Return a service of a compose file."""
    told = "".join(f", {key}: {value}" for key, value in more.items())
    return SERVICE.format(name=name, image=image, command=command, more=told)


def cold(made: Made, configured: Stack = STACK, *, kill_test: bool = True) -> ColdStart:
    ws = made.workspace(configured)
    request = coldstart.Request(limits=stack.Limits(30), kill_test=kill_test)
    return coldstart.run(ws, stack.select(ws), request)


def test_what_has_a_restart_policy_is_killed_and_comes_back(made: Made, busybox: str) -> None:
    probe = "{test: 'wget -q -O - http://127.0.0.1/bin/sh', interval: 1s}"
    made.compose(
        service("web", busybox, "httpd -f -p 80", restart="always", healthcheck=probe)
        + service("plain", busybox, "sleep 600", restart="unless-stopped")
        + service("pair", busybox, "sleep 600", restart="on-failure:3", scale="2")
        + service("mortal", busybox, "sleep 600")
        + service("once", busybox, "echo seeded", restart="'no'")
    )
    report = cold(made)
    assert report.verdict == "healthy", shown.text(report)
    found = {each.service: each for each in report.typical.checks}
    assert {name: each.status for name, each in found.items()} == {
        "web": "held",
        "plain": "held",
        "pair": "held",
        "mortal": "not testable",
        "once": "not testable",
    }
    assert found["mortal"].told == "it has no restart policy, so nothing would start it again"
    assert found["once"].told == "nothing runs in it: it is exited, with 0"
    # The engine waits for 100 ms before it starts anything again.
    assert all(found[name].took_s >= 0.1 for name in ("web", "plain", "pair"))
    assert not any(there(report.project).values())


def test_what_does_not_come_back_fails_with_what_it_wrote(made: Made, busybox: str) -> None:
    command = "sh -c 'if test -e /pid; then echo /pid is there; exit 1; fi; touch /pid; sleep 600'"
    made.compose(service("app", busybox, command, restart="always", healthcheck=WRITTEN))
    report = cold(made)
    assert report.verdict == "failed"
    (failure,) = report.failures
    assert (failure.service, failure.cause) == ("app", "kill-test-failed")
    assert failure.sentence == "app did not come back when its process was killed"
    facts = dict(failure.facts)
    assert facts["expected"].startswith("running, and healthy")
    assert facts["seen"] == "it crashed 3 times more, last with 1"
    assert "files of its last life" in facts["try"]
    assert "/pid is there" in failure.logs
    assert not any(there(report.project).values())


def test_what_comes_back_unhealthy_fails(made: Made, busybox: str) -> None:
    made.compose(
        service(
            "app",
            busybox,
            "sh -c 'test -e /used && rm -f /ok || touch /ok; touch /used; sleep 600'",
            restart="always",
            healthcheck="{test: 'test -e /ok', interval: 250ms, retries: 1}",
        )
    )
    report = cold(made)
    assert report.failures[0].cause == "kill-test-failed", report.failures
    seen = dict(report.failures[0].facts)["seen"]
    assert seen == "it was started again, and its health check fails"


def test_what_the_engine_leaves_dead_fails(made: Made, busybox: str) -> None:
    # One restart is all that it may have, and its own crash takes that.
    made.compose(
        service(
            "app",
            busybox,
            "sh -c 'if test ! -e /used; then touch /used; exit 1; fi; sleep 600'",
            restart="on-failure:1",
        )
    )
    seen = dict(cold(made).failures[0].facts)["seen"]
    assert seen == "the engine did not start it again: it is exited, with 137"


def test_what_goes_down_with_others_and_stays_down_fails(made: Made, busybox: str) -> None:
    # A static busybox knows no names, so it shares the other one's network.
    command = "sh -c 'while wget -q -O /dev/null http://127.0.0.1/bin/sh; do :; done; exit 3'"
    probe = "{test: 'wget -q -O /dev/null http://127.0.0.1/bin/sh', interval: 1s}"
    made.compose(
        service("db", busybox, "httpd -f -p 80", restart="always", healthcheck=probe)
        + service(
            "app",
            busybox,
            command,
            depends_on="{db: {condition: service_healthy}}",
            network_mode="'service:db'",
        )
    )
    report = cold(made)
    assert report.typical.checks, report.failures
    found = [(each.service, each.name, each.status) for each in report.typical.checks]
    assert found == [
        ("app", KILLED, "not testable"),
        ("db", KILLED, "held"),
        ("app", STANDS, "failed"),
    ]
    (failure,) = report.failures
    assert failure.sentence == "app went down with other services, and did not come back"
    assert dict(failure.facts)["seen"] == "it is exited, with 3"
    assert "restart: unless-stopped" in dict(failure.facts)["try"]


def test_an_engine_whose_processes_are_elsewhere_is_not_testable(
    made: Made, busybox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.compose(service("app", busybox, "sleep 600", restart="always"))
    monkeypatch.setattr("hullwright.tools.ports.runs_container", lambda *_: False)
    report = cold(made)
    (checked,) = report.typical.checks
    assert (checked.status, report.verdict) == ("not testable", "healthy")
    assert checked.told == (
        "its process is not one of this machine: the engine runs elsewhere, or hides it"
    )


def test_a_developer_s_own_stack_is_never_killed(made: Made, busybox: str) -> None:
    made.compose(service("app", busybox, "sleep 600", restart="always"))
    ws = made.workspace(STACK)
    stack.up(ws, stack.select(ws), limits=stack.Limits(30))
    name = f"{made.project}-app-1"
    before = docker("inspect", "--format", "{{.State.Pid}}", name)
    with pytest.raises(HullwrightError, match="is not a part of the throwaway project"):
        killing.kill_test(ws, made.project, ["app"], 30, {})
    assert docker("inspect", "--format", "{{.State.Pid}}", name) == before


def test_checks_are_looked_at_in_a_cold_start_and_nothing_is_killed_unasked(
    made: Made, busybox: str
) -> None:
    made.compose(service("app", busybox, "httpd -f -p 80", restart="always"))
    soon = timedelta(seconds=0.3)
    wanted = (Check("tcp", "app"), Check("http", "app", name="the page", within=soon))
    report = cold(made, replace(STACK, checks=wanted), kill_test=False)
    assert [each.status for each in report.typical.checks] == ["held", "failed"]
    (failure,) = report.failures
    assert (failure.cause, report.verdict) == ("check-failed", "failed")
    assert failure.sentence == "app is up, but its check does not hold: the page"
    assert not any(there(report.project).values())


def test_the_plan_tells_what_will_be_looked_at(made: Made, busybox: str) -> None:
    made.compose(service("app", busybox, "sleep 600") + service("other", busybox, "sleep 600"))
    wanted = (Check("tcp", "app", port=80), Check("logs", "other"))
    ws = made.workspace(replace(STACK, checks=wanted))
    plan = coldstart.plan(ws, stack.select(ws, services=["app"]), f"{made.project}-cold")
    lines = plan.text().splitlines()
    assert lines[-2:] == [
        "  check     app: a connection on port 80",
        "  remove    all of it afterwards",
    ]


def test_a_start_that_fails_is_not_looked_at(made: Made, busybox: str) -> None:
    made.compose(service("app", busybox, "'false'", restart="'no'"))
    report = cold(made, replace(STACK, checks=(Check("tcp", "app"),)))
    assert report.typical.checks == ()
    assert [each.cause for each in report.failures] == ["one-shot-failed"]


def test_the_task_ends_with_1_and_says_which_did_not_come_back(made: Made, busybox: str) -> None:
    command = "sh -c 'test -e /pid && exit 1; touch /pid; sleep 600'"
    made.compose(service("app", busybox, command, restart="always", healthcheck=WRITTEN))
    (made.folder / "hullwright.toml").write_text(
        "[stacks.default]\nrequire-healthcheck = false\n", encoding="utf-8"
    )
    done = subprocess.run(
        (sys.executable, "-m", "hullwright", "cold-start", "--kill-test"),
        cwd=made.folder,
        env={**os.environ, **made.environ},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == ExitCode.FAILED, done.stderr
    assert "✗ app did not come back when its process was killed" in done.stdout
