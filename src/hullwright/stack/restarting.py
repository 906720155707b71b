"""Restart: the containers of a stack as they are, and the same wait for them as `up` has."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError
from hullwright.files import lock
from hullwright.images import shortened
from hullwright.stack import explain
from hullwright.stack.execution import (
    UpReport,
    limit_s,
    refuse_unknown_times,
    service_up,
    timeouts_s,
)
from hullwright.stack.expected import Expected, Limits
from hullwright.stack.looking import known, lasting, project_name
from hullwright.stack.wait import Wait
from hullwright.stack.watch import start_and_wait
from hullwright.stack.words import invoked
from hullwright.tools import engine
from hullwright.tools.compose import Invocation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.stack.selection import Selection
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

# `db:service_healthy:false,migrate:service_completed_successfully:false`, as Compose writes it.
_DEPENDS_LABEL: Final = "com.docker.compose.depends_on"
_AWAITED: Final = "service_completed_successfully"
_NO_LIMITS: Final = Limits()


def restart(ws: Workspace, selection: Selection, *, limits: Limits = _NO_LIMITS) -> UpReport:
    """Restart a stack's containers as they are, wait for them, and explain where one fails.

    Where no service is named, what has completed stays as it is: a migration does not run again.

    Raises:
        UsageError: a named service is not of the stack, or was never started.
        CheckFailedError: nothing of the stack is there.
        LockedError: another run is starting the same stack.
    """
    project = project_name(ws, selection)
    there = lasting(engine.of_project(ws.runner, project))
    names = known(ws, selection, there) or _unfinished(there)
    if not names:
        again = invoked("up", selection.stack.name)
        raise CheckFailedError(f"nothing of {project} runs", next_step=again)
    refuse_unknown_times(limits, {container.service for container in there})
    argv = Invocation(project=project).argv("--progress", "plain", "restart", *names)
    stack = selection.stack.name
    with lock(ws.state_dir / "locks" / f"up-{stack}.lock", f"the stack {project}"):
        expected = _expected(there, names, selection, timeouts_s(selection, limits))
        wait = Wait(expected, time.time(), limit_s(selection, limits))
        watched = start_and_wait(ws, selection, argv, project, wait)
    now = watched.there
    failures = explain.failures(ws, wait, now, watched.output, stack=stack)
    return UpReport(
        stack=stack,
        project=project,
        total_s=watched.over_at - wait.began_at,
        services=tuple(
            service_up(wait, expected, now, failures) for expected in wait.expected.values()
        ),
        failures=failures,
        images={container.service: shortened(container.image) for container in now},
    )


def _unfinished(there: Iterable[Container]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            container.service
            for container in there
            if container.state != "exited" or container.exit_code != 0
        )
    )


def _expected(
    there: Sequence[Container],
    names: Iterable[str],
    selection: Selection,
    timeouts: Mapping[str, float],
) -> dict[str, Expected]:
    """Return what is expected of containers that are there, by what Compose wrote on them."""
    depends = {container.service: _dependencies(container) for container in there}
    awaited = {
        name for found in depends.values() for name, condition in found if condition == _AWAITED
    }
    by_service: dict[str, list[Container]] = {}
    for container in there:
        by_service.setdefault(container.service, []).append(container)
    return {
        name: Expected(
            service=name,
            scale=len(by_service[name]),
            one_shot=name in awaited or name in selection.stack.one_shots,
            policy=by_service[name][0].restart_policy,
            depends_on=tuple(other for other, _ in depends[name]),
            timeout_s=timeouts.get(name),
        )
        for name in names
    }


def _dependencies(container: Container) -> list[tuple[str, str]]:
    entries = container.labels.get(_DEPENDS_LABEL, "").split(",")
    parts = [entry.split(":") for entry in entries if entry]
    return [(name, rest[0] if rest else "") for name, *rest in parts]
