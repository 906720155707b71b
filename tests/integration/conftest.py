"""What integration tests share: the engine, a tiny image, and projects that are removed again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from composing import BUSYBOX, Made, docker, environ_of, new_project, remove, there
from spreading import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
LABEL dev.hullwright.kind=test
"""


@pytest.fixture(scope="session")
def engine() -> str:
    """Return the version of the engine; without one these tests cannot say anything."""
    done = subprocess.run(
        ("docker", "version", "--format", "{{.Server.Version}}"),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.fail(f"no engine answers: {done.stderr.strip()} (leave out with: -m 'not docker')")
    return done.stdout.strip()


@pytest.fixture(scope="session")
def busybox(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the reference of a static busybox, made from the system's package where missing."""
    folder = tmp_path_factory.mktemp("busybox")
    # Workers start at the same moment, and one image of theirs would replace the other's.
    with one_at_a_time(Path(tempfile.gettempdir()) / "hullwright-test-busybox.lock"):
        if not docker("image", "ls", "--quiet", BUSYBOX):
            shutil.copy(_static_busybox(folder), folder / "busybox")
            (folder / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
            docker("buildx", "build", "--quiet", "--load", "--tag", BUSYBOX, str(folder))
    return BUSYBOX


@pytest.fixture
def made(engine: str, tmp_path: Path) -> Iterator[Made]:
    """Yield a repository with a project of its own; what the test left of it is removed."""
    project = new_project()
    folder = tmp_path / project
    folder.mkdir()
    yield Made(folder, project, environ_of(tmp_path / "state"))
    remove(project)
    assert not any(there(project).values())


@pytest.fixture
def nothing_thrown_away_is_left(made: Made) -> Iterator[None]:
    """Hold that a test's cold starts left nothing that carries their label."""
    yield
    label = ("--filter", "label=dev.hullwright.kind=throwaway")
    left = [
        *docker("ps", "-a", "--format", "{{.Names}}", *label).split(),
        *docker("network", "ls", "--format", "{{.Name}}", *label).split(),
        *docker("volume", "ls", "--format", "{{.Name}}", *label).split(),
    ]
    # Others may have their own cold starts at this moment; ours are called after the project.
    assert [name for name in left if name.startswith(made.project)] == []


def _static_busybox(folder: Path) -> Path:
    """Return a statically linked busybox, from Debian's package."""
    download = ("apt-get", "download", "busybox-static")
    done = subprocess.run(download, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        # A machine whose package lists were never fetched.
        subprocess.run(("apt-get", "update"), check=True, capture_output=True)
        subprocess.run(download, cwd=folder, check=True, capture_output=True)
    package = next(folder.glob("busybox-static*.deb"))
    subprocess.run(("dpkg-deb", "--extract", str(package), str(folder)), check=True)
    return next(path for path in folder.glob("**/bin/busybox") if os.access(path, os.X_OK))
