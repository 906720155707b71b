"""Docker through python-on-whales: what is there, as its typed model has it.

For looking without a hurry: the import costs about 200 ms, and each object is inspected by a
process of its own. What is in a hurry (a build, the wait for a stack) asks `tools.engine`, which
gives the same types. Nothing is changed from here: a dry run is another runner, and this is none.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from hullwright.errors import HullwrightError, UnavailableError
from hullwright.run import CommandError, Result
from hullwright.tools.compose import NUMBER_LABEL, PROJECT_LABEL, SERVICE_LABEL
from hullwright.tools.engine import (
    Container,
    LocalImage,
    ProbeResult,
    check_reachable,
    published,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    import python_on_whales as whales
    from python_on_whales.components.container.models import ContainerHealth
    from python_on_whales.exceptions import DockerException

    from hullwright.run import Runner

_Listed = TypeVar("_Listed")
_Read = TypeVar("_Read")

# It prints the whole environment to standard output where this is set, secrets included.
_DEBUG: Final = "PYTHON_ON_WHALES_DEBUG"
_TOLD: Final = "Running command: "
_DUMP: Final = re.compile(r"\bin (?P<path>/\S+\.json) because\b")


def client(runner: Runner) -> whales.DockerClient:
    """Return a client of the docker program that the runner resolves.

    Its processes get this process's environment. Where the runner's names another engine, or
    another folder of docker's configuration, they are handed over as flags.

    Raises:
        UnavailableError: there is no docker program.
    """
    program = runner.resolve("docker")
    os.environ.pop(_DEBUG, None)
    # Imported here: nothing else of a run needs it.
    from python_on_whales import DockerClient

    own = {
        name: value
        for name, value in runner.environ.items()
        if name in {"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"} and value
        if value != os.environ.get(name)
    }
    host = own.get("DOCKER_HOST")
    return DockerClient(
        client_call=[program],
        client_type="docker",
        config=own.get("DOCKER_CONFIG"),
        # docker refuses both flags; of both variables it takes the host.
        context=None if host or runner.environ.get("DOCKER_HOST") else own.get("DOCKER_CONTEXT"),
        host=host,
    )


@contextmanager
def asking(runner: Runner) -> Iterator[whales.DockerClient]:
    """Yield a client whose commands are echoed, and whose errors are ours.

    Raises:
        UnavailableError: docker is missing, its engine does not answer, or answers in a form that
            python-on-whales does not know.
        CommandError: a command failed for another reason.
    """
    docker = client(runner)
    from python_on_whales.client_config import ParsingError
    from python_on_whales.exceptions import DockerException

    with _echoed(runner):
        try:
            yield docker
        except DockerException as error:
            raise _failure(runner, error) from None
        except ParsingError as error:
            raise _unreadable(error) from None


def containers(runner: Runner, *labels: str) -> tuple[Container, ...]:
    """Return all containers, stopped ones too, that have every label (`KEY` or `KEY=VALUE`)."""
    with asking(runner) as docker:
        listed = docker.container.list(all=True, filters=[("label", label) for label in labels])
        return tuple(_still_there(_container, listed))


def of_project(runner: Runner, project: str) -> tuple[Container, ...]:
    """Return the containers of a compose project, in the order of services and numbers."""
    found = containers(runner, f"{PROJECT_LABEL}={project}")
    return tuple(sorted(found, key=lambda container: (container.service, container.number)))


def container_ids(runner: Runner, *labels: str) -> tuple[str, ...]:
    """Return the ids of all containers that have every label; none of them is inspected."""
    with asking(runner) as docker:
        listed = docker.container.list(all=True, filters=[("label", label) for label in labels])
        return tuple(container.id for container in listed)


def networks(runner: Runner, *labels: str) -> tuple[str, ...]:
    """Return the names of the networks that have every label."""
    with asking(runner) as docker:
        listed = docker.network.list(filters=[("label", label) for label in labels])
        return tuple(sorted(_still_there(lambda network: str(network.name), listed)))


def volumes(runner: Runner, *labels: str) -> tuple[str, ...]:
    """Return the names of the volumes that have every label."""
    with asking(runner) as docker:
        listed = docker.volume.list(filters=[("label", label) for label in labels])
        return tuple(sorted(volume.name for volume in listed))


def images(runner: Runner, references: Iterable[str]) -> dict[str, LocalImage | None]:
    """Return each reference's image in the local store, None for those that are not there."""
    with asking(runner) as docker:
        return {reference: _image(docker, reference) for reference in dict.fromkeys(references)}


def info(runner: Runner) -> whales.SystemInfo:
    """Return what the engine tells of itself: its platform, its registries, its proxies."""
    with asking(runner) as docker:
        return docker.system.info()


def _still_there(read: Callable[[_Listed], _Read], listed: Iterable[_Listed]) -> Iterator[_Read]:
    """Give what is read of each object that was not removed since it was listed."""
    from python_on_whales.exceptions import NoSuchContainer, NoSuchNetwork

    for each in listed:
        with suppress(NoSuchContainer, NoSuchNetwork):
            yield read(each)


def _container(found: whales.Container) -> Container:
    # Each read of an attribute may ask the engine anew, so each is read once.
    state, config, host = found.state, found.config, found.host_config
    labels = config.labels or {}
    ports = tuple(published(found.network_settings.ports or {}))
    test = tuple((config.healthcheck.test if config.healthcheck else None) or ())
    declared = {int(port.split("/")[0]) for port in config.exposed_ports or {}}
    return Container(
        id=found.id,
        name=found.name.lstrip("/"),
        service=labels.get(SERVICE_LABEL, ""),
        number=int(labels.get(NUMBER_LABEL, "1")),
        project=labels.get(PROJECT_LABEL, ""),
        image=config.image or "",
        image_id=found.image or "",
        state=state.status or "",
        pid=state.pid or 0,
        exit_code=state.exit_code or 0,
        oom_killed=bool(state.oom_killed),
        error=state.error or "",
        restarts=found.restart_count or 0,
        restart_policy=(host.restart_policy.name if host.restart_policy else "") or "no",
        created_at=_epoch_s(found.created),
        started_at=_epoch_s(state.started_at),
        finished_at=_epoch_s(state.finished_at),
        health=(state.health.status if state.health else "") or "none",
        probe_test=() if test[:1] == ("NONE",) else test,
        probes=_probes(state.health),
        published=ports,
        listens=tuple(sorted(declared | {port.target for port in ports})),
        volumes=tuple(
            mount.name for mount in found.mounts if mount.type == "volume" and mount.name
        ),
        labels=labels,
    )


def _probes(health: ContainerHealth | None) -> tuple[ProbeResult, ...]:
    return tuple(
        ProbeResult(
            _epoch_s(entry.start),
            _epoch_s(entry.end),
            entry.exit_code or 0,
            (entry.output or "").strip(),
        )
        for entry in (health.log if health else None) or ()
    )


def _image(docker: whales.DockerClient, reference: str) -> LocalImage | None:
    from python_on_whales.exceptions import NoSuchImage

    try:
        found = docker.image.inspect(reference)
        config = found.config
        test = (config.healthcheck.test if config.healthcheck else None) or []
        return LocalImage(
            id=found.id,
            tags=tuple(found.repo_tags or ()),
            has_probe=bool(test) and test != ["NONE"],
            exposed=tuple(sorted(int(port.split("/")[0]) for port in config.exposed_ports or {})),
            labels=config.labels or {},
            platform="/".join(
                part for part in (found.os, found.architecture, found.variant) if part
            ),
            user=config.user or "",
        )
    except NoSuchImage:
        return None


def _epoch_s(time: datetime | None) -> float:
    """Return epoch seconds; 0 for none, and for the engine's zero time in the year 1."""
    return max(0.0, time.timestamp()) if time else 0.0


def _failure(runner: Runner, error: DockerException) -> HullwrightError:
    answer = Result(
        ("docker", *error.docker_command[1:]),
        error.return_code,
        runner.redacted(error.stdout or ""),
        runner.redacted(error.stderr or ""),
    )
    try:
        check_reachable(answer)
    except UnavailableError as unreachable:
        return unreachable
    return CommandError(answer)


def _unreadable(error: Exception) -> UnavailableError:
    """Return the error for an answer of an unknown form, and remove the copy that was kept of it.

    python-on-whales writes the whole answer to a temporary file; a container's holds its secrets.
    """
    if match := _DUMP.search(f"{error}"):
        Path(match["path"]).unlink(missing_ok=True)
    cause = error.__cause__
    return UnavailableError(
        "the engine answers in a form that python-on-whales does not know",
        why=f"{type(cause).__name__}" if cause else "",
        next_step="update python-on-whales, and if it is the newest one, tell its maintainers",
    )


@contextmanager
def _echoed(runner: Runner) -> Iterator[None]:
    """Echo the commands of the block; python-on-whales tells its log of each, without values."""
    if runner.echo is None:
        yield
        return
    log = logging.getLogger("python_on_whales")
    handler, level, propagate = _Echo(runner), log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


class _Echo(logging.Handler):
    """Hands commands that are logged over to a runner's echo."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner

    def emit(self, record: logging.LogRecord) -> None:
        told = record.getMessage()
        if self._runner.echo is not None and told.startswith(_TOLD):
            program, _, words = told.removeprefix(_TOLD).partition(" ")
            line = f"{Path(program).name} {words}"
            self._runner.echo(self._runner.redacted(line))
