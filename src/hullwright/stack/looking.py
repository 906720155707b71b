"""Look at a stack that was started: its services, its logs."""

from __future__ import annotations

import select
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, unknown
from hullwright.stack.selection import resolved
from hullwright.stack.variables import as_written
from hullwright.tools import engine, whales
from hullwright.tools.compose import ONEOFF_LABEL, Invocation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hullwright.stack.selection import Selection
    from hullwright.tools.engine import Container, Published
    from hullwright.workspace import Workspace

VERSION_LABEL: Final = "org.opencontainers.image.version"
_INTERRUPTED: Final = frozenset({-signal.SIGINT, 130})


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One container of a stack.

    Attributes:
        state: `running`, `exited`, `restarting`, …
        health: `healthy`, `unhealthy`, `starting`, or `none` without a health check.
        uptime_s: seconds since it was started; None where it does not run.
        version: version of its image, by its OCI label; empty without.
    """

    service: str
    container: str
    state: str
    health: str
    exit_code: int
    uptime_s: float | None
    restarts: int
    image: str
    version: str
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as it is now."""

    stack: str
    project: str
    services: tuple[ServiceState, ...]


def project_name(ws: Workspace, selection: Selection) -> str:
    """Return the name of the compose project; no variable needs a value for it."""
    if selection.call.project:
        return selection.call.project
    name = str(as_written(ws, selection).get("name", "$"))
    return name if "$" not in name else resolved(ws, selection).name


def ps(ws: Workspace, selection: Selection) -> StackState:
    """Return what runs of a stack.

    Raises:
        UsageError: a named service is not one of the stack's.
    """
    project = project_name(ws, selection)
    now = time.time()
    there = whales.of_project(ws.runner, project)
    names = {container.service for container in there}
    for name in selection.services:
        if name not in names:
            _refuse_unknown(ws, selection, name, names)
    found = [
        _state(container, now)
        for container in there
        if container.labels.get(ONEOFF_LABEL, "False") == "False"
        if not selection.services or container.service in selection.services
    ]
    return StackState(selection.stack.name, project, tuple(found))


def logs(
    ws: Workspace,
    selection: Selection,
    *,
    follow: bool = False,
    tail: str | None = None,
    since: str | None = None,
) -> int:
    """Hand the stack's logs over to the terminal and return 0, also when a reader has enough.

    Raises:
        UsageError: a service is unknown.
        CheckFailedError: nothing of the stack, or not a named service, is there.
    """
    words = ["logs"]
    words += ["--follow"] if follow else []
    words += ["--tail", tail] if tail is not None else []
    words += ["--since", since] if since is not None else []
    there = engine.of_project(ws.runner, project_name(ws, selection))
    names = known(ws, selection, there)
    if not there:
        raise CheckFailedError(
            f"nothing of {project_name(ws, selection)} runs, so there are no logs",
            next_step="invoke up",
        )
    return attached(ws, selection, *words, *names)


def attached(ws: Workspace, selection: Selection, *words: str) -> int:
    """Run a Compose subcommand with the terminal to itself, and return its exit code."""
    argv = Invocation(project=project_name(ws, selection)).argv(*words)
    code = ws.runner.attach(*argv, cwd=ws.root)
    return 0 if code in _INTERRUPTED or _reader_gone(ws) else code


def _reader_gone(ws: Workspace) -> bool:
    """Return whether nobody reads our output any more (`invoke logs | head`): no failure of ours.

    Compose ends with 255 then, which says nothing; the pipe itself does.
    """
    try:
        descriptor = ws.console.out.fileno()
    except (OSError, ValueError):
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def running(ws: Workspace, selection: Selection, service: str) -> Container:
    """Return a container of a service, one that runs before one that does not.

    Raises:
        UsageError: the stack has no such service.
        CheckFailedError: it has no container.
    """
    found = engine.of_project(ws.runner, project_name(ws, selection))
    own = sorted(
        (each for each in found if each.service == service),
        key=lambda each: each.state != "running",
    )
    if not own:
        raise not_there(ws, selection, service, {each.service for each in found})
    return own[0]


def known(ws: Workspace, selection: Selection, there: Iterable[Container]) -> tuple[str, ...]:
    """Return the selected services, once it is known that each has a container.

    Compose says nothing at all of a name that it does not know here.

    Raises:
        UsageError: the stack has no such service.
        CheckFailedError: one was not started.
    """
    names = {container.service for container in there}
    for name in selection.services:
        if name not in names:
            raise not_there(ws, selection, name, names)
    return selection.services


def not_there(
    ws: Workspace, selection: Selection, service: str, there: Collection[str]
) -> CheckFailedError:
    """Return the error of a service of the stack that has no container.

    Raises:
        UsageError: the stack has no such service.
    """
    _refuse_unknown(ws, selection, service, there)
    project = project_name(ws, selection)
    told = f"{project} has {', '.join(sorted(there))}" if there else f"nothing of {project} runs"
    return CheckFailedError(f"{service} was not started", why=told, next_step="invoke up")


def _refuse_unknown(
    ws: Workspace, selection: Selection, service: str, there: Collection[str]
) -> None:
    services = {*(as_written(ws, selection).get("services") or {}), *there}
    if service not in services:
        raise unknown("service", service, services)


def _state(container: Container, now: float) -> ServiceState:
    return ServiceState(
        service=container.service,
        container=container.name,
        state=container.state,
        health=container.health,
        exit_code=container.exit_code,
        uptime_s=now - container.started_at if container.state == "running" else None,
        restarts=container.restarts,
        image=container.image,
        version=container.labels.get(VERSION_LABEL, ""),
        published=container.published,
    )
