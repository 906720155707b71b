"""The images under test, and containers that are removed again."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from composing import docker
from sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

POSTGRES: Final = "postgres:17-trixie"
PYTHON: Final = "python:3.13-slim-trixie"
VERSION: Final = "1.2.3-rc.1"
COMMIT: Final = "0123456789abcdef0123456789abcdef01234567"
DATE: Final = "2026-01-02T03:04:05Z"
_DEADLINE_S: Final = 60


@dataclass
class Containers:
    """Starts containers that carry the tests' label and end with the test."""

    started: list[str] = field(default_factory=list)

    def run(self, *words: str) -> str:
        """Start a container in the background; return its name."""
        name = f"hullwright-test-{secrets.token_hex(4)}"
        self.started.append(name)
        docker("run", "--detach", f"--name={name}", "--label=dev.hullwright.kind=test", *words)
        return name

    def remove(self, container: str) -> None:
        """Remove a container now, so that its image can be."""
        docker("rm", "--force", "--volumes", container)
        self.started.remove(container)

    def until(self, container: str, text: str, count: int = 1) -> list[str]:
        """Follow a container's log until `text` was said `count` times; return the lines."""
        words = ["timeout", str(_DEADLINE_S), "docker", "logs", "--follow", container]
        lines: list[str] = []
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as logs:
            assert logs.stdout is not None
            for line in logs.stdout:
                lines.append(line.rstrip())
                if sum(text in seen for seen in lines) == count:
                    logs.terminate()
                    return lines
        pytest.fail(f"{text!r} was not said:\n" + "\n".join(lines))


@contextmanager
def kept_containers() -> Iterator[Containers]:
    """Yield a starter of containers; what it started is removed, its volumes too."""
    made = Containers()
    try:
        yield made
    finally:
        if made.started:
            docker("rm", "--force", "--volumes", *made.started, check=False)


@pytest.fixture
def containers(engine: str) -> Iterator[Containers]:
    with kept_containers() as made:
        yield made


@pytest.fixture(scope="session")
def postgres_image(engine: str) -> str:
    return present(POSTGRES)


@pytest.fixture(scope="session")
def python_image(engine: str) -> str:
    return present(PYTHON)


def present(image: str) -> str:
    """Return an image that is in the local store; tests build no base image by themselves."""
    if not docker("image", "ls", "--quiet", image):
        pytest.fail(f"{image} is not present: invoke images --prepare --stand-ins")
    return image


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the images are built from, so that nobody changes it between two builds."""
    folder = tmp_path_factory.mktemp("snapshot")
    for name in ("src", "tests", "requirements", "deploy/base-images"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="session")
def production_image(python_image: str, snapshot: Path) -> Iterator[str]:
    """Build this repository's production image under a name of its own."""
    with built(snapshot, "production", VERSION) as image:
        yield image


@contextmanager
def built(sources: Path, target: str, version: str) -> Iterator[str]:
    """Build a stage of the root Dockerfile as any CI job would; the tag is removed afterwards."""
    image = f"hullwright-test/{target}:{secrets.token_hex(4)}"
    bundle = os.environ.get("SSL_CERT_FILE", "")
    secret = [f"--secret=id=ca-bundle,src={bundle}"] if Path(bundle).is_file() else []
    docker(
        *("buildx", "build", "--quiet", "--load", "--provenance=false", f"--target={target}"),
        *secret,
        *(f"--build-arg=VERSION={version}", f"--build-arg=GIT_COMMIT={COMMIT[:7]}"),
        f"--build-arg=GIT_REVISION={COMMIT}",
        *(f"--build-arg=BUILD_DATE={DATE}", f"--tag={image}", str(sources)),
    )
    try:
        yield image
    finally:
        docker("image", "rm", "--force", image, check=False)
