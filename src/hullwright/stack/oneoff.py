"""One command in a new container of a service, beside what runs; removed afterwards."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import ExitCode, unknown
from hullwright.files import lock
from hullwright.stack import execution, fetching, secretfiles
from hullwright.stack.expected import Limits
from hullwright.stack.override import write
from hullwright.stack.plan import (
    Operation,
    Prepared,
    UpPlan,
    check_ports,
    observe,
    operations,
    prepare,
    write_operations,
)
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack.execution import UpReport
    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

KIND: Final = "run"
_NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What `run` is going to do.

    Attributes:
        service: whose image, environment and mounts the command gets.
        words: the command; empty for the service's own.
        up: the start of what the service depends on; its services are empty where it needs none.
        missing: images to fetch first.
        ports: whether the service's ports are published.
        user: whom it runs as; empty for the service's own.
    """

    service: str
    words: tuple[str, ...]
    up: UpPlan
    missing: tuple[str, ...] = ()
    ports: bool = False
    user: str = ""

    def text(self) -> str:
        """Return the plan in its stable text form."""
        told = " ".join(self.words) or "the service's own command"
        return f"{self.up.text()}\n  run       {self.service}: {told}, removed afterwards"


def plan_run(
    ws: Workspace,
    selection: Selection,
    service: str,
    words: Sequence[str] = (),
    *,
    ports: bool = False,
    user: str = "",
) -> RunPlan:
    """Return what running a command of a service will do; nothing is changed.

    What it depends on is started as `up` does, but what runs already is never replaced for it.

    Raises:
        UsageError: the stack has no such service, or variables have no value.
        CheckFailedError: an image was not built, or a port is taken.
    """
    ready = prepare(ws, replace(selection, services=(service,)))
    if service not in ready.model.services:
        raise unknown("service", service, ready.model.services)
    needed = _needed(ready, service)
    observed = observe(ws, ready, (*needed, service))
    check_ports(ws, ready.model, (*needed, *([service] if ports else [])), observed, ready.written)
    found = operations(ready.model, needed, ready.pins, observed)
    up = UpPlan(
        selection=replace(ready.selection, services=needed),
        model=ready.model,
        services=needed,
        pins=ready.pins,
        missing=(),
        composed=observed.composed,
        operations=(*write_operations(ready.files), *(_kept(each) for each in found)),
        override=ready.override,
        files=ready.files,
    )
    return RunPlan(service, tuple(words), up, observed.missing, ports, user)


def execute_run(
    ws: Workspace, plan: RunPlan, *, limits: Limits = _NO_LIMITS
) -> tuple[int, UpReport | None]:
    """Start what a command needs, run it, and return its exit code, or why it was not run.

    Raises:
        LockedError: another run is starting the same stack; it is named.
    """
    stack = plan.up.selection.stack.name
    selection = plan.up.selection
    if plan.up.override:
        # A name of its own: another service's command may begin at this moment.
        name = f"run-{stack}-{plan.service}"
        selection = selection.overridden(str(write(ws, name, plan.up.override)))
    fetching.pull(ws, selection, plan.missing, (*plan.up.services, plan.service))
    with secretfiles.provided(plan.up.files):
        if plan.up.services:
            with lock(ws.state_dir / "locks" / f"up-{stack}.lock", f"the stack {plan.up.project}"):
                report = execution.start(ws, plan.up, selection, limits=limits, recreate=False)
            if report.failed:
                return int(ExitCode.FAILED), report
        label = f"{engine.RUN}={secrets.token_hex(8)}"
        argv = selection.call.argv(
            "--progress", "quiet", "run", *_flags(ws, plan, label), plan.service, *plan.words
        )
        try:
            return ws.runner.attach(*argv, cwd=ws.root, env=selection.environment), None
        finally:
            _remove(ws, label)


def _remove(ws: Workspace, label: str) -> None:
    """Remove the container of a command that did not end by itself, as Compose leaves it then."""
    left = [container.id for container in engine.containers(ws.runner, label)]
    if left:
        ws.runner.run("docker", "rm", "--force", "--volumes", *left, check=False)


def _flags(ws: Workspace, plan: RunPlan, label: str) -> list[str]:
    flags = ["--rm", "--no-deps", "--label", f"{engine.KIND}={KIND}", "--label", label]
    flags += ["--service-ports"] if plan.ports else []
    flags += ["--user", plan.user] if plan.user else []
    return flags if ws.console.interactive else [*flags, "--no-TTY"]


def _needed(ready: Prepared, service: str) -> tuple[str, ...]:
    """Return what a service depends on, and what that depends on, in the model's order."""
    names = [each.service for each in ready.model.services[service].depends_on]
    return ready.model.closure(names) if names else ()


def _kept(operation: Operation) -> Operation:
    if operation.verb != "recreate":
        return operation
    return replace(operation, verb="keep", cause="as it runs, though its configuration changed")
