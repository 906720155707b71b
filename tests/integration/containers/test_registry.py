"""The profile `registry` of the root stack: a registry that takes a push and gives it back."""

from __future__ import annotations

import json
import os
import subprocess
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final

import pytest

from composing import docker, new_project, remove
from sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def compose(project: str, *words: str) -> str:
    """Return what plain Compose printed on the root stack under a name and a port of its own."""
    environ = {name: value for name, value in os.environ.items() if "COMPOSE_" not in name}
    # Compose wants every variable of the file, whichever service is meant.
    own = {"POSTGRES_PASSWORD": "unused", "HISTORY_TOKEN": "unused", "REGISTRY_PORT": "0"}
    done = subprocess.run(
        [
            *("docker", "compose", "--project-name", project, "--env-file", os.devnull),
            *("--file", str(ROOT / "docker-compose.yml"), *words),
        ],
        check=False,
        capture_output=True,
        text=True,
        env=environ | own,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def project(engine: str) -> Iterator[str]:
    """A project in which the profile is started; nothing of it stays."""
    name = new_project()
    try:
        compose(name, "--profile", "registry", "up", "--detach", "--wait", "registry")
        yield name
    finally:
        remove(name)


def test_what_is_pushed_is_there_and_can_be_deleted(project: str, busybox: str) -> None:
    address = compose(project, "--profile", "registry", "port", "registry", "5000")
    image = f"{address}/{project}:1"
    docker("tag", busybox, image)
    try:
        docker("push", "--quiet", image)
    finally:
        docker("image", "rm", image)
    connection = HTTPConnection(address, timeout=10)
    connection.request("GET", f"/v2/{project}/tags/list")
    assert json.load(connection.getresponse())["tags"] == ["1"]
    connection.request(
        "HEAD", f"/v2/{project}/manifests/1", headers={"Accept": ",".join(MANIFESTS)}
    )
    answer = connection.getresponse()
    answer.read()
    digest = answer.getheader("Docker-Content-Digest")
    connection.request("DELETE", f"/v2/{project}/manifests/{digest}")
    assert connection.getresponse().status == 202
    connection.close()


def test_it_is_confined_like_the_other_services(project: str) -> None:
    container = compose(project, "--profile", "registry", "ps", "--quiet", "registry")
    (seen,) = json.loads(docker("container", "inspect", container))
    host = seen["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] == 256 * 2**20
    assert [binding["HostIp"] for binding in host["PortBindings"]["5000/tcp"]] == ["127.0.0.1"]


def test_the_stack_itself_starts_none(project: str) -> None:
    assert "registry" not in compose(project, "config", "--services").split()


def test_words_that_are_no_configuration_are_a_command(engine: str) -> None:
    asked = docker("run", "--rm", "registry:2", "--version")
    assert asked == docker("run", "--rm", "registry:2", "registry", "--version")
    assert " 2." in asked or " v2." in asked
    assert docker("run", "--rm", "registry:2", "sh", "-c", "echo entered") == "entered"
