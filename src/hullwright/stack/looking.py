"""Look at a stack that was started: its project, its services, its containers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, UsageError, unknown
from hullwright.stack import started
from hullwright.stack.selection import resolved
from hullwright.stack.variables import as_written
from hullwright.stack.words import invoked
from hullwright.tools import engine, whales
from hullwright.tools.compose import ONEOFF_LABEL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hullwright.stack.selection import Selection
    from hullwright.tools.engine import Container, Published
    from hullwright.workspace import Workspace

_OCI: Final = "org.opencontainers.image."
_OWN: Final = "dev.hullwright."


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One container of a stack.

    Attributes:
        state: `running`, `exited`, `restarting`, …
        health: `healthy`, `unhealthy`, `starting`, or `none` without a health check.
        uptime_s: seconds since it was started; None where it does not run.
        version: version of its image, by its OCI label; empty without.
        revision: the commit that its image was built from, by its label; empty without.
        built_service: the service of this repository that its image is of; empty for others'.
        standing: how that image stands to Git (`current`, `behind`, …); empty where nobody asked.
        commits_behind: commits since then; None where it is not known.
        number: which of its service's containers it is, from 1.
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
    revision: str = ""
    built_service: str = ""
    standing: str = ""
    commits_behind: int | None = None
    number: int = 1


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as it is now."""

    stack: str
    project: str
    services: tuple[ServiceState, ...]


def project_name(ws: Workspace, selection: Selection) -> str:
    """Return the name of the compose project; no variable needs a value for it.

    Where Compose refuses the files, it is that of what was started from them.

    Raises:
        UsageError: Compose refuses the files, and nothing that runs tells the name.
    """
    if selection.call.project:
        return selection.call.project
    name = str(as_written(ws, selection).get("name", "$"))
    if "$" not in name:
        return name
    try:
        return resolved(ws, selection).name
    except UsageError:
        was = started.project(ws, selection)
        if not was:
            raise
        return was


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
        _state(ws, container, now)
        for container in lasting(there)
        if not selection.services or container.service in selection.services
    ]
    return StackState(selection.stack.name, project, tuple(found))


def lasting(there: Iterable[Container]) -> tuple[Container, ...]:
    """Return the containers of services, without those of one-off commands."""
    return tuple(one for one in there if one.labels.get(ONEOFF_LABEL, "False") == "False")


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
    return CheckFailedError(
        f"{service} was not started", why=told, next_step=invoked("up", selection.stack.name)
    )


def _refuse_unknown(
    ws: Workspace, selection: Selection, service: str, there: Collection[str]
) -> None:
    services = {*(as_written(ws, selection).get("services") or {}), *there}
    if service not in services:
        raise unknown("service", service, services)


def _state(ws: Workspace, container: Container, now: float) -> ServiceState:
    labels = container.labels
    own = labels.get(f"{_OWN}project") == ws.config.project
    built = labels.get(f"{_OWN}service", "") if own else ""
    return ServiceState(
        service=container.service,
        container=container.name,
        state=container.state,
        health=container.health,
        exit_code=container.exit_code,
        uptime_s=now - container.started_at if container.state == "running" else None,
        restarts=container.restarts,
        image=container.image,
        version=labels.get(f"{_OCI}version", ""),
        published=container.published,
        revision=labels.get(f"{_OCI}revision", ""),
        built_service=built if built in ws.config.services else "",
        number=container.number,
    )
