"""Docker through python-on-whales: the engine's own answers, told, and nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from composing import BUSYBOX, docker
from hullwright import stack
from hullwright.errors import UnavailableError
from hullwright.run import DryRunner, Runner
from hullwright.tools import engine, whales
from hullwright.tools.compose import PROJECT_LABEL

if TYPE_CHECKING:
    from composing import Made
    from hullwright.tools.engine import Container

pytestmark = pytest.mark.docker

_SERVICES = f"""
  app:
    image: {BUSYBOX}
    command: httpd -f -p 80
    stop_grace_period: 0s
    ports: ["127.0.0.1::80"]
    volumes: [data:/data]
    environment: {{PASSWORD: "correct horse"}}
    healthcheck: {{test: "true", interval: 1h, start_period: 5s, start_interval: 1s}}
  job:
    image: {BUSYBOX}
    command: sh -c "exit 3"
"""


@pytest.fixture
def started(made: Made, busybox: str) -> Made:
    """Return a repository whose stack has a service that is healthy, and a job that failed."""
    made.compose(_SERVICES, "volumes: {data: {}}")
    docker(
        "compose", "--file", str(made.folder / "compose.yaml"), "up", "--detach", "--wait", "app"
    )
    docker("compose", "--file", str(made.folder / "compose.yaml"), "up", "job")
    return made


def times(container: Container) -> list[float]:
    return [container.created_at, container.started_at, container.finished_at]


def timeless(container: Container) -> Container:
    return replace(container, created_at=0.0, started_at=0.0, finished_at=0.0, probes=())


def test_both_ways_see_the_same(started: Made) -> None:
    runner = Runner(started.environ)
    ours = engine.of_project(runner, started.project)
    theirs = whales.of_project(runner, started.project)
    assert [each.service for each in theirs] == ["app", "job"]
    assert (theirs[0].health, theirs[0].volumes) == ("healthy", (f"{started.project}_data",))
    assert theirs[0].published[0].host_port > 0
    assert theirs[1].exit_code == 3
    assert [timeless(each) for each in theirs] == [timeless(each) for each in ours]
    # Times are cut to microseconds there.
    assert [times(each) for each in theirs] == [
        pytest.approx(times(each), abs=1e-3) for each in ours
    ]
    assert [result.exit_code for result in theirs[0].probes] == [
        result.exit_code for result in ours[0].probes
    ]
    label = f"{PROJECT_LABEL}={started.project}"
    assert whales.container_ids(runner, label, "com.docker.compose.service=job") == (ours[1].id,)
    assert whales.networks(runner, label) == (f"{started.project}_default",)
    assert whales.volumes(runner, label) == (f"{started.project}_data",)
    wanted = [BUSYBOX, f"{started.project}:none"]
    assert whales.images(runner, wanted) == engine.images(runner, wanted)
    assert whales.info(runner).os_type == "linux"


def test_a_dry_run_looks_and_tells_of_it(started: Made) -> None:
    told: list[str] = []
    ws = replace(started.workspace(), runner=DryRunner(started.environ, echo=told.append))
    plan = stack.plan_down(ws, stack.select(ws), volumes=True)
    assert plan.volumes == (f"{started.project}_data",)
    label = f"--filter label={PROJECT_LABEL}={started.project}"
    assert f"docker volume list --quiet {label}" in told
    # What is echoed can be pasted: it gives what we were given.
    (listing,) = [line for line in told if line.startswith("docker container list")]
    shown = subprocess.run(["sh", "-c", listing], capture_output=True, text=True, check=True)
    assert len(shown.stdout.split()) == 2


def test_a_container_that_goes_meanwhile_is_no_failure(started: Made) -> None:
    removed: list[str] = []

    def remove(line: str) -> None:
        if line.startswith("docker container inspect") and not removed:
            removed.append(docker("rm", "--force", line.rsplit(maxsplit=1)[-1]))

    found = whales.of_project(Runner(started.environ, echo=remove), started.project)
    assert removed
    assert len(found) == 1


def test_the_engine_is_the_one_that_the_runner_names() -> None:
    nowhere = Runner({**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        whales.networks(nowhere)
    assert "/nonexistent/docker.sock" in f"{caught.value}"


def test_its_debugging_prints_no_environment() -> None:
    program = (
        "import os; from hullwright.run import Runner; from hullwright.tools import whales\n"
        "assert whales.info(Runner(os.environ)).architecture"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHON_ON_WHALES_DEBUG": "1", "PASSWORD": "correct horse"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_what_is_in_a_hurry_does_without_it() -> None:
    program = (
        "import sys, hullwright.build, hullwright.sizes, hullwright.stack, hullwright.coldstart\n"
        "import hullwright.bases\n"
        "assert not {'python_on_whales', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
