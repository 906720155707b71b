"""Look at a stack that was started: its services, its logs."""

from __future__ import annotations

import select
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import unknown
from hullwright.stack.selection import resolved
from hullwright.stack.variables import as_written
from hullwright.tools import engine, whales
from hullwright.tools.compose import ONEOFF_LABEL, Invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Return what runs of a stack."""
    project = project_name(ws, selection)
    now = time.time()
    found = [
        _state(container, now)
        for container in whales.of_project(ws.runner, project)
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
    """Hand the stack's logs over to the terminal and return 0, also when a reader has enough."""
    words = ["logs"]
    words += ["--follow"] if follow else []
    words += ["--tail", tail] if tail is not None else []
    words += ["--since", since] if since is not None else []
    return attached(ws, selection, *words, *_known(ws, selection))


def restart(ws: Workspace, selection: Selection) -> StackState:
    """Restart a stack's containers as they are, and return what runs then."""
    project = project_name(ws, selection)
    names = _known(ws, selection)
    with ws.console.step(f"restart {', '.join(names) or project}"):
        argv = Invocation(project=project).argv("--progress", "plain", "restart", *names)
        ws.runner.run(*argv, cwd=ws.root)
    return ps(ws, selection)


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
        HullwrightError: the service has no container.
    """
    found = engine.of_project(ws.runner, project_name(ws, selection))
    own = sorted(
        (each for each in found if each.service == service),
        key=lambda each: each.state != "running",
    )
    if not own:
        raise unknown("running service", service, {each.service for each in found})
    return own[0]


def _known(ws: Workspace, selection: Selection) -> Sequence[str]:
    """Return the selected services, once it is known that each has a container.

    Compose says nothing at all of a name that it does not know here.
    """
    if selection.services:
        there = engine.of_project(ws.runner, project_name(ws, selection))
        names = {container.service for container in there}
        for name in selection.services:
            if name not in names:
                raise unknown("running service", name, names)
    return selection.services


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
