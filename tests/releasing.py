"""A shop that was released to a registry, and a way to run tasks in it as Invoke does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from invoke import Config, Context
from invoke.exceptions import Exit

from composing import docker
from hullwright.push import Content, release
from hullwright.push.release import StackPart
from hullwright.push.releasereading import from_json
from hullwright.tools.registryclient import connect
from pushing import manifest
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from invoke import Task

    from hullwright.push.release import Release
    from hullwright.tools.registryclient import RegistryClient

VERSION = "1.4.1"


@dataclass(frozen=True)
class Done:
    """What a task gave: its exit code, and what it told."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return its standard output, read."""
        return json.loads(self.out)


@dataclass
class Shop:
    """A repository with two services, and the registry that has version 1.4.1 of them.

    Attributes:
        root: its folder.
        project: unique name, by which its images are found and removed.
        address: where the registry listens.
        digests: of the images, by service.
    """

    root: Path
    project: str
    address: str
    digests: dict[str, str] = field(default_factory=dict)

    def repository(self, service: str) -> str:
        """Return where a service's image is."""
        return f"{self.address}/{self.project}/{service}"

    def client(self) -> RegistryClient:
        """Return a client of the registry."""
        return connect(workspace(self.root), self.address)

    def named(self, service: str, tag: str) -> str:
        """Return the digest that a tag names in the registry; empty for none."""
        found = self.client().describe(f"{self.project}/{service}", tag)
        return found.digest if found else ""

    def store_another(self, service: str, tag: str) -> str:
        """Let a tag name another image than the release's, with the same content."""
        path, client = f"{self.project}/{service}", self.client()
        own = client.manifest(path, self.digests[service])
        assert own is not None
        other = manifest({**own.document(), "annotations": {"is": "another"}})
        return client.put_manifest(path, tag, other)

    def release(self, address: str = "") -> Release:
        """Return the release of what was pushed, as if `address` were the registry's."""
        contents = [
            Content(name, "", self.repository(name), digest, "f" * 64, version=VERSION)
            for name, digest in self.digests.items()
        ]
        made = release.make(
            {self.address: self.client()},
            contents,
            project="shop",
            version=VERSION,
            revision="a" * 40,
            created=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
            tags={(name, ""): [VERSION] for name in self.digests},
            stacks=[
                StackPart(
                    "default",
                    ("compose.yaml",),
                    release.config_hash(self.root, [self.root / "compose.yaml"]),
                    {"api": ("api", ""), "web": ("web", "")},
                )
            ],
        )
        text = json.dumps(made.as_json()).replace(self.address, address or self.address)
        return from_json(text, "here")

    def file(self, address: str = "") -> str:
        """Write the release file and return its path."""
        path = self.root.parent / "release.json"
        release.save(path, self.release(address))
        return f"{path}"


@dataclass
class Runs:
    """Runs tasks as `invoke` does, and gives what they told."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, task: Task[Any], **arguments: object) -> Done:
        """Run a task."""
        return self._run(task, arguments, dry=False)

    def dry(self, task: Task[Any], **arguments: object) -> Done:
        """Run a task under `--dry`."""
        return self._run(task, arguments, dry=True)

    def _run(self, task: Task[Any], arguments: dict[str, object], *, dry: bool) -> Done:
        context = Context(Config(overrides={"run": {"dry": dry, "echo": False}}))
        self.capsys.readouterr()
        code = 0
        try:
            task(context, **arguments)
        except Exit as end:
            code = end.code
        told = self.capsys.readouterr()
        return Done(code, told.out, told.err)


def label(shop: Shop) -> str:
    """Return the filter of the shop's images."""
    return f"label=dev.hullwright.project={shop.project}"


def forget(shop: Shop) -> None:
    """Remove the shop's images from the local store, those of its own pushes too."""
    names = f"reference={shop.address}/{shop.project}/*"
    images = [
        identity
        for which in (label(shop), names)
        for identity in docker("image", "ls", "--quiet", "--no-trunc", "--filter", which).split()
    ]
    if images:
        docker("image", "rm", "--force", *dict.fromkeys(images))
