"""What the containers of a stack use of the machine at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.stack.looking import known, lasting, project_name
from hullwright.tools import engine
from hullwright.tools.containerstats import memory_limits, usages

if TYPE_CHECKING:
    from hullwright.stack.selection import Selection
    from hullwright.tools.containerstats import Usage
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ContainerStats:
    """What one running container uses.

    Attributes:
        limit_bytes: memory that it may use; None where it was given no limit of its own.
    """

    service: str
    container: str
    usage: Usage
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StackStats:
    """What a stack uses; what does not run uses nothing and is left out."""

    stack: str
    project: str
    containers: tuple[ContainerStats, ...]


def stats(ws: Workspace, selection: Selection) -> StackStats:
    """Return what the running containers of a stack use; it takes the engine about two seconds.

    Raises:
        UsageError: the stack has no such service.
        CheckFailedError: a named service was never started.
    """
    project = project_name(ws, selection)
    there = lasting(engine.of_project(ws.runner, project))
    wanted = known(ws, selection, there)
    up = [one for one in there if one.state == "running" and (not wanted or one.service in wanted)]
    ids = [one.id for one in up]
    used, limits = usages(ws.runner, ids), memory_limits(ws.runner, ids)
    return StackStats(
        selection.stack.name,
        project,
        tuple(
            ContainerStats(one.service, one.name, used[one.id], limits.get(one.id))
            for one in up
            if one.id in used
        ),
    )
