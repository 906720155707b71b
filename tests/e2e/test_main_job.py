"""The main job, as a new user does it: each test is one invariant of the same run."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from e2e.conftest import Clone

from e2e.conftest import INVOKE

pytestmark = pytest.mark.docker

# The main job's own service: the other one, for CI jobs, takes minutes to compile.
PRODUCTION = ("build", "--service", "hullwright", "--target", "production")


@pytest.fixture(scope="module")
def done(clone: Clone) -> dict[str, Any]:
    """What the main job's steps reported, in their machine form."""
    return {
        "build": clone.json(*PRODUCTION),
        "decrypt": json.loads(clone.invoke("decrypt", "--report", "json")),
        # Its budget is for a machine that does nothing else; benchmarks hold it.
        "cold-start": clone.json("cold-start", "--budget", "10m"),
        "sizes": clone.json("sizes"),
        "up": clone.json("up"),
    }


def get(url: str) -> str:
    with urlopen(url, timeout=10) as answer:  # noqa: S310  our own dashboard on loopback
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def page(clone: Clone, done: dict[str, Any]) -> str:
    return get(clone.url)


def test_what_was_built_is_what_git_says(clone: Clone, done: dict[str, Any]) -> None:
    version = clone.json("version")
    (target,) = done["build"]["targets"]
    assert target["status"] == "built"
    assert target["reference"].endswith(f"/hullwright:{version['image_tag']}")
    revision = clone.run("git", "rev-parse", "HEAD").stdout.strip()
    assert version["revision"] == revision


def test_the_decrypted_file_is_for_its_owner_only_and_not_for_git(
    clone: Clone, done: dict[str, Any]
) -> None:
    file = clone.path / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(done["decrypt"]["variables"]) == {"POSTGRES_PASSWORD", "HISTORY_TOKEN"}
    assert clone.run("git", "status", "--porcelain").stdout == ""


def test_a_cold_start_sees_every_service_healthy_and_leaves_nothing(
    clone: Clone, done: dict[str, Any]
) -> None:
    (run,) = done["cold-start"]["runs"]
    statuses = {service["service"]: service["status"] for service in run["services"]}
    assert statuses == {"db": "healthy", "migrate": "completed", "dashboard": "healthy"}
    assert run["critical_path"] == ["db", "migrate", "dashboard"]
    left = clone.containers("label=dev.hullwright.kind=throwaway")
    named = [clone.run("docker", "inspect", "-f", "{{.Name}}", each).stdout for each in left]
    assert not [name for name in named if f"{clone.project}-cold" in name]


def test_the_stack_runs_the_very_image_that_was_built(clone: Clone, done: dict[str, Any]) -> None:
    (target,) = done["build"]["targets"]
    (container,) = clone.containers(
        f"label=com.docker.compose.project={clone.project}",
        "label=com.docker.compose.service=dashboard",
    )
    image = clone.run("docker", "inspect", "-f", "{{.Image}}", container).stdout.strip()
    assert image == target["digest"]


def test_the_page_shows_the_runs_from_before_the_dashboard_was_there(
    clone: Clone, page: str, done: dict[str, Any]
) -> None:
    records = json.loads(get(f"{clone.url}/records"))["records"]
    assert [record["kind"] for record in records] == ["up", "sizes", "cold-start", "build"]
    version = clone.json("version")["version"]
    assert {record["version"] for record in records} == {version}
    assert page.count(f'<span title="{version}">') == len(records)
    for heading in ("Builds", "Cold starts", "Sizes", "Other runs"):
        assert f"<h2>{heading}</h2>" in page


def test_the_image_knows_its_version(clone: Clone, done: dict[str, Any]) -> None:
    version = clone.json("version")["version"]
    (target,) = done["build"]["targets"]
    told = clone.run(
        "docker", "run", "--rm", "--read-only", "--entrypoint", "hullwright",
        target["reference"], "version", "--format", "json",
    )  # fmt: skip
    assert json.loads(told.stdout)["version"] == version
    assert json.loads(get(f"{clone.url}/version"))["version"] == version


def test_no_secret_value_stands_in_what_hullwright_keeps(
    clone: Clone, done: dict[str, Any]
) -> None:
    values = [
        line.partition("=")[2].strip('"')
        for line in (clone.path / ".env").read_text().splitlines()
        if re.match(r"[A-Z]", line)
    ]
    assert len(values) == 2
    kept = [file for file in (clone.path / ".hullwright").rglob("*") if file.is_file()]
    assert kept
    for file in kept:
        content = file.read_bytes()
        assert not [value for value in values if value.encode() in content], file


def test_an_unchanged_build_is_current(clone: Clone, done: dict[str, Any]) -> None:
    (first,) = done["build"]["targets"]
    (target,) = clone.json(*PRODUCTION)["targets"]
    assert (target["status"], target["steps"]) == ("current", 0)
    assert target["digest"] == first["digest"]


def test_a_forced_build_runs_no_step_again(clone: Clone, done: dict[str, Any]) -> None:
    (target,) = clone.json(*PRODUCTION, "--force")["targets"]
    assert target["cached_steps"] == target["steps"] > 0
    (first,) = done["build"]["targets"]
    assert target["digest"] == first["digest"]


def test_up_again_changes_nothing(clone: Clone, done: dict[str, Any]) -> None:
    def started() -> str:
        ids = clone.containers(f"label=com.docker.compose.project={clone.project}")
        inspected = clone.run("docker", "inspect", "-f", "{{.Id}} {{.Created}}", *sorted(ids))
        return inspected.stdout

    before = started()
    clone.json("up")
    assert started() == before


def test_exec_gives_the_exit_code_of_its_command(clone: Clone, done: dict[str, Any]) -> None:
    clone.invoke("exec", "--service", "dashboard", "--command", "python -c 'exit(7)'", code=7)


def test_logs_survive_a_reader_that_has_enough(clone: Clone, done: dict[str, Any]) -> None:
    piped = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{INVOKE} logs | head -n 1"],
        cwd=clone.path,
        env=clone.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert piped.returncode == 0, piped.stderr
    assert len(piped.stdout.splitlines()) == 1
    assert "Traceback" not in piped.stderr


def test_volumes_are_not_removed_unasked(clone: Clone, done: dict[str, Any]) -> None:
    told = clone.run(str(INVOKE), "down", "--volumes", code=2)
    assert "nothing was removed" in told.stderr
    assert "nobody is here to be asked" in told.stderr
    assert clone.containers(f"label=com.docker.compose.project={clone.project}")
