"""Which places a scan searches: looked up before anything is decrypted."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.config.discover import development_file
from hullwright.errors import UsageError
from hullwright.recorded import load
from hullwright.scan.files import EXAMPLES
from hullwright.scan.models import ScannedContext, ScannedImage, ScanPlan
from hullwright.tools import engine, gitleaks, gitobjects
from hullwright.tools.dockerignore import ignore_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.scan.models import ScanRequest
    from hullwright.workspace import Workspace

# What a named context may be instead of a folder.
_NO_FOLDER: Final = re.compile(r"[a-z][a-z0-9+.-]*:|git@")


def plan(ws: Workspace, request: ScanRequest) -> ScanPlan:
    """Return the places that a request means.

    Raises:
        UsageError: an image that was named is not in the local store; nothing is pulled for it.
            Or the history is to be searched, and there is no Git repository.
        UnavailableError: no engine answers, and an image is to be searched.
    """
    if request.git_history and not gitobjects.is_there(ws.runner, ws.root):
        raise UsageError(
            f"{ws.root} is not in a Git repository, so there is no history to search",
            next_step="invoke secrets.scan   (searches images and files)",
        )
    return ScanPlan(
        images=tuple(_named(ws, request) if request.images else _recorded(ws)),
        files=tuple(dict.fromkeys(_files(ws))),
        contexts=tuple(_contexts(ws)) if request.context else (),
        git_history=request.git_history,
        gitleaks=ws.runner.find(gitleaks.PROGRAM) is not None,
    )


def _named(ws: Workspace, request: ScanRequest) -> Iterator[ScannedImage]:
    for reference, found in engine.images(ws.runner, request.images).items():
        if found is None:
            raise UsageError(
                f"{reference} is not in the local store, so there is nothing to search",
                next_step=f"docker pull {reference}   (or: invoke build)",
            )
        yield ScannedImage(reference, found.id)


def _recorded(ws: Workspace) -> Iterator[ScannedImage]:
    recorded = {image.digest: image.reference for image in load(ws).values()}
    for digest, found in engine.images(ws.runner, recorded).items():
        yield ScannedImage(recorded[digest], found.id if found else "")


def _files(ws: Workspace) -> Iterator[str]:
    """Yield compose files, Dockerfiles and examples that are there, relative to the root."""
    stacks = ws.config.stacks.values()
    named = [name for stack in stacks for name in stack.files]
    named += [str(development_file(Path(stack.files[0]))) for stack in stacks if stack.files]
    named += [service.dockerfile for service in ws.config.services.values()]
    yield from (os.path.normpath(name) for name in named if (ws.root / name).is_file())
    yield from (name for name in _examples(ws) if (ws.root / name).is_file())


def _examples(ws: Workspace) -> Iterator[str]:
    """Yield examples at the root, then all that Git would take up, in whichever folder."""
    for pattern in EXAMPLES:
        yield from (path.name for path in sorted(ws.root.glob(pattern)))
    words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--")
    patterns = (f":(glob)**/{pattern}" for pattern in EXAMPLES)
    # Without a repository it has no answer, and the root was looked at.
    told = ws.runner.read("git", "-C", str(ws.root), *words, *patterns, check=False).stdout
    yield from sorted(name for name in told.split("\0") if name)


def _contexts(ws: Workspace) -> Iterator[ScannedContext]:
    seen: set[tuple[Path, bytes]] = set()
    for service in ws.config.services.values():
        main = (ws.root / service.context).resolve()
        own = ignore_file(ws.root / service.dockerfile, main)
        folders = [(main, own)]
        for value in service.contexts.values():
            if not _NO_FOLDER.match(value):
                beside = (ws.root / value).resolve()
                folders.append((beside, beside / ".dockerignore"))
        for folder, ignore in folders:
            content = ignore.read_bytes() if ignore and ignore.is_file() else b""
            if folder.is_dir() and (folder, content) not in seen:
                seen.add((folder, content))
                yield ScannedContext(_name(ws.root, folder, ignore), folder, content)


def _name(root: Path, folder: Path, ignore: Path | None) -> str:
    """Return a context's folder, and the ignore file where that is a Dockerfile's own."""
    name = os.path.relpath(folder, root.resolve())
    if ignore is None or ignore.name == ".dockerignore":
        return name
    return f"{name} by {os.path.relpath(ignore, root)}"
