"""The compose projects that this repository started: its stacks, and throwaways of cold starts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import LockedError
from hullwright.files import lock
from hullwright.prune.models import OwnProject
from hullwright.run import machine_state_dir
from hullwright.tools import storage
from hullwright.tools.compose import PROJECT_LABEL
from hullwright.tools.engine import KIND, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

RUNNING: Final = frozenset({"running", "restarting", "paused", "removing"})
# https://github.com/docker/compose/blob/main/pkg/api/labels.go
_FOLDER_LABEL: Final = "com.docker.compose.project.working_dir"
_THROWAWAY: Final = "throwaway"


def projects(ws: Workspace, there: Sequence[Container]) -> tuple[OwnProject, ...]:
    """Return this repository's compose projects, throwaways first, each by name.

    A throwaway is ours by its name, which is made of the project's, or because it was started in
    this repository; a stack, because it was started in the folder of one that is configured here.

    Args:
        ws: the repository.
        there: all containers of the engine.
    """
    thrown = [each for each in there if each.labels.get(KIND) == _THROWAWAY]
    lasting = [each for each in there if each.labels.get(KIND) != _THROWAWAY]
    return (*_throwaways(ws, thrown), *_stacks(ws, lasting))


def _throwaways(ws: Workspace, made: Sequence[Container]) -> Iterable[OwnProject]:
    kind = f"{KIND}={_THROWAWAY}"
    networks = storage.labelled(ws.runner, "network", PROJECT, kind)
    volumes = storage.labelled(ws.runner, "volume", PROJECT, kind)
    names = {container.labels.get(PROJECT, "") for container in made} | {*networks, *volumes}
    ours = _throwaway_names(ws.config.project)
    for name in sorted(names - {""}):
        own = [container for container in made if container.labels.get(PROJECT) == name]
        if ours.fullmatch(name) or any(_is_from(each, ws) for each in own):
            yield _project(name, own, networks, volumes, throwaway=True, held=_is_held(ws, name))


def _stacks(ws: Workspace, lasting: Sequence[Container]) -> Iterable[OwnProject]:
    names = {each.project for each in lasting if each.project and _is_from(each, ws)}
    if not names:
        return
    networks = storage.labelled(ws.runner, "network", PROJECT_LABEL)
    volumes = storage.labelled(ws.runner, "volume", PROJECT_LABEL)
    for name in sorted(names):
        own = [container for container in lasting if container.project == name]
        strange = not all(_is_from(each, ws) for each in own)
        yield _project(name, own, networks, volumes, strange=strange)


def _project(
    name: str,
    own: Sequence[Container],
    networks: Mapping[str, tuple[str, ...]],
    volumes: Mapping[str, tuple[str, ...]],
    *,
    throwaway: bool = False,
    held: bool = False,
    strange: bool = False,
) -> OwnProject:
    return OwnProject(
        name=name,
        throwaway=throwaway,
        containers=tuple(sorted(((each.id, each.name) for each in own), key=lambda pair: pair[1])),
        networks=networks.get(name, ()),
        volumes=volumes.get(name, ()),
        running=any(each.state in RUNNING for each in own),
        held=held,
        strange=strange,
        since=max((max(each.created_at, each.finished_at) for each in own), default=0.0),
    )


def _throwaway_names(project: str) -> re.Pattern[str]:
    """Return the pattern of the names that cold starts of a project make up."""
    base = re.sub(r"[^a-z0-9_-]+", "-", project.lower()).strip("-_") or "stack"
    return re.compile(rf"{re.escape(base)}-cold-[0-9a-f]{{8}}")


def _is_from(container: Container, ws: Workspace) -> bool:
    """Return whether a container was started in the folder of one of the configured stacks."""
    folder = container.labels.get(_FOLDER_LABEL)
    firsts = (stack.files[0] for stack in ws.config.stacks.values() if stack.files)
    folders = {ws.root, *((ws.root / first).parent for first in firsts)}
    return bool(folder) and Path(folder or "").resolve() in {each.resolve() for each in folders}


def _is_held(ws: Workspace, name: str) -> bool:
    """Return whether a cold start runs under this name; it holds the lock of its name."""
    path = machine_state_dir(ws.environ) / "locks" / f"{name}.lock"
    if not path.exists():
        return False
    try:
        with lock(path, name):
            return False
    except LockedError:
        return True
