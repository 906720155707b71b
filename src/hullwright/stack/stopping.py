"""Stop a stack: its containers stay, so that the next start has what they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError
from hullwright.files import lock
from hullwright.stack.looking import known, lasting, project_name
from hullwright.stack.words import invoked
from hullwright.tools import engine
from hullwright.tools.compose import Invocation

if TYPE_CHECKING:
    from hullwright.stack.selection import Selection
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

# What `docker stop` ends; the others have ended by themselves or were never started.
_RUNNING: Final = frozenset({"running", "restarting", "paused"})


@dataclass(frozen=True, slots=True)
class StopPlan:
    """What `stop` is going to end.

    Attributes:
        containers: names of those that run.
        services: their services.
        ended: (container, state) of those that do not run.
    """

    stack: str
    project: str
    containers: tuple[str, ...]
    services: tuple[str, ...] = ()
    ended: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """Return the plan in its stable text form."""
        lines = [f"project {self.project}"]
        lines += [f"  stop      container {name}" for name in self.containers]
        lines += [f"  keep      container {name}: {state}" for name, state in self.ended]
        return "\n".join(lines if len(lines) > 1 else [*lines, "  nothing is there"])


def plan_stop(ws: Workspace, selection: Selection) -> StopPlan:
    """Return what runs of a stack, or of its selected services.

    Raises:
        UsageError: the stack has no such service.
        CheckFailedError: a named service was never started.
    """
    project = project_name(ws, selection)
    there = lasting(engine.of_project(ws.runner, project))
    wanted = known(ws, selection, there)
    mine = [one for one in there if not wanted or one.service in wanted]
    up = [one for one in mine if one.state in _RUNNING]
    return StopPlan(
        selection.stack.name,
        project,
        tuple(one.name for one in up),
        tuple(dict.fromkeys(one.service for one in up)),
        tuple((one.name, _state(one)) for one in mine if one not in up),
    )


def execute_stop(ws: Workspace, plan: StopPlan) -> StopPlan:
    """End what a plan names, each service before what it depends on.

    Raises:
        CheckFailedError: something still runs; the engine's own words are given.
        LockedError: another run is starting the same stack; it is named.
    """
    if not plan.services:
        return plan
    argv = Invocation(project=plan.project).argv("--progress", "plain", "stop", *plan.services)
    path = ws.state_dir / "locks" / f"up-{plan.stack}.lock"
    with lock(path, f"the stack {plan.project}"), ws.console.step(f"stop {plan.project}"):
        answer = ws.runner.run(*argv, cwd=ws.root, check=False)
    if not answer.ok:
        raise CheckFailedError(
            f"project {plan.project} is not wholly stopped",
            why="\n".join(answer.tail(5)),
            next_step=f"{invoked('ps', plan.stack)}   (shows what still runs)",
        )
    return plan


def _state(container: Container) -> str:
    if container.state == "exited":
        return f"has ended with {container.exit_code}"
    return f"is {container.state}"
