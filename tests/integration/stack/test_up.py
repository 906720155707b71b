"""Stacks on the real engine: what was built comes up, with its values, and goes again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from composing import docker, there
from hullwright import recorded, stack
from hullwright.config.models import Service
from hullwright.errors import (
    CheckFailedError,
    ExitCode,
    LockedError,
    UnavailableError,
    UsageError,
)
from hullwright.files import lock
from hullwright.recorded import RecordedImage
from hullwright.report import stack as shown
from hullwright.secret import Secret

if TYPE_CHECKING:
    from composing import Made

pytestmark = pytest.mark.docker

CHAIN = """
  db:
    image: {image}
    command: sh -c "sleep 0.3; httpd -f -p 5432"
    stop_grace_period: 0s
    expose: ["5432"]
    healthcheck:
      test: wget -q -O - http://127.0.0.1:5432/bin/sh
      interval: 5s
      start_period: 20s
      start_interval: 100ms
  migrate:
    image: {image}
    command: "true"
    depends_on: {{db: {{condition: service_healthy}}}}
  web:
    image: {image}
    command: httpd -f -p 80
    stop_grace_period: 0s
    ports: ["127.0.0.1::80"]
    depends_on: {{migrate: {{condition: service_completed_successfully}}}}
"""


def test_a_chain_with_a_one_shot_comes_up_and_is_timed(made: Made, busybox: str) -> None:
    made.compose(CHAIN.format(image=busybox))
    ws = made.workspace()
    report = stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    by_name = {service.service: service for service in report.services}
    assert not report.failed, shown.text(report)
    assert {name: each.status for name, each in by_name.items()} == {
        "db": "healthy",
        "migrate": "completed",
        "web": "unknown",
    }
    db, migrate, web = by_name["db"], by_name["migrate"], by_name["web"]
    assert db.started_s is not None
    assert db.listening_s is not None
    assert db.healthy_s is not None
    assert migrate.ended_s is not None
    assert web.started_s is not None
    # It sleeps 0.3 s before it listens.
    assert db.started_s + 0.25 <= db.listening_s <= db.healthy_s <= migrate.ended_s <= web.started_s
    assert web.published[0].host_ip == "127.0.0.1"
    assert "· web      running, no health check" in shown.text(report)


def test_up_again_keeps_what_runs_and_says_so(made: Made, busybox: str) -> None:
    made.compose(CHAIN.format(image=busybox))
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    plan = stack.plan_up(ws, stack.select(ws))
    assert plan.text().splitlines()[1:] == [
        "  keep      db: healthy",
        "  start     migrate: it has ended",
        "  keep      web: running",
    ]
    before = docker("ps", "-q", "--filter", f"label=com.docker.compose.project={made.project}")
    assert not stack.execute(ws, plan, limits=stack.Limits(20)).failed
    after = docker("ps", "-q", "--filter", f"label=com.docker.compose.project={made.project}")
    assert before == after


def test_down_removes_containers_and_networks_and_keeps_volumes(made: Made, busybox: str) -> None:
    made.compose(
        f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s, "
        "volumes: [data:/d]}",
        "volumes: {data: {}}",
    )
    ws = made.workspace()
    selection = stack.select(ws)
    stack.up(ws, selection, limits=stack.Limits(20))
    removed = stack.down(ws, selection)
    assert removed.containers == (f"{made.project}-app-1",)
    assert there(made.project) == {
        "containers": [],
        "networks": [],
        "volumes": [f"{made.project}_data"],
    }
    assert stack.down(ws, selection, volumes=True).volumes == (f"{made.project}_data",)
    assert not any(there(made.project).values())


def test_down_leaves_a_volume_of_another_project_that_the_files_name(
    made: Made, busybox: str
) -> None:
    # `docker compose down --volumes` removes it: it goes by the name in the file.
    theirs = f"{made.project}-theirs"
    docker("volume", "create", theirs)
    try:
        made.compose(
            f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s, "
            "volumes: [data:/d]}",
            f"volumes: {{data: {{name: {theirs}}}}}",
        )
        ws = made.workspace()
        stack.up(ws, stack.select(ws), limits=stack.Limits(20))
        stack.down(ws, stack.select(ws), volumes=True)
        assert docker("volume", "ls", "--quiet", "--filter", f"name={theirs}") == theirs
    finally:
        docker("volume", "rm", "--force", theirs)


def test_a_dotenv_fills_in_unless_it_is_left_out(made: Made, busybox: str) -> None:
    made.compose(
        f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s, "
        "environment: {A: '${A:?}'}}"
    )
    (made.folder / ".env").write_text("A='from the file'\n", encoding="utf-8")
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    assert "A=from the file" in docker("exec", f"{made.project}-app-1", "env").splitlines()
    with pytest.raises(UsageError, match="1 variable has no value: A"):
        stack.plan_up(ws, stack.select(ws, dotenv=False))


def test_secrets_reach_the_container_and_no_file_of_ours(made: Made, busybox: str) -> None:
    made.compose(
        f"""
  app:
    image: {busybox}
    command: sh -c "echo $$TOKEN; exit 1"
    env_file: [.env]
    environment: {{PASSWORD: "${{PASSWORD}}"}}
"""
    )
    given = {"PASSWORD": Secret("correct horse"), "TOKEN": Secret("battery staple")}
    ws = made.workspace()
    report = stack.up(ws, stack.select(ws, environment=given), limits=stack.Limits(20))
    environment = json.loads(
        docker("inspect", "--format", "{{json .Config.Env}}", f"{made.project}-app-1")
    )
    # `.env` does not exist: what it would have given comes from the encrypted values.
    assert {"PASSWORD=correct horse", "TOKEN=battery staple"} <= set(environment)
    assert report.failures[0].logs == ("***",)
    written = [path.read_text(encoding="utf-8") for path in made.folder.rglob("*.yaml")]
    assert len(written) == 2
    assert not any("horse" in text or "staple" in text for text in written)


def test_another_env_file_that_is_missing_is_named(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, env_file: [app.env]}}")
    ws = made.workspace()
    with pytest.raises(UsageError, match="1 env file does not exist"):
        stack.plan_up(ws, stack.select(ws))


def test_what_was_recorded_is_what_starts(made: Made, busybox: str) -> None:
    made.compose(
        "  app:\n    image: hullwright-test/app:latest\n    build: .\n    command: sleep 60\n"
        "    stop_grace_period: 0s"
    )
    ws = made.workspace(app=Service("app", image="hullwright-test/app"))
    with pytest.raises(CheckFailedError, match="not built yet: app") as caught:
        stack.plan_up(ws, stack.select(ws))
    assert caught.value.next_step == "invoke build --service app"
    digest = docker("image", "inspect", "--format", "{{.Id}}", busybox)
    image = RecordedImage("app", "", busybox, digest, "1.2.3", "", (), datetime.now(UTC))
    recorded.save(ws, [image])
    report = stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    assert not report.failed
    running = docker("inspect", "--format", "{{.Image}} {{.Config.Image}}", f"{made.project}-app-1")
    assert running == f"{digest} {busybox}@{digest}"
    gone = replace(image, reference="hullwright-test/app:2", digest=f"sha256:{'0' * 64}")
    recorded.save(ws, [gone])
    with pytest.raises(CheckFailedError, match="no longer in the local store"):
        stack.plan_up(ws, stack.select(ws))


def test_ps_shows_health_and_restarts(made: Made, busybox: str) -> None:
    made.compose(CHAIN.format(image=busybox))
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    state = stack.ps(ws, stack.select(ws))
    assert [(each.service, each.state, each.health) for each in state.services] == [
        ("db", "running", "healthy"),
        ("migrate", "exited", "none"),
        ("web", "running", "none"),
    ]
    assert state.services[0].uptime_s is not None
    assert "running, no health check" in shown.text(state)


# The interrupt may fall between the start of a program that looks and the moment it is held.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_leaves_the_stack(made: Made, busybox: str) -> None:
    made.compose(
        f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s, "
        "healthcheck: {test: 'exit 1', interval: 1s, retries: 1000}}"
    )
    ws = made.workspace()

    def interrupt_once_it_runs() -> None:
        follow = (
            "docker",
            "events",
            "--filter",
            "event=start",
            "--format",
            "x",
            "--filter",
            f"label=com.docker.compose.project={made.project}",
            "--since",
            "1m",
        )
        with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as events:
            assert events.stdout is not None
            events.stdout.readline()
            os.kill(os.getpid(), signal.SIGINT)
            events.terminate()

    watcher = threading.Thread(target=interrupt_once_it_runs, daemon=True)
    watcher.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stack.up(ws, stack.select(ws), limits=stack.Limits(30))
    watcher.join()
    assert time.monotonic() - began < 15
    assert there(made.project)["containers"] == [f"{made.project}-app-1"]


def test_logs_survive_a_reader_that_has_enough(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, command: yes hullwright, stop_grace_period: 0s}}")
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    script = textwrap.dedent(f"""
        import os
        from pathlib import Path
        from hullwright import stack
        from hullwright.config.models import Config, Stack
        from hullwright.console import Console
        from hullwright.run import Runner
        from hullwright.workspace import Workspace
        config = Config("x", stacks={{"default": Stack("default", ("compose.yaml",))}})
        root = Path({str(made.folder)!r})
        ws = Workspace(root, config, Runner(os.environ), Console(os.environ), os.environ)
        raise SystemExit(stack.logs(ws, stack.select(ws), tail="100000"))
    """)
    with subprocess.Popen(
        (sys.executable, "-c", script), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert "hullwright" in child.stdout.readline()
        child.stdout.close()
        assert child.wait(timeout=30) == 0


def test_variables_where_compose_wants_a_number_are_no_obstacle(made: Made, busybox: str) -> None:
    # `docker compose config --no-interpolate` refuses this file, `up` does not.
    made.compose(f"""
  app:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    ulimits: {{nofile: "${{NOFILE:-1000}}"}}
    environment: {{A: "${{A_KEY:?}}"}}
""")
    ws = made.workspace()
    with pytest.raises(UsageError) as caught:
        stack.plan_up(ws, stack.select(ws))
    assert caught.value.why == [("A_KEY", "asked for by compose.yaml:9")]
    selection = stack.select(ws, environment={"A_KEY": "x"})
    assert not stack.up(ws, selection, limits=stack.Limits(20)).failed
    assert stack.ps(ws, selection).project == made.project


def test_a_name_that_nothing_has_is_told_with_those_of_profiles_that_are_off(
    made: Made, busybox: str
) -> None:
    made.compose(f"""
  app: {{image: {busybox}, command: sleep 60}}
  tool: {{image: {busybox}, command: sleep 60, profiles: [debug]}}
""")
    ws = made.workspace()
    with pytest.raises(UsageError) as refused:
        stack.plan_up(ws, stack.select(ws, services=["nix"]))
    assert "app, tool" in str(refused.value.why)


def test_a_service_brings_its_profile_with_it(made: Made, busybox: str) -> None:
    made.compose(f"""
  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s}}
  tool: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s, profiles: [debug]}}
""")
    ws = made.workspace()
    assert stack.plan_up(ws, stack.select(ws)).services == ("app",)
    report = stack.up(ws, stack.select(ws, services=["tool"]), limits=stack.Limits(20))
    assert [service.service for service in report.services] == ["tool"]
    assert there(made.project)["containers"] == [f"{made.project}-tool-1"]


def test_what_a_provider_makes_is_not_waited_for(made: Made, busybox: str) -> None:
    programs = made.folder / "programs"
    programs.mkdir()
    (programs / "hullwright-test-provider").write_text(
        """#!/bin/sh\necho '{"type": "info", "message": "made"}'\n""", encoding="utf-8"
    )
    (programs / "hullwright-test-provider").chmod(0o755)
    made.environ["PATH"] = f"{programs}:{made.environ['PATH']}"
    made.compose(
        f"""
  db: {{provider: {{type: hullwright-test-provider}}}}
  web:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    depends_on: [db]
"""
    )
    ws = made.workspace()
    plan = stack.plan_up(ws, stack.select(ws))
    assert "create    db: by its provider, a program on this host" in plan.text()
    report = stack.execute(ws, plan, limits=stack.Limits(20))
    assert not report.failed, shown.text(report)
    assert [(each.service, each.status) for each in report.services] == [("web", "unknown")]


def test_an_engine_that_does_not_answer_is_told(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}}}")
    # Paths of sockets are short: 108 bytes.
    made.environ["DOCKER_HOST"] = f"unix://{made.folder.parent}/nothing.sock"
    ws = made.workspace()
    with pytest.raises(UnavailableError) as caught:
        stack.plan_up(ws, stack.select(ws))
    assert caught.value.exit_code == ExitCode.UNAVAILABLE


def test_a_second_start_of_the_same_stack_names_the_first(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s}}")
    ws = made.workspace()
    plan = stack.plan_up(ws, stack.select(ws))
    with (
        lock(ws.state_dir / "locks" / "up-default.lock", "a test"),
        pytest.raises(LockedError, match=f"process {os.getpid()}") as caught,
    ):
        stack.execute(ws, plan)
    assert caught.value.exit_code == ExitCode.LOCKED
    assert not any(there(made.project).values())
