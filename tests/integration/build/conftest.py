"""A shop with Dockerfiles that is built by the real engine, and whose images are removed again."""

from __future__ import annotations

import io
import os
import subprocess
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

import imaging
from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.config.models import Build, Config, Service
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.workspace import Workspace
from repositories import Repository, isolated
from yards import Yard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullwright.build import BuildReport, TargetResult
    from hullwright.secret import Secret


def docker(*words: str, check: bool = True) -> str:
    """Return what a docker command prints."""
    done = subprocess.run(("docker", *words), check=check, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class Shop:
    """A repository with services that were written for one test.

    Attributes:
        root: its folder.
        project: unique name, by which its images are found and removed.
        base: a reference with a shell.
        commands: every command that the runner started.
    """

    root: Path
    project: str
    base: str
    services: dict[str, Service] = field(default_factory=dict)
    ca_bundle: str = ""
    commands: list[str] = field(default_factory=list)

    def service(self, dockerfile: str, service: Service | None = None) -> Shop:
        """Add a service.

        `BASE` in its Dockerfile stands for an image with a shell, `PROJECT` for the unique name,
        without which a step may be cached from an earlier run of the tests.
        """
        made = service or Service("api")
        named = Service(
            made.name,
            dockerfile=f"{made.name}.Dockerfile",
            targets=made.targets,
            image=f"{self.project}/{made.name}",
            build_args=made.build_args,
            secrets=made.secrets,
            budgets=made.budgets,
        )
        text = dockerfile.replace("FROM BASE", f"FROM {self.base}")
        text = text.replace("PROJECT", self.project)
        (self.root / named.dockerfile).write_text(text, encoding="utf-8")
        self.services[named.name] = named
        return self

    def workspace(self) -> Workspace:
        """Return the workspace of a run in it."""
        environ = dict(os.environ) | {"XDG_CACHE_HOME": str(self.root / "cache")}
        config = Config(self.project, services=self.services, build=Build(ca_bundle=self.ca_bundle))
        console = Console(environ, out=io.StringIO(), err=io.StringIO())
        return Workspace(
            self.root, config, Runner(environ, echo=self.commands.append), console, environ
        )

    def build(
        self, request: BuildRequest | None = None, secrets: Mapping[str, Secret] | None = None
    ) -> BuildReport:
        """Build what is asked for, by default everything."""
        ws = self.workspace()
        version = SourceVersion("1.2.3", "1.2.3", "a" * 40, "2026-01-02T03:04:05Z")
        plan = build.plan(ws, request or BuildRequest(), lambda _: version)
        return build.execute(ws, plan, secrets or {})

    def one(self, request: BuildRequest | None = None) -> TargetResult:
        """Build the only service, and return what became of it."""
        (target,) = self.build(request).targets
        return target


@pytest.fixture
def shop(busybox: str, tmp_path: Path) -> Iterator[Shop]:
    """Yield an empty shop."""
    root = tmp_path / "shop"
    root.mkdir()
    made = Shop(root, f"hwtest-{uuid.uuid4().hex[:10]}", busybox)
    yield made
    imaging.forget(made.project)
    assert imaging.named(made.project) == []


@pytest.fixture
def yard(engine: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository with one service, committed; its images are removed."""
    del engine
    repository = Repository.made(tmp_path / "yard", isolated(tmp_path))
    repository.write(".gitignore", ".hullwright\n")
    made = Yard(repository, f"hwtest-{uuid.uuid4().hex[:10]}")
    made.service("api")
    repository.commit("v1.0.0")
    repository.commit()
    yield made
    imaging.forget(made.project)
