"""Stop a stack and remove its containers and networks, and its volumes where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError
from hullwright.stack.looking import project_name
from hullwright.tools import secretfolder, whales
from hullwright.tools.compose import PROJECT_LABEL, Invocation

if TYPE_CHECKING:
    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DownPlan:
    """What `down` is going to remove: names of containers, networks, volumes and secret files."""

    project: str
    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.containers or self.networks or self.volumes or self.secrets)

    def text(self) -> str:
        """Return the plan in its stable text form."""
        lines = [f"project {self.project}"]
        for kind, names in (
            ("container", self.containers),
            ("network", self.networks),
            ("volume", self.volumes),
            ("secret", self.secrets),
        ):
            lines += [f"  remove    {kind} {name}" for name in names]
        return "\n".join(lines if self else [*lines, "  nothing is there"])


def plan_down(ws: Workspace, selection: Selection, *, volumes: bool = False) -> DownPlan:
    """Return what is there of a stack; volumes only if they are to go, and carry its label.

    Compose by itself removes volumes by the names in its files, which may be another project's.
    """
    project = project_name(ws, selection)
    label = f"{PROJECT_LABEL}={project}"
    return DownPlan(
        project,
        tuple(container.name for container in whales.of_project(ws.runner, project)),
        whales.networks(ws.runner, label),
        whales.volumes(ws.runner, label) if volumes else (),
        secretfolder.names(ws.environ, project),
    )


def execute_down(ws: Workspace, plan: DownPlan) -> DownPlan:
    """Do what a plan says: containers are asked to end first, secrets in memory go last.

    Raises:
        CheckFailedError: something is left; the engine's own words are given. Secrets stay then:
            a container that is left may have to mount them again.
    """
    answers = []
    if plan.containers or plan.networks:
        argv = Invocation(project=plan.project).argv("--progress", "plain", "down")
        with ws.console.step(f"stop {plan.project}"):
            answers.append(ws.runner.run(*argv, cwd=ws.root, check=False))
    if plan.volumes:
        answers.append(ws.runner.run("docker", "volume", "rm", *plan.volumes, check=False))
    told = [line for answer in answers if not answer.ok for line in answer.tail(5)]
    if told:
        raise CheckFailedError(
            f"project {plan.project} is not wholly removed",
            why="\n".join(told),
            next_step="end what still uses it, then: invoke down",
        )
    secretfolder.remove(ws.environ, plan.project)
    return plan


def down(ws: Workspace, selection: Selection, *, volumes: bool = False) -> DownPlan:
    """Stop and remove a stack, and return what was removed."""
    return execute_down(ws, plan_down(ws, selection, volumes=volumes))
