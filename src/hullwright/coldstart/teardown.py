"""Removing a throwaway project: what carries its run's label, and nothing else by its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullwright.errors import HullwrightError
from hullwright.tools import engine, whales
from hullwright.tools.compose import PROJECT_LABEL

if TYPE_CHECKING:
    from hullwright.run import Runner


@dataclass(frozen=True, slots=True)
class Remains:
    """What is there of a throwaway project: container ids, names of networks and volumes."""

    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.containers or self.networks or self.volumes)

    def text(self) -> str:
        """Return what is there, for people."""
        parts = [
            f"{len(names)} {kind}{'s' if len(names) > 1 else ''} ({', '.join(names)})"
            for kind, names in (
                ("container", [each[:12] for each in self.containers]),
                ("network", self.networks),
                ("volume", self.volumes),
            )
            if names
        ]
        return ", ".join(parts)


def remains(runner: Runner, project: str) -> Remains:
    """Return what is there of a throwaway project, by our labels."""
    ours = (f"{engine.PROJECT}={project}", f"{engine.KIND}=throwaway")
    return Remains(
        whales.container_ids(runner, *ours),
        whales.networks(runner, *ours),
        whales.volumes(runner, *ours),
    )


def strangers(runner: Runner, project: str) -> Remains:
    """Return what a compose project of that name has that is not ours."""
    label = f"{PROJECT_LABEL}={project}"
    own = remains(runner, project)
    there = Remains(
        whales.container_ids(runner, label),
        whales.networks(runner, label),
        whales.volumes(runner, label),
    )
    return Remains(
        tuple(each for each in there.containers if each not in own.containers),
        tuple(each for each in there.networks if each not in own.networks),
        tuple(each for each in there.volumes if each not in own.volumes),
    )


def remove(runner: Runner, project: str, *, volumes: bool = True) -> None:
    """Remove a throwaway project, and make sure that nothing of it is left.

    Args:
        runner: starts the commands.
        project: its name.
        volumes: whether its named volumes go too.

    Containers are killed: their data goes with them. `--volumes` takes only volumes without a
    name of their own; named ones go one by one, because Compose would remove them by a name that
    may be somebody else's.

    Raises:
        HullwrightError: something could not be removed.
    """
    there = remains(runner, project)
    answers = []
    if there.containers:
        answers.append(
            runner.run("docker", "rm", "--force", "--volumes", *there.containers, check=False)
        )
    if there.networks:
        answers.append(runner.run("docker", "network", "rm", *there.networks, check=False))
    if there.volumes and volumes:
        answers.append(runner.run("docker", "volume", "rm", *there.volumes, check=False))
    left = remains(runner, project)
    if not volumes:
        left = replace(left, volumes=())
    if left:
        told = "\n".join(line for answer in answers if not answer.ok for line in answer.tail(5))
        raise HullwrightError(
            f"the throwaway project {project} is not wholly removed",
            why=[("left", left.text()), ("engine", told)],
            next_step=f"docker rm -f $(docker ps -aq --filter label={engine.PROJECT}={project})",
        )
