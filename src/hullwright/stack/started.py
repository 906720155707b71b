"""Which project a stack was started as, from what Compose wrote on its containers.

It is for files that Compose refuses by now: what runs can be looked at and removed all the same.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

_FILES_LABEL: Final = "com.docker.compose.project.config_files"
# What Compose leaves out of a folder's name to make it a project's.
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9_-]")


def project(ws: Workspace, selection: Selection) -> str:
    """Return the project that a stack was started as; empty where none, or several, may be it.

    Our own override, which has the stack's name, tells it for sure. Without one the files have to
    be the stack's, and the name the one that Compose takes by itself: with `--project-name`
    somebody else may have started the same files.
    """
    files = [str((ws.root / file).absolute()) for file in selection.call.files]
    own = str(ws.state_dir / "overrides" / f"up-{selection.stack.name}.yaml")
    by_override, by_files = set(), set()
    for container in engine.containers(ws.runner, _FILES_LABEL):
        given = container.labels[_FILES_LABEL].split(",")
        if own in given:
            by_override.add(container.project)
        elif given == files and engine.RUN not in container.labels:
            by_files.add(container.project)
    found = by_override or by_files & _usual_names(ws, files)
    return found.pop() if len(found) == 1 else ""


def _usual_names(ws: Workspace, files: Sequence[str]) -> set[str]:
    """Return what Compose may call the project of files, said here or by their folder."""
    names = {ws.environ.get("COMPOSE_PROJECT_NAME", "")}
    if files:
        names.add(_NOT_IN_A_NAME.sub("", Path(files[0]).parent.name.lower()).lstrip("_-"))
    for file in files:
        text = Path(file).read_text(encoding="utf-8", errors="replace")
        names |= set(re.findall(r"""^name:\s*["']?([\w-]+)["']?\s*$""", text, re.MULTILINE))
    return names - {""}
