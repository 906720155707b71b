"""The production image of this repository: who it runs as, what it says, how it ends."""

from __future__ import annotations

import json
import secrets
import subprocess
import tarfile
from typing import IO, TYPE_CHECKING, Any, Final

import pytest

from composing import docker

from .conftest import COMMIT, DATE, VERSION, built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Containers

pytestmark = pytest.mark.docker

CONFINED: Final = (
    *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp"),
    # Nobody is at this address: the service is alive without its database, and not ready.
    *("--env=HULLWRIGHT_DATABASE_HOST=127.0.0.1", "--env=HULLWRIGHT_DATABASE_PASSWORD=p"),
    "--env=HULLWRIGHT_HISTORY_TOKEN=a-token-of-the-tests",
)


def config_of(image: str) -> dict[str, Any]:
    """Return the configuration of an image."""
    (found,) = json.loads(docker("image", "inspect", image))
    config: dict[str, Any] = found["Config"]
    return {**config, "Layers": found["RootFS"]["Layers"]}


def test_it_declares_who_it_is_and_how_it_is_checked(production_image: str) -> None:
    config = config_of(production_image)
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python", "-m", "hullwright.dashboard"]
    assert config["Cmd"] == ["serve"]
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["StopSignal"] == "SIGTERM"
    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in config["Labels"].items()
    }
    assert (labels["version"], labels["revision"], labels["created"]) == (VERSION, COMMIT, DATE)
    assert (labels["title"], labels["licenses"]) == ("hullwright", "MIT")


def test_the_command_line_in_it_tells_version_commit_and_date(production_image: str) -> None:
    words = ("--rm", "--read-only", "--network=none", "--entrypoint=hullwright", production_image)
    told = json.loads(docker("run", *words, "version", "--format", "json"))
    assert told["version"] == VERSION
    assert told["revision"] == COMMIT
    assert told["commit_date"].startswith("2026-01-02T03:04:05")


def test_it_serves_without_rights_and_ends_with_0(
    production_image: str, containers: Containers
) -> None:
    container = containers.run(*CONFINED, production_image)
    _healthy(container)
    assert docker("exec", container, "id", "-u") == "10001"
    check = ("exec", container, "python", "-m", "hullwright.dashboard", "healthcheck")
    assert "200" in docker(*check)
    ready = subprocess.run(
        ["docker", *check, "/readyz"], check=False, capture_output=True, text=True
    )
    assert ready.returncode == 1
    docker("stop", "--time=10", container)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container) == "0"


def test_nothing_in_it_installs_or_can_be_changed(production_image: str) -> None:
    script = """
    ls /opt/hullwright/bin | grep -cE '^(pip|uv)[0-9.]*$' || true
    find / -xdev -user 10001 | grep -vc '^/proc' || true
    find / -xdev -path /proc -prune -o -perm -4000 -type f -newer /opt/hullwright/pyvenv.cfg -print
    find /root /tmp /var/cache/apt /var/lib/apt/lists -type f | grep -v lock | wc -l
    """
    words = ("--rm", "--read-only", "--network=none", "--user=0", "--entrypoint=sh")
    pip, owned, left = docker("run", *words, production_image, "-c", script).splitlines()
    assert (pip, owned) == ("0", "0")
    # A shell's profile is all that the base has in root's home.
    assert int(left) <= 4


def test_its_byte_code_is_there(production_image: str) -> None:
    script = "import os, hullwright.cli as m; print(os.path.exists(m.__cached__))"
    words = ("--rm", "--read-only", "--network=none", "--entrypoint=python", production_image)
    assert docker("run", *words, "-c", script) == "True"


def test_the_sites_certificates_leave_no_trace(production_image: str, python_image: str) -> None:
    base = len(config_of(python_image)["Layers"])
    names = {name.strip("/") for layer in [*_layers(production_image)][base:] for name in layer}
    assert "opt/hullwright/bin/python" in names
    traces = ("etc/ssl", "run/", "root/", "tmp/", "usr/local/share/ca-certificates")
    assert not [name for name in names if name.startswith(traces)]


def test_a_new_commit_changes_no_layer(production_image: str, snapshot: Path) -> None:
    with built(snapshot, "production", f"1.2.4-{secrets.token_hex(4)}") as later:
        assert config_of(later)["Layers"] == config_of(production_image)["Layers"]
        assert config_of(later)["Labels"] != config_of(production_image)["Labels"]


def _healthy(container: str) -> None:
    words = (
        *("timeout", "60", "docker", "events", "--since=5m", f"--filter=container={container}"),
        *("--filter=event=health_status", "--format={{.Action}}"),
    )
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as events:
        assert events.stdout is not None
        for line in events.stdout:
            if line.strip().endswith(": healthy"):
                events.terminate()
                return
    pytest.fail(docker("logs", container, check=False) or "it never became healthy")


def _layers(image: str) -> Iterator[list[str]]:
    """Yield the names in each layer of an image, lowest first, from one `docker save`."""
    found: dict[str, list[str]] = {}
    manifest: list[dict[str, Any]] = []
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        with tarfile.open(fileobj=saved.stdout, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is None:
                    continue
                if member.name == "manifest.json":
                    manifest = json.load(content)
                elif member.size > 512 and member.name.startswith("blobs/"):
                    found[member.name] = _names(content)
        saved.stdout.read()
    yield from (found.get(name, []) for name in manifest[0]["Layers"])


def _names(content: IO[bytes]) -> list[str]:
    try:
        with tarfile.open(fileobj=content, mode="r|*") as layer:
            return [member.name for member in layer]
    except tarfile.ReadError:
        return []  # a manifest or a configuration
