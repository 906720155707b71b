"""Repositories of many shapes, without any configuration of ours: up, looked at, cold, and gone.

Each is walked through once, by the programs that people run. Shapes are walked two at a time, for
most of a walk is waiting for the engine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import docker, there
from repositories import isolated
from shapes import SHAPES
from shaping import Planted, planted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

pytestmark = pytest.mark.docker

_BIN: Final = Path(sys.executable).parent
_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Walk:
    """A repository on disk, and the programs that are run in it."""

    made: Planted
    environ: dict[str, str]

    def starts(self, program: str, *words: str) -> subprocess.Popen[str]:
        """Return a program that has begun."""
        return subprocess.Popen(
            (_BIN / program, *words),
            cwd=self.made.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str, *words: str) -> str:
        """Return what a program printed, once it ended with 0."""
        with self.starts(program, *words) as process:
            out, told = process.communicate(timeout=120)
        assert process.returncode == 0, f"{words}: {out}{told}"
        return out

    def json(self, program: str, *words: str) -> dict[str, Any]:
        """Return the values that a program printed, once it ended with 0."""
        printed: dict[str, Any] = json.loads(self.run(program, *words, "--format", "json"))
        return printed

    def walk(self) -> None:
        """Start, look, start again beside a cold start, and stop."""
        shape = self.made.shape
        if shape.builds:
            self.run("invoke", "build")
        up = self.json("invoke", "up")
        assert _statuses(up["services"]) == shape.up
        containers = _containers(up["project"])
        with self.starts("hullwright", "cold-start", "--format", "json") as cold:
            self.looks_as_it_was_started(containers)
            out, told = cold.communicate(timeout=120)
        self.was_started_beside(up["project"], out, told)
        assert cold.returncode == int(shape.unprobed), out + told
        assert _containers(up["project"]).keys() == containers.keys()
        self.goes_again(up["project"])

    def looks_as_it_was_started(self, containers: dict[str, str]) -> None:
        """Hold that nothing is made anew by a second start, and that all is shown."""
        shape = self.made.shape
        plan = self.run("hullwright", "up", "--dry").splitlines()[1:]
        kept = {service for service, status in shape.up.items() if status != "completed"}
        assert {line.split()[1].rstrip(":") for line in plan if " keep " in line} == kept, plan
        assert {line.split()[0] for line in plan} <= {"keep", "start"}, plan
        again = self.json("hullwright", "up")
        assert _statuses(again["services"]) == shape.up
        after = _containers(again["project"])
        assert after.keys() == containers.keys()
        shown = self.json("hullwright", "ps")
        scale = {service: shape.scale.get(service, 1) for service in shape.up}
        found = Counter(each["service"] for each in shown["services"])
        assert found == {service: count for service, count in scale.items() if count}
        running = {each["service"] for each in shown["services"] if each["state"] == "running"}
        assert running == {service for service in kept if scale[service]}
        logs = self.run("hullwright", "logs")
        assert [line for line in shape.logged if line not in logs] == []

    def was_started_beside(self, project: str, out: str, told: str) -> None:
        """Hold what a cold start found, and that it left nothing."""
        shape = self.made.shape
        assert out, told
        cold = json.loads(out)
        assert _statuses(cold["runs"][0]["services"]) == shape.up, out
        assert cold["verdict"] == ("failed" if shape.unprobed else "healthy"), out
        causes = {failure["cause"] for failure in cold["failures"]}
        assert causes == ({"no-healthcheck"} if shape.unprobed else set())
        assert cold["project"] != project
        assert not any(there(cold["project"]).values())

    def goes_again(self, project: str) -> None:
        """Hold that nothing of it is left, and that what is somebody else's is."""
        self.run("hullwright", "down")
        left = there(project)
        assert not left["containers"]
        assert not left["networks"]
        if left["volumes"]:
            self.run("hullwright", "down", "--volumes", "--yes")
        assert not any(there(project).values())
        for network in self.made.networks:
            docker("network", "inspect", network)
        for volume in self.made.volumes:
            docker("volume", "inspect", volume)


@pytest.fixture(scope="module")
def walks(
    request: pytest.FixtureRequest, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """Yield the walks through the shapes that were asked for; all begin at once, in turns."""
    assert busybox
    asked = [
        str(item.callspec.params["shape"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == _TEST
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {
            shape: pool.submit(_walked, shape, tmp_path_factory.mktemp("shape")) for shape in asked
        }


@pytest.mark.parametrize("shape", SHAPES)
def test_a_repository_of_this_shape_needs_no_configuration(
    walks: dict[str, Future[None]], shape: str
) -> None:
    walks[shape].result()


_TEST: Final = test_a_repository_of_this_shape_needs_no_configuration.__name__


def _walked(name: str, folder: Path) -> None:
    environ = isolated(folder / "home", XDG_STATE_HOME=str(folder / "state"), NO_COLOR="1")
    made = planted(SHAPES[name], folder, environ)
    try:
        Walk(made, environ).walk()
    finally:
        made.remove()


def _statuses(services: list[dict[str, Any]]) -> dict[str, str]:
    return {each["service"]: each["status"] for each in services}


def _containers(project: str) -> dict[str, str]:
    """Return when each container of a project was started, by its id."""
    label = f"label=com.docker.compose.project={project}"
    ids = docker("ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()
    shown = docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", *ids)
    return dict(line.split(" ") for line in shown.splitlines())
