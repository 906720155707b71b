"""Repositories in which tasks run as people call them, with names and ports of their own.

One is a fresh clone of this repository; the others are small, and written by the test.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

import imaging
from composing import docker, environ_of, new_project, remove, there
from integration.conftest import busybox, engine
from repositories import isolated

if TYPE_CHECKING:
    from collections.abc import Iterator

# Fixtures of the integration tests that are used here too.
__all__ = ["busybox", "engine"]

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INVOKE = BIN / "invoke"

# What the documentation tells people to write, and nothing more.
TASKS = "from hullwright.tasks import collection\nns = collection()\n"
NOXFILE = """\
# /// script
# dependencies = ["nox", "hullwright"]
# ///
from hullwright.sessions import register
register()
"""
# A stack of one service that runs, and one that never becomes healthy; IMAGE is written in.
COMPOSE: Final = """\
services:
  web:
    image: IMAGE
    command: sleep 600
    stop_grace_period: 0s
"""
NEVER_HEALTHY: Final = f"""{COMPOSE}
    healthcheck: {{test: "echo the queue is full; exit 1", interval: 100ms, retries: 1000}}
"""
# Variables of the machine that runs the tests, which would change what a task prints or does.
_FOREIGN = ("HULLWRIGHT_", "COMPOSE_", "GITHUB_", "GITLAB_", "GIT_", "SOPS_", "NOX")
_FOREIGN_NAMES = frozenset({"CI", "FORCE_COLOR", "NO_COLOR", "PORT"})


def told(text: str) -> list[str]:
    """Return the lines of a message without the alignment of their columns."""
    return [" ".join(line.split()) for line in text.splitlines()]


@dataclass
class Clone:
    """A clone, and the environment in which its tasks run."""

    path: Path
    project: str
    port: int
    environ: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        """The dashboard's address."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a program in the clone and return what it gave; another exit code fails the test."""
        done = subprocess.run(
            words,
            cwd=self.path,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def invoke(self, *words: str, code: int = 0) -> str:
        """Run a task and return what it printed as its result."""
        return self.run(str(INVOKE), *words, code=code).stdout

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a task and return its machine form."""
        return json.loads(self.invoke(*words, "--format", "json", code=code))

    def containers(self, *filters: str) -> list[str]:
        """Return the ids of containers, stopped ones included, that match a filter."""
        flags = [word for each in filters for word in ("--filter", each)]
        return self.run("docker", "ps", "--all", "--quiet", *flags).stdout.split()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone in which the production image is built; its stack and images go afterwards."""
    folder = tmp_path_factory.mktemp("e2e") / "hullwright"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
    project = f"hullwright-e2e-{uuid4().hex[:8]}"
    port = free_port()
    environ = {
        **os.environ,
        "COMPOSE_PROJECT_NAME": project,
        # Images of its own name: removing them must not remove the developer's.
        "HULLWRIGHT_REGISTRY": f"{project}.invalid",
        "HULLWRIGHT_HISTORY": f"http://127.0.0.1:{port}",
        "PORT": str(port),
    }
    made = Clone(folder, project, port, environ)
    try:
        yield made
    finally:
        made.invoke("down", "--volumes", "--yes")
        imaging.remove(imaging.matching(f"{project}.invalid/*"))


@dataclass
class Shop:
    """A small repository of a team that adopts the suite.

    Attributes:
        path: its folder; its name is the project's, since nothing says otherwise.
        image: reference of an image with a shell.
        environ: of its runs.
    """

    path: Path
    image: str
    environ: dict[str, str] = field(repr=False)

    @property
    def project(self) -> str:
        """The project's name, which nothing else has."""
        return self.path.name

    def write(self, name: str, text: str, *, mode: int = 0o644) -> Path:
        """Write a file; IMAGE in it stands for the image."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("IMAGE", self.image), encoding="utf-8")
        path.chmod(mode)
        return path

    def commit(self) -> Shop:
        """Commit everything; the first one makes the repository."""
        for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "x")):
            subprocess.run(("git", *words), cwd=self.path, env=self.environ, check=True)
        return self

    def call(self, *words: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run an installed program and return what it gave; another exit code fails the test."""
        program = BIN / words[0] if (BIN / words[0]).exists() else words[0]
        done = subprocess.run(
            (str(program), *words[1:]),
            cwd=self.path,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    @contextmanager
    def running(self, *words: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
        """Yield an installed program that runs in a process group of its own, as in a terminal."""
        with subprocess.Popen(
            (str(BIN / words[0]), *words[1:]),
            cwd=self.path,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    # A program that it started may outlive it.
                    os.killpg(process.pid, signal.SIGKILL)

    def projects(self) -> list[str]:
        """Return the compose projects of this repository that have anything: throwaways too."""
        label = "com.docker.compose.project"
        form = f'{{{{.Label "{label}"}}}}'
        listed = {
            *docker("ps", "--all", "--filter", f"label={label}", "--format", form).split(),
            *docker("network", "ls", "--filter", f"label={label}", "--format", form).split(),
            *docker("volume", "ls", "--filter", f"label={label}", "--format", form).split(),
        }
        return sorted(name for name in listed if name.startswith(self.project))

    def remove(self) -> None:
        """Remove what the test made of containers, networks, volumes and images."""
        for project in self.projects():
            remove(project)
            assert not any(there(project).values())
        imaging.forget(self.project)


def shop_environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose state is a test's own, and in which nothing of CI stands."""
    state = environ_of(tmp_path / "state")
    kept = {
        k: v for k, v in state.items() if not k.startswith(_FOREIGN) and k not in _FOREIGN_NAMES
    }
    identity = {k: v for k, v in isolated(tmp_path).items() if k.startswith("GIT_")}
    return {**kept, **identity}


@pytest.fixture
def bare(tmp_path: Path) -> Shop:
    """An empty folder, for what needs no engine; `commit` makes it a repository."""
    folder = tmp_path / new_project()
    folder.mkdir()
    (folder / "tasks.py").write_text(TASKS, encoding="utf-8")
    return Shop(folder, "scratch", shop_environ(tmp_path))


@pytest.fixture
def shop(bare: Shop, busybox: str) -> Iterator[Shop]:
    """An empty folder with an image to build and start from; what it made is removed again."""
    bare.image = busybox
    yield bare
    bare.remove()


@pytest.fixture
def programs(bare: Shop) -> Path:
    """A folder that is first on PATH, for programs that stand in for those of the machine."""
    folder = bare.path.parent / "programs"
    folder.mkdir()
    bare.environ["PATH"] = f"{folder}{os.pathsep}{bare.environ['PATH']}"
    return folder


def stand_in(folder: Path, name: str, script: str) -> None:
    """Write a program of shell lines."""
    path = folder / name
    path.write_text(f"#!{shutil.which('sh')}\n{script}", encoding="utf-8")
    path.chmod(0o755)
