"""Remove a stack's containers and networks; volumes and images only where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError
from hullwright.stack.looking import lasting, project_name
from hullwright.stack.words import invoked
from hullwright.tools import engine, secretfolder, whales
from hullwright.tools.compose import PROJECT_LABEL, Invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack.selection import Selection
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DownPlan:
    """What `down` is going to remove: names of containers, networks, volumes and secret files.

    Attributes:
        images: what its containers ran and no other container uses, as they named it.
        kept_images: (image, container of another project) of those that stay.
        one_off: those of the containers that are no service's but one command's.
        keeps_volumes: whether volumes stay, if there are any.
    """

    project: str
    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    kept_images: tuple[tuple[str, str], ...] = ()
    one_off: tuple[str, ...] = ()
    stack: str = "default"
    keeps_volumes: bool = True

    def __bool__(self) -> bool:
        return bool(self.containers or self.networks or self.volumes or self.secrets or self.images)

    def text(self) -> str:
        """Return the plan in its stable text form."""
        lines = [f"project {self.project}"]
        for kind, names in (
            ("container", self.containers),
            ("network", self.networks),
            ("volume", self.volumes),
            ("secret", self.secrets),
            ("image", self.images),
        ):
            lines += [f"  remove    {kind} {name}" for name in names]
        lines += [f"  keep      image {name}: {by} uses it" for name, by in self.kept_images]
        return "\n".join(lines if self else [*lines, "  nothing is there"])


def plan_down(
    ws: Workspace, selection: Selection, *, volumes: bool = False, images: bool = False
) -> DownPlan:
    """Return what is there of a stack; volumes only if they are to go, and carry its label.

    Compose by itself removes volumes by the names in its files, which may be another project's.
    Of images those go that the stack's containers run and no container besides them.
    """
    project = project_name(ws, selection)
    label = f"{PROJECT_LABEL}={project}"
    mine = whales.of_project(ws.runner, project)
    gone, kept = _images(ws, project, mine) if images else ((), ())
    return DownPlan(
        project,
        tuple(container.name for container in mine),
        whales.networks(ws.runner, label),
        whales.volumes(ws.runner, label) if volumes else (),
        secretfolder.names(ws.environ, project),
        gone,
        kept,
        tuple(one.name for one in mine if one not in lasting(mine)),
        selection.stack.name,
        keeps_volumes=not volumes,
    )


def _images(
    ws: Workspace, project: str, mine: Sequence[Container]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the images that only a project's containers run, and those that others run too."""
    if not mine:
        return (), ()
    # Stopped ones count too: without its image none can be looked into or made again.
    others = {
        container.image_id: container.name
        for container in engine.containers(ws.runner)
        if container.project != project
    }
    by_name = {container.image: container.image_id for container in mine if container.image}
    local = engine.images(ws.runner, by_name)
    names = sorted(name for name in by_name if local[name] is not None)
    return (
        tuple(name for name in names if by_name[name] not in others),
        tuple((name, others[by_name[name]]) for name in names if by_name[name] in others),
    )


def execute_down(ws: Workspace, plan: DownPlan) -> DownPlan:
    """Do what a plan says: containers are asked to end first, secrets in memory go last.

    Raises:
        CheckFailedError: something is left; the engine's own words are given. Secrets stay then:
            a container that is left may have to mount them again.
    """
    answers = []
    if plan.one_off:
        # Compose leaves a command that still runs, and then the network too.
        answers.append(ws.runner.run("docker", "rm", "--force", *plan.one_off, check=False))
    if plan.containers or plan.networks:
        argv = Invocation(project=plan.project).argv("--progress", "plain", "down")
        with ws.console.step(f"stop {plan.project}"):
            answers.append(ws.runner.run(*argv, cwd=ws.root, check=False))
    if plan.volumes:
        answers.append(ws.runner.run("docker", "volume", "rm", *plan.volumes, check=False))
    if plan.images and all(answer.ok for answer in answers):
        answers.append(ws.runner.run("docker", "image", "rm", *plan.images, check=False))
    told = [line for answer in answers if not answer.ok for line in answer.tail(5)]
    if told:
        raise CheckFailedError(
            f"project {plan.project} is not wholly removed",
            why="\n".join(told),
            next_step=f"end what still uses it, then: {invoked('down', plan.stack)}",
        )
    secretfolder.remove(ws.environ, plan.project)
    return plan


def down(ws: Workspace, selection: Selection, *, volumes: bool = False) -> DownPlan:
    """Stop and remove a stack, and return what was removed."""
    return execute_down(ws, plan_down(ws, selection, volumes=volumes))
