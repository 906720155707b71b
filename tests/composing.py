"""Compose stacks that tests start on the real engine, and what is left of them."""

from __future__ import annotations

import io
import os
import secrets
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.config.models import Config, Service, Stack
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Small, static, and with a label of its own; made once by the fixture `busybox`, and kept.
BUSYBOX: Final = "hullwright-test/busybox:1"
PREFIX: Final = "hullwright-test-"
_QUESTIONS: Final = 5


def docker(*words: str, check: bool = True, **environ: str) -> str:
    """Return what a docker command printed."""
    for _ in range(_QUESTIONS):
        done = subprocess.run(
            ("docker", *words),
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **environ},
        )
        # The engine fails a list of images when one of them is removed meanwhile.
        if done.returncode == 0 or words[:2] != ("image", "ls"):
            break
    assert done.returncode == 0 or not check, f"docker {words}: {done.stderr}"
    return done.stdout.strip()


def there(project: str) -> dict[str, list[str]]:
    """Return the containers, networks and volumes of a compose project, by kind."""
    label = ("--filter", f"label=com.docker.compose.project={project}")
    return {
        "containers": docker("ps", "-a", "--format", "{{.Names}}", *label).split(),
        "networks": docker("network", "ls", "--format", "{{.Name}}", *label).split(),
        "volumes": docker("volume", "ls", "--format", "{{.Name}}", *label).split(),
    }


def remove(project: str) -> None:
    """Remove all of a compose project that a test made."""
    left = there(project)
    if left["containers"]:
        docker("rm", "--force", "--volumes", *left["containers"], check=False)
    if left["networks"]:
        docker("network", "rm", *left["networks"], check=False)
    if left["volumes"]:
        docker("volume", "rm", *left["volumes"], check=False)


@dataclass
class Made:
    """A repository with a compose file, under a project name of its own.

    Attributes:
        folder: its root.
        project: name that nothing else has.
        environ: of its runs.
    """

    folder: Path
    project: str
    environ: dict[str, str] = field(default_factory=dict)

    def compose(self, services: str, rest: str = "") -> None:
        """Write the compose file: services, and what stands beside them."""
        text = f"name: {self.project}\nservices:\n{services}\n{rest}"
        (self.folder / "compose.yaml").write_text(text, encoding="utf-8")

    def workspace(self, stack: Stack | None = None, **services: Service) -> Workspace:
        """Return its workspace; what is told goes nowhere."""
        stack = stack or Stack("default", ("compose.yaml",))
        told = io.StringIO()
        console = Console(self.environ, out=told, err=told)
        config = Config(self.folder.name, stacks={stack.name: stack}, services=services)
        return Workspace(self.folder, config, Runner(self.environ), console, self.environ)


def new_project() -> str:
    """Return a project name that nothing else has."""
    return f"{PREFIX}{secrets.token_hex(4)}"


def environ_of(state: Path, **more: str) -> dict[str, str]:
    """Return an environment whose locks and state are a test's own."""
    kept: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")
    }
    return {**kept, "XDG_STATE_HOME": str(state), "NO_COLOR": "1", **more}
