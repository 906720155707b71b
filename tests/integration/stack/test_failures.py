"""Stacks that do not come up, on the real engine: each cause is named."""

from __future__ import annotations

import os
import socket
import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from composing import docker, there
from hullwright import stack
from hullwright.config.models import Stack
from hullwright.errors import CheckFailedError, ExitCode, UsageError

if TYPE_CHECKING:
    from composing import Made
    from hullwright.stack import Failure, UpReport

pytestmark = pytest.mark.docker


def one(made: Made, busybox: str, service: str) -> UpReport:
    """Start a stack of one service that is called `app`, and return what came of it."""
    made.compose(
        f"  app:\n    image: {busybox}\n    stop_grace_period: 0s\n"
        + textwrap.indent(textwrap.dedent(service), "    ")
    )
    ws = made.workspace()
    return stack.up(ws, stack.select(ws), limits=stack.Limits(20))


def failure(report: UpReport) -> Failure:
    assert len(report.failures) == 1, report.failures
    return report.failures[0]


def test_a_crash_is_told_with_code_and_log(made: Made, busybox: str) -> None:
    report = one(made, busybox, 'command: sh -c "echo no such table; exit 3"')
    told = failure(report)
    assert (told.service, told.cause) == ("app", "crash")
    assert told.sentence == "app crashed: it ended with 3"
    assert told.logs == ("no such table",)


def test_a_one_shot_that_fails_is_told_with_what_waited_on_it(made: Made, busybox: str) -> None:
    made.compose(f"""
  migrate: {{image: {busybox}, command: "false"}}
  app:
    image: {busybox}
    command: sleep 60
    depends_on: {{migrate: {{condition: service_completed_successfully}}}}
""")
    ws = made.workspace()
    told, waited = stack.up(ws, stack.select(ws), limits=stack.Limits(20)).failures
    assert (told.service, told.cause) == ("migrate", "one-shot-failed")
    assert ("waited on", "by app") in told.facts
    assert (waited.service, waited.cause) == ("app", "dependency")


def test_a_health_check_without_a_program_is_hopeless_at_the_first_probe(
    made: Made, busybox: str
) -> None:
    report = one(
        made,
        busybox,
        """\
        command: httpd -f -p 8080
        expose: ["8080"]
        healthcheck: {test: [CMD, curl, -f, "http://127.0.0.1"], interval: 1s}
        """,
    )
    told = failure(report)
    assert told.cause == "probe-cannot-run"
    facts = dict(told.facts)
    assert facts["check"] == "CMD curl -f http://127.0.0.1"
    assert facts["result"].startswith('could not start: "curl": executable file not found')
    assert facts["note"].startswith("the service itself has been listening on 8080 since")
    # The first probe comes after one second, and the verdict within another.
    assert report.services[0].started_s is not None
    assert report.total_s - report.services[0].started_s < 2.5


def test_what_is_never_ready_ends_with_the_timeout(made: Made, busybox: str) -> None:
    made.compose(f"""
  app:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    healthcheck: {{test: "exit 1", interval: 200ms, retries: 1000}}
""")
    ws = made.workspace(Stack("default", ("compose.yaml",), timeout=timedelta(seconds=5)))
    report = stack.up(ws, stack.select(ws))
    assert failure(report).cause == "never-ready"
    # Long enough for the engine to have started it, however busy it is.
    assert failure(report).sentence == "app was not ready within 5 s"
    # Ended by the verdict, not removed: a person wants to look at it.
    assert there(made.project)["containers"] == [f"{made.project}-app-1"]


def test_an_image_that_is_nowhere_is_named(made: Made) -> None:
    image = "127.0.0.1:9/hullwright-test/nowhere:1"
    made.compose(f"  app: {{image: '{image}'}}")
    ws = made.workspace()
    with pytest.raises(CheckFailedError) as caught:
        stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    assert caught.value.what == f"image not to be had: {image}"
    assert there(made.project)["containers"] == []


def test_a_port_of_a_process_is_named_before_anything_starts(made: Made, busybox: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        made.compose(f"""
  app:
    image: {busybox}
    command: sleep 60
    ports: ["127.0.0.1:${{PORT:-{port}}}:80"]
""")
        ws = made.workspace()
        with pytest.raises(CheckFailedError) as caught:
            stack.up(ws, stack.select(ws))
    assert caught.value.exit_code == ExitCode.FAILED
    assert caught.value.what == f"port {port} is already taken"
    held = dict(caught.value.why)["held by"]  # type: ignore[arg-type]  # this error has rows
    assert held.startswith(f"process {os.getpid()}: ")
    assert caught.value.next_step == f"end it, or take another port: PORT={port + 1}"
    assert not any(there(made.project).values())


def test_a_port_of_a_container_is_named(made: Made, busybox: str) -> None:
    holder = f"{made.project}-holder"
    docker("run", "-d", "--name", holder, "-p", "127.0.0.1::80", busybox, "sleep", "60")
    try:
        port = docker("port", holder, "80/tcp").rpartition(":")[2]
        made.compose(
            f"  app: {{image: {busybox}, command: sleep 60, ports: ['127.0.0.1:{port}:80']}}"
        )
        ws = made.workspace()
        with pytest.raises(CheckFailedError, match=f"container {holder}, on ") as caught:
            stack.plan_up(ws, stack.select(ws))
        assert caught.value.next_step == f"end it: docker stop {holder}"
    finally:
        docker("rm", "--force", holder)


def test_what_the_files_call_external_is_named_with_what_makes_it(made: Made, busybox: str) -> None:
    service = f"  app: {{image: '{busybox}', command: sleep 60, stop_grace_period: 0s"
    ws = made.workspace()
    name = f"{made.project}-nowhere"
    for kind, use, rest in (
        ("network", ", networks: [shared]}", "networks"),
        ("volume", ', volumes: ["shared:/data"]}', "volumes"),
    ):
        made.compose(service + use, f"{rest}: {{shared: {{external: true, name: {name}}}}}")
        told = failure(stack.up(ws, stack.select(ws), limits=stack.Limits(20)))
        assert (told.service, told.cause) == ("", f"external-{kind}"), told
        assert told.sentence == f"{kind} {name}, which the files call external, is not there"
        assert dict(told.facts)["try"].startswith(f"docker {kind} create {name}, or ")


def test_what_is_awaited_healthy_and_has_no_check_is_named(made: Made, busybox: str) -> None:
    made.compose(f"""
  db: {{image: '{busybox}', command: sleep 60, stop_grace_period: 0s}}
  app:
    image: {busybox}
    command: sleep 60
    depends_on: {{db: {{condition: service_healthy}}}}
""")
    ws = made.workspace()
    told = stack.up(ws, stack.select(ws), limits=stack.Limits(20)).failures[0]
    assert (told.service, told.cause) == ("db", "no-healthcheck"), told


def test_all_missing_variables_are_listed_and_nothing_starts(made: Made, busybox: str) -> None:
    made.compose(f"""
  app:
    image: {busybox}
    command: sleep 60
    environment:
      A: ${{A_PASSWORD:?is needed}}
      B: "$B_TOKEN"
      C: ${{C_LEVEL:-info}}
      D: $$HOME
  idle:
    image: {busybox}
    profiles: [debug]
    environment: {{E: "${{E_IDLE}}"}}
""")
    ws = made.workspace()
    with pytest.raises(UsageError) as caught:
        stack.up(ws, stack.select(ws))
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.what == "2 variables have no value: A_PASSWORD, B_TOKEN"
    assert caught.value.why == [
        ("A_PASSWORD", "asked for by services.app.environment.A"),
        ("B_TOKEN", "asked for by services.app.environment.B"),
    ]
    assert not any(there(made.project).values())
