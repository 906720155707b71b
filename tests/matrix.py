"""A Git repository with many tiny services, some built on each other, for the real engine.

Each service has a folder `services/NAME` with a Dockerfile and a script `steps.sh`, which is its
only RUN: what it does decides whether the service can be built, and for how long it takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import imaging
from composing import BUSYBOX, docker
from repositories import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Variables of the machine that runs the tests, which would change what a task prints or does.
_FOREIGN = ("HULLWRIGHT_", "COMPOSE_", "GITHUB_", "GITLAB_", "GIT_", "BUILDX_", "BUILDKIT_")
_FOREIGN_NAMES = frozenset({"CI", "FORCE_COLOR", "SSL_CERT_FILE"})


def _environ() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    return {k: v for k, v in kept.items() if k not in _FOREIGN_NAMES} | {
        "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }


@dataclass
class Matrix:
    """A repository of many services.

    Attributes:
        repository: its Git repository; `root` is its folder.
        project: unique name; images are called `PROJECT/NAME`, behind `registry` where there is
            one.
        names: of its services, in the order of the configuration.
        registry: such as `127.0.0.1:5000/team`; empty for none.
        limit_s: after which a run is given up.
    """

    repository: Repository
    project: str
    names: tuple[str, ...]
    registry: str = ""
    environ: dict[str, str] = field(default_factory=_environ, repr=False)
    limit_s: float = 300

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.repository.root

    def steps(self, name: str, script: str) -> None:
        """Let the only RUN of a service do this; not committed."""
        # The unique name keeps the step from being cached by an earlier run of the tests.
        text = f"echo {self.project} {name}\n{script}\n"
        self.repository.write(f"services/{name}/steps.sh", text)

    def change(self, name: str) -> None:
        """Change an input of a service; not committed."""
        self.steps(name, f"echo {uuid4().hex}")

    def fail(self, name: str) -> None:
        """Let a service fail; not committed."""
        self.steps(name, "echo broken on purpose >&2; exit 3")

    def commit(self, *tags: str) -> str:
        """Commit everything, tag it, and return the commit."""
        return self.repository.commit(*tags)

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Start `hullwright …` in a process group of its own, as a terminal's job."""
        return subprocess.Popen(
            (sys.executable, "-m", "hullwright", *words),
            cwd=self.root,
            env={**self.environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def run(self, *words: str, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `hullwright …` and return what it gave; another exit code fails the test."""
        with self.start(*words, **more) as process:
            try:
                out, errors = process.communicate(timeout=self.limit_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        done = subprocess.CompletedProcess(words, process.returncode, out, errors)
        assert done.returncode == code, f"{words}: {done.returncode}\n{out}\n{errors}"
        return done

    def json(self, *words: str, code: int = 0, **more: str) -> Any:
        """Run a task and return its machine form."""
        return json.loads(self.run(*words, "--format", "json", code=code, **more).stdout)

    def statuses(self, *words: str, code: int = 0) -> dict[str, str]:
        """Run `hullwright build …` and return the status of each service."""
        told = self.json("build", *words, code=code)
        return {target["service"]: target["status"] for target in told["targets"]}

    def images(self) -> list[str]:
        """Return the digests of its images in the local store."""
        return imaging.labelled(self.project)

    def remove(self) -> None:
        """Remove its images from the local store."""
        images = self.images()
        if images:
            docker("image", "rm", "--force", *images, check=False)


def made(
    folder: Path,
    count: int = 8,
    *,
    on: Mapping[str, str] | None = None,
    registry: str = "",
    configuration: str = "",
    tag: str = "v1.0.0",
) -> Matrix:
    """Return a repository with one commit of services `s0` … that are built on busybox.

    The fixture `busybox` must have made its image.

    Args:
        folder: where it is made.
        count: how many services.
        on: services by those that they are built on, such as `{"s1": "s0"}` for `FROM` s0's image.
        registry: of its configuration.
        configuration: more lines of its `hullwright.toml`, before its tables.
        tag: of the first commit; the next commit makes it a development version.
    """
    project = f"hwtest-{uuid4().hex[:10]}"
    names = tuple(f"s{number}" for number in range(count))
    environ = _environ()
    matrix = Matrix(Repository.made(folder / project, environ), project, names, registry, environ)
    lines = [f'project = "{project}"']
    lines += [f'registry = "{registry}"'] if registry else []
    lines += [configuration]
    for name in names:
        base = f"{project}/{on[name]}" if on and name in on else BUSYBOX
        matrix.repository.write(
            f"services/{name}/Dockerfile",
            f"FROM {base}\nCOPY steps.sh /{name}.sh\nRUN sh /{name}.sh > /{name}.txt\n",
        )
        matrix.steps(name, "true")
        folder_of = f"services/{name}"
        lines += [
            f"[services.{name}]",
            f'context = "{folder_of}"',
            f'dockerfile = "{folder_of}/Dockerfile"',
            f'image = "{project}/{name}"',
        ]
    matrix.repository.write("hullwright.toml", "\n".join(lines) + "\n")
    matrix.repository.write(".gitignore", ".hullwright/\n")
    matrix.commit(*([tag] if tag else []))
    return matrix


@contextmanager
def matrix_in(folder: Path, count: int = 8, **more: Any) -> Iterator[Matrix]:
    """Yield what `made` makes; its images are removed again."""
    matrix = made(folder, count, **more)
    try:
        yield matrix
    finally:
        imaging.forget(matrix.project)
