"""The image for CI jobs: every tool is there, and a job's script runs as on GitLab."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import imaging
from composing import docker, environ_of
from hullwright.provision.facts import BUILDX_FLOOR, COMPOSE_FLOOR, SOPS_FLOOR, version_tuple
from hullwright.run import Runner
from repositories import isolated
from sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

SOCKET: Final = "/var/run/docker.sock"
TASKS: Final = "from hullwright.tasks import collection\nns = collection()\n"


def plugin(name: str) -> str:
    """Return the path of a plugin of this machine's client."""
    plugins = json.loads(docker("info", "--format", "{{json .ClientInfo.Plugins}}"))
    return next(str(entry["Path"]) for entry in plugins if entry["Name"] == name)


@pytest.fixture(scope="module")
def toolbox(production_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image on this repository's own, with this machine's buildx and sops.

    To compile those two takes minutes; named contexts stand in for the stages that do.
    """
    folder = tmp_path_factory.mktemp("toolbox")
    shutil.copy(plugin("buildx"), folder / "docker-buildx")
    shutil.copy(Runner(os.environ).resolve("sops"), folder / "sops")
    image = f"hullwright-test/toolbox:{secrets.token_hex(4)}"
    bundle = os.environ.get("SSL_CERT_FILE", "")
    secret = [f"--secret=id=ca-bundle,src={bundle}"] if Path(bundle).is_file() else []
    docker(
        *("buildx", "build", "--quiet", "--load", "--provenance=false", f"--tag={image}"),
        f"--build-context=hullwright:local=docker-image://{production_image}",
        *(f"--build-context={stage}={folder}" for stage in ("buildx", "sops")),
        *secret,
        str(ROOT / "deploy/toolbox"),
    )
    try:
        yield image
    finally:
        docker("image", "rm", "--force", image, check=False)


def job(image: str, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitLab's runner does: on a shell's standard input, the socket mounted."""
    return subprocess.run(
        ["docker", "run", "--rm", "-i", "-v", f"{SOCKET}:{SOCKET}", *words, image, "sh"],
        input=f"set -e\n{script}\n",
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_every_tool_is_there_and_not_below_its_floor(toolbox: str) -> None:
    done = job(
        toolbox,
        "docker version --format '{{.Server.Version}}'\n"
        "docker buildx version\n"
        "docker compose version --short\n"
        "sops --version --disable-version-check\n"
        "age --version\n"
        "age-keygen --version\n"
        "git --version\n"
        "hullwright --version\n"
        "invoke --version\n"
        "nox --version",
    )
    assert done.returncode == 0, done.stderr
    engine, buildx, compose, sops, age, *_ = done.stdout.splitlines()
    assert engine == docker("version", "--format", "{{.Server.Version}}")
    found = re.search(r"\s(v?\d[\d.]*)", buildx)
    assert found is not None
    assert version_tuple(found[1]) >= BUILDX_FLOOR
    assert version_tuple(compose) >= COMPOSE_FLOOR
    assert version_tuple(sops.split()[1]) >= SOPS_FLOOR
    assert version_tuple(age) >= (1, 1)


def test_nothing_stands_between_a_job_and_its_shell(toolbox: str) -> None:
    (seen,) = json.loads(docker("image", "inspect", toolbox))
    config = seen["Config"]
    assert not config.get("Entrypoint")
    assert config["Cmd"] == ["bash"]
    assert config["User"] in {"0", "0:0", "root"}
    assert config["Healthcheck"]["Test"] == ["NONE"]
    assert docker("run", "--rm", toolbox, "sh", "-c", "echo $HOME; id -u").split() == ["/root", "0"]


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """A repository of a user, one commit old, that belongs to somebody else than the job's user."""
    folder = tmp_path / f"hullwright-test-{secrets.token_hex(4)}"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY tasks.py /\n", encoding="utf-8")
    (folder / "tasks.py").write_text(TASKS, encoding="utf-8")
    (folder / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    environ = environ_of(tmp_path / "state") | isolated(tmp_path)
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "x")):
        subprocess.run(("git", *words), cwd=folder, env=environ, check=True)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 4242, 4242)
    yield folder
    imaging.forget(folder.name)


def test_a_job_builds_a_repository_that_another_user_cloned(toolbox: str, repository: Path) -> None:
    place = f"/builds/{repository.name}"
    mounted = ("-v", f"{repository}:{place}", "-w", place)
    done = job(toolbox, "hullwright version --format json\nhullwright build", *mounted)
    assert done.returncode == 0, done.stdout + done.stderr
    version, _ = json.JSONDecoder().raw_decode(done.stdout)
    image = f"{repository.name}:{version['image_tag']}"
    form = '{{index .Config.Labels "org.opencontainers.image.version"}}'
    assert docker("image", "inspect", "--format", form, image) == version["version"]


def test_an_exported_tree_does_not_get_the_version_of_the_image(toolbox: str) -> None:
    done = job(toolbox, "cd /tmp && hullwright version")
    assert done.returncode == 2
    assert "Git is where a version comes from" in done.stderr
