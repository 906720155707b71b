"""The root stack by plain Compose, with a .env and without Hullwright."""

from __future__ import annotations

import json
import os
import subprocess
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import docker, new_project, remove
from hullwright.envfile import init
from replaying import workspace
from sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

# Nothing of the developer's own environment fills in for what the .env lacks.
VARIABLES: Final = ("POSTGRES_PASSWORD", "HISTORY_TOKEN", "PORT", "HULLWRIGHT_IMAGE")


def compose(project: str, dotenv: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run plain Compose on the root stack under a project name of its own."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in VARIABLES and not name.startswith("COMPOSE_")
    }
    return subprocess.run(
        [
            *("docker", "compose", "--project-name", project, "--project-directory", str(ROOT)),
            *("--file", str(ROOT / "docker-compose.yml"), "--env-file", str(dotenv), *words),
        ],
        check=False,
        capture_output=True,
        text=True,
        env=environ,
        timeout=300,
    )


@pytest.fixture(scope="module")
def dotenv(production_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .env that `env --init` made, for the image under test and a port of its own."""
    folder = tmp_path_factory.mktemp("dotenv")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    (folder / ".env.example").write_text(example, encoding="utf-8")
    (folder / ".gitignore").write_text(".env\n", encoding="utf-8")
    init(workspace(folder))
    file = folder / ".env"
    lines = [
        line
        for line in file.read_text(encoding="utf-8").splitlines()
        if not line.startswith(("PORT=", "HULLWRIGHT_IMAGE="))
    ]
    file.write_text("\n".join([*lines, "PORT=0", f"HULLWRIGHT_IMAGE={production_image}", ""]))
    return file


@pytest.fixture(scope="module")
def project(postgres_image: str, dotenv: Path) -> Iterator[str]:
    """Yield the project of a stack that is up and healthy; it is removed with its volumes."""
    name = new_project()
    try:
        done = compose(name, dotenv, "up", "--detach", "--wait", "--no-build")
        assert done.returncode == 0, done.stderr
        yield name
    finally:
        remove(name)


def inspected(project: str) -> dict[str, dict[str, Any]]:
    """Return the containers of a project by service."""
    label = f"label=com.docker.compose.project={project}"
    ids = docker("ps", "--all", "--quiet", "--filter", label).split()
    found = json.loads(docker("inspect", *ids))
    return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}


def test_every_service_becomes_what_it_should(project: str) -> None:
    found = inspected(project)
    assert found["db"]["State"]["Health"]["Status"] == "healthy"
    assert found["dashboard"]["State"]["Health"]["Status"] == "healthy"
    assert (found["migrate"]["State"]["Status"], found["migrate"]["State"]["ExitCode"]) == (
        "exited",
        0,
    )


def test_only_the_dashboard_is_published_and_only_on_loopback(project: str) -> None:
    published = {
        name: [binding for bindings in ports.values() if bindings for binding in bindings]
        for name, each in inspected(project).items()
        if (ports := each["NetworkSettings"]["Ports"]) is not None
    }
    assert published["db"] == []
    assert {binding["HostIp"] for binding in published["dashboard"]} == {"127.0.0.1"}
    port = int(published["dashboard"][0]["HostPort"])
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    connection.close()


def test_the_databases_network_has_no_way_out(project: str) -> None:
    (network,) = json.loads(docker("network", "inspect", f"{project}_database"))
    assert network["Internal"]
    assert set(inspected(project)["db"]["NetworkSettings"]["Networks"]) == {f"{project}_database"}


def test_every_container_is_confined_limited_and_logs_within_bounds(project: str) -> None:
    for name, each in inspected(project).items():
        host = each["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        assert host["NanoCpus"] > 0, name
        assert 0 < host["PidsLimit"] <= 200, name
        assert host["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}, name
        assert each["Config"]["User"] not in {"", "root", "0"}, name


# One at a time: of several that are missing Compose names any one.
@pytest.mark.parametrize("missing", ["POSTGRES_PASSWORD", "HISTORY_TOKEN"])
def test_a_missing_secret_stops_it_and_is_named(tmp_path: Path, missing: str) -> None:
    file = tmp_path / "partial.env"
    secrets = {"POSTGRES_PASSWORD", "HISTORY_TOKEN"} - {missing}
    file.write_text("".join(f"{name}=a-value-of-the-tests\n" for name in secrets))
    done = compose(new_project(), file, "up", "--detach", "--no-build")
    assert done.returncode != 0
    assert missing in done.stderr
    assert ".env.example" in done.stderr


def test_the_example_documents_every_variable(dotenv: Path) -> None:
    listed = compose(new_project(), dotenv, "config", "--variables", "--format", "json")
    variables = json.loads(listed.stdout)
    names = {
        entry["Name"]
        for entry in (variables.values() if isinstance(variables, dict) else variables)
    }
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert names
    assert not [name for name in names if f"{name}=" not in example]


def test_the_files_hold_no_secret_and_no_moving_tag() -> None:
    for name in ("docker-compose.yml", "docker-compose.dev.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert ":latest" not in text
        secrets = [line for line in text.splitlines() if "PASSWORD:" in line or "TOKEN:" in line]
        assert all("${" in line for line in secrets)


def test_the_development_files_fit_together(dotenv: Path) -> None:
    more = ("--file", str(ROOT / "docker-compose.dev.yml"))
    done = compose(new_project(), dotenv, *more, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert services["dashboard"]["build"]["target"] == "development"
    assert "--reload" in services["dashboard"]["command"]
    assert services["migrate"]["image"] == services["dashboard"]["image"]
