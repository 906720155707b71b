"""Keeps the repository's own state out of build contexts, without touching a file of the user's.

`.hullwright` changes with every run. In a repository whose ignore file does not name it, a
`COPY . .` would copy the history into the image, and would never be cached. BuildKit prefers
`<Dockerfile>.dockerignore` over `.dockerignore`, so such a service is built from a copy of its
Dockerfile, beside which stands its own ignore file with one line more.

https://docs.docker.com/build/concepts/context/#filename-and-location
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.files import make_folder, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullwright.config.models import Service
    from hullwright.workspace import Workspace

STATE: Final = ".hullwright"
_FOLDER: Final = f"{STATE}/bake"
# Patterns that take everything, or everything hidden, at the top of a context.
_WIDE: Final = frozenset({"*", "**", ".*", "**/.*"})


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file that a build needs; written below the state folder when the plan is executed.

    Attributes:
        path: relative to the repository's root.
        content: exact bytes.
    """

    path: str
    content: bytes


def without_state(ws: Workspace, service: Service) -> tuple[GeneratedFile, ...]:
    """Return the Dockerfile's copy and its ignore file, or nothing where neither is needed."""
    context = (ws.root / service.context).resolve()
    state = ws.root.resolve() / STATE
    if not state.is_relative_to(context):
        return ()
    dockerfile = ws.root / service.dockerfile
    ignored = _ignore_file(dockerfile, context)
    pattern = state.relative_to(context).as_posix()
    if _names(ignored.decode(errors="replace").splitlines(), pattern):
        return ()
    folder = f"{_FOLDER}/{service.name.replace(os.sep, '_')}"
    separator = b"" if not ignored or ignored.endswith(b"\n") else b"\n"
    return (
        GeneratedFile(f"{folder}/{dockerfile.name}", dockerfile.read_bytes()),
        GeneratedFile(
            f"{folder}/{dockerfile.name}.dockerignore",
            ignored + separator + f"{pattern}\n".encode(),
        ),
    )


def write(ws: Workspace, files: Iterable[GeneratedFile]) -> None:
    """Write what is not there yet with this content."""
    for file in files:
        path = ws.state_dir.parent / file.path
        if not path.is_file() or path.read_bytes() != file.content:
            make_folder(path.parent)
            write_atomic(path, file.content)


def _ignore_file(dockerfile: Path, context: Path) -> bytes:
    for path in (
        dockerfile.with_name(f"{dockerfile.name}.dockerignore"),
        context / ".dockerignore",
    ):
        if path.is_file():
            return path.read_bytes()
    return b""


def _names(lines: Iterable[str], pattern: str) -> bool:
    """Return whether ignore lines leave out the state folder; where in doubt, no."""
    left_out = False
    ours = {pattern, f"{pattern}/*", f"{pattern}/**", f"**/{STATE}"}
    for line in lines:
        negated = line.strip().startswith("!")
        written = line.strip().lstrip("!").strip().removeprefix("./").strip("/")
        if written in ours or written in _WIDE:
            left_out = not negated
    return left_out
