"""A fresh clone of this repository, with names and ports that are nobody else's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
INVOKE = Path(sys.executable).parent / "invoke"


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
        images = made.run("docker", "image", "ls", "--quiet", f"{project}.invalid/*").stdout.split()
        if images:
            made.run("docker", "image", "rm", "--force", *images)
