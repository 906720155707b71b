"""Repositories without any configuration of ours, in the shapes that people give them.

Each is its files and what is expected of each service. The services assert for themselves what
Compose has to have made of the files: a check of theirs holds only where their values, mounts and
names are right, and does so in the developer's project as in a throwaway one.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import imaging
from composing import BUSYBOX, docker, new_project
from repositories import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The two lines that a repository adopts; nothing else of ours is in it.
TASKS: Final = "from hullwright.tasks import collection\nns = collection()\n"
# Parts of a service that most have, in YAML's flow style, and so in JSON's.
_PARTS: Final = {
    "@WEB@": (
        '"image": "@IMAGE@", "command": "sh -c \'echo serving; exec httpd -f -p 80\'", '
        '"stop_grace_period": "0s", "healthcheck": {"interval": "200ms", '
        '"test": "wget -q -O /dev/null http://127.0.0.1/bin/sh"}'
    ),
    "@IDLE@": (
        '"image": "@IMAGE@", "command": "sh -c \'echo idling; exec sleep 600\'", '
        '"stop_grace_period": "0s"'
    ),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One repository, and what comes of it.

    Attributes:
        name: what is special about it.
        files: text by path; `@P@` is a name that nothing else has, `@PORT@` a free port.
        up: status of each service after `up`.
        scale: containers of services that have not just one.
        logged: lines that the stack's logs hold.
        folder: name of its folder.
        git: whether it is a repository with a commit, one without, or none.
        networks, volumes: external ones, which exist before.
        builds: whether it has images of its own.
        unprobed: whether a cold start refuses it, for nothing says that it is healthy.
    """

    name: str
    files: Mapping[str, str]
    up: Mapping[str, str]
    scale: Mapping[str, int] = field(default_factory=dict)
    logged: tuple[str, ...] = ()
    folder: str = "@P@"
    git: Literal["committed", "empty", "none"] = "committed"
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    builds: bool = False
    unprobed: bool = False


@dataclass(frozen=True, slots=True)
class Planted:
    """A shape as a repository on disk, with names that nothing else has.

    Attributes:
        shape: what it was made of.
        root: its folder.
        name: what stands for `@P@`.
    """

    shape: Shape
    root: Path
    name: str

    @property
    def networks(self) -> tuple[str, ...]:
        """The external networks, by their names."""
        return tuple(each.replace("@P@", self.name) for each in self.shape.networks)

    @property
    def volumes(self) -> tuple[str, ...]:
        """The external volumes, by their names."""
        return tuple(each.replace("@P@", self.name) for each in self.shape.volumes)

    def remove(self) -> None:
        """Remove what was made of it on the engine, images included."""
        for kind in ("container", "network", "volume"):
            listed = "{{.Names}}" if kind == "container" else "{{.Name}}"
            everything = ("--all",) if kind == "container" else ()
            left = docker(
                kind, "ls", *everything, "--format", listed, "--filter", f"name={self.key}"
            )
            if left:
                force = () if kind == "network" else ("--force",)
                docker(kind, "rm", *force, *left.split(), check=False)
        images = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
        own = [image for image in images if self.key in image]
        if own:
            docker("image", "rm", "--force", *own, check=False)
        # One that is called by its service alone is known by its label.
        imaging.forget(self.name)

    @property
    def key(self) -> str:
        """The part of the name that is in whatever Compose makes of it."""
        return self.name.rpartition("-")[2]


def planted(shape: Shape, parent: Path, environ: Mapping[str, str]) -> Planted:
    """Return a shape as a repository below a folder; what it finds there before is there, too."""
    name = new_project()
    named = {"@IMAGE@": BUSYBOX, "@P@": name, "@PORT@": str(_free_port())}
    root = parent / shape.folder.replace("@P@", name)
    for path, text in {"tasks.py": TASKS, **shape.files}.items():
        whole = text
        for placeholder, value in {**_PARTS, **named}.items():
            whole = whole.replace(placeholder, value)
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(whole, encoding="utf-8")
    if shape.git != "none":
        repository = Repository.made(root, dict(environ))
        if shape.git == "committed":
            repository.commit()
    made = Planted(shape, root, name)
    for network in made.networks:
        docker("network", "create", network)
    for volume in made.volumes:
        docker("volume", "create", volume)
    return made


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
