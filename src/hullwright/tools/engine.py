"""The Docker engine: what containers and images are there, and its events, for who is in a hurry.

Observations are `docker … inspect` through the one runner: a call takes 15-30 ms for any number of
objects. Where there is no hurry, `tools.whales` gives the same types by python-on-whales, whose
import alone takes 200 ms.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UnavailableError
from hullwright.images import Reference
from hullwright.run import CommandError
from hullwright.tools.compose import NUMBER_LABEL, PROJECT_LABEL, SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.run import Result, Runner

PROJECT: Final = "dev.hullwright.project"
KIND: Final = "dev.hullwright.kind"
RUN: Final = "dev.hullwright.run"

_UNREACHABLE: Final = re.compile(
    r"Cannot connect to the Docker daemon|error during connect|permission denied while trying to "
    r"connect|Is the docker daemon running"
)
_PLATFORM: Final = ("Os", "Architecture", "Variant")
_TIME: Final = re.compile(
    r"(?P<whole>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d|)"
)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One run of a health check: epoch seconds of start and end, exit code, what it printed."""

    started_at: float
    ended_at: float
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Published:
    """A container's port as the host has it."""

    target: int
    protocol: str
    host_ip: str
    host_port: int


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine shows it; times are epoch seconds, 0 where there is none yet.

    Attributes:
        health: `none`, `starting`, `healthy` or `unhealthy`.
        probe_test: command of its health check, the image's included; empty without.
        probes: the last results of its health check since it was last started, oldest first.
        error: why the engine could not start it.
        volumes: names of the volumes that it mounts.
        listens: ports that it declares: published, exposed, or named by its image.
    """

    id: str
    name: str
    service: str
    number: int
    project: str
    image: str
    image_id: str
    state: str
    pid: int
    exit_code: int
    oom_killed: bool
    error: str
    restarts: int
    restart_policy: str
    created_at: float
    started_at: float
    finished_at: float
    health: str = "none"
    probe_test: tuple[str, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    published: tuple[Published, ...] = ()
    listens: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def has_probe(self) -> bool:
        """Whether a health check runs in it, or will when it has started."""
        return self.health != "none" or bool(self.probe_test)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a container.

    Attributes:
        at: epoch seconds by the engine's clock.
        action: `create`, `start`, `die`, `kill`, `oom`, `destroy`, `exec_start`, `exec_die`,
            `health_status: healthy`, …, without the words of an exec.
        exit_code: of `die` and `exec_die`.
    """

    at: float
    action: str
    container: str
    name: str
    service: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image of the local store.

    Attributes:
        id: how the store knows it: a manifest's or index's digest, or a config's on a classic one.
        has_probe: whether it brings a health check.
        exposed: ports that it declares.
        platform: `os/architecture[/variant]`, this machine's own if it has several.
        labels: its labels.
        user: whom it runs as, as its Dockerfile says: a number, a name or neither.
    """

    id: str
    tags: tuple[str, ...] = ()
    has_probe: bool = False
    exposed: tuple[int, ...] = ()
    platform: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str = ""


def containers(runner: Runner, *labels: str) -> tuple[Container, ...]:
    """Return all containers, stopped ones too, that have every label (`KEY` or `KEY=VALUE`)."""
    filters = label_filters(labels)
    ids = _ask(runner, "docker", "ps", "--all", "--quiet", "--no-trunc", *filters).stdout.split()
    return inspected(runner, ids)


def of_project(runner: Runner, project: str) -> tuple[Container, ...]:
    """Return the containers of a compose project, in the order of services and numbers."""
    found = containers(runner, f"{PROJECT_LABEL}={project}")
    return tuple(sorted(found, key=lambda container: (container.service, container.number)))


def inspected(runner: Runner, ids: Sequence[str]) -> tuple[Container, ...]:
    """Return those of the containers that still exist."""
    if not ids:
        return ()
    answer = _ask(runner, "docker", "container", "inspect", *ids, check=False)
    return tuple(parse_container(raw) for raw in json.loads(answer.stdout or "[]"))


def publishing(runner: Runner, port: int, protocol: str = "tcp") -> tuple[Container, ...]:
    """Return the running containers that publish a port of the host."""
    answer = _ask(
        runner, "docker", "ps", "--filter", f"publish={port}/{protocol}", "--format", "{{.Names}}"
    )
    ids = _ask(runner, "docker", "ps", "--quiet", "--no-trunc", check=False).stdout.split()
    # `publish` matches ports in the container too, so the bindings decide.
    return tuple(
        container
        for container in inspected(runner, ids if answer.stdout.strip() else ())
        if any(p.host_port == port and p.protocol == protocol for p in container.published)
    )


def image(runner: Runner, reference: str) -> LocalImage | None:
    """Return an image of the local store, or None where it is not there."""
    return images(runner, [reference])[reference]


def images(runner: Runner, references: Iterable[str]) -> dict[str, LocalImage | None]:
    """Return each reference's image in the local store, None for those that are not there."""
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return {}
    answer = _ask(runner, "docker", "image", "inspect", *wanted, check=False)
    found = [parse_image(raw) for raw in json.loads(answer.stdout or "[]")]
    if len(found) == len(wanted):
        return dict(zip(wanted, found, strict=True))
    if len(wanted) == 1:
        return {wanted[0]: None}
    # What is missing leaves a gap, and names are printed in their full form: ask one by one.
    return {name: images(runner, [name])[name] for name in wanted}


def digests(runner: Runner, references: Iterable[str]) -> dict[str, str]:
    """Return the digests of those images that the local store has, in one question for all.

    An image that was made here has none on a classic store. Where no engine answers, none has.
    """
    wanted = dict.fromkeys(references)
    if not wanted:
        return {}
    answer = runner.read("docker", "image", "inspect", *wanted, check=False)
    found: dict[str, str] = {}
    for raw in json.loads(answer.stdout or "[]"):
        own = (raw.get("Descriptor") or {}).get("digest", "")
        pushed = dict(entry.split("@") for entry in raw.get("RepoDigests") or ())
        for tag in raw.get("RepoTags") or ():
            digest = own or pushed.get(Reference.parse(tag).repository, "")
            found.update({name: digest for name in wanted if digest and _same(name, tag)})
    return found


def local_tags(runner: Runner) -> tuple[str, ...]:
    """Return all tags of the local store, newest image first."""
    answer = _ask(runner, "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    return tuple(line for line in answer.stdout.splitlines() if "<none>" not in line)


def last_lines(runner: Runner, container: str, count: int = 5) -> tuple[str, ...]:
    """Return the last lines that a container wrote, secrets masked."""
    answer = _ask(runner, "docker", "logs", "--tail", str(count), container, check=False)
    if not answer.ok:
        return ()
    text = runner.redacted(answer.stdout + answer.stderr)
    return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]


def events_argv(project: str, since_s: float) -> list[str]:
    """Return the command that follows the events of a project's containers."""
    return [
        "docker", "events", "--format", "json", "--since", f"{since_s:.3f}",
        "--filter", "type=container", "--filter", f"label={PROJECT_LABEL}={project}",
    ]  # fmt: skip


def parse_event(line: str) -> Event | None:
    """Return the event of a line of `docker events --format json`, None for what is none."""
    try:
        raw = json.loads(line)
        actor, at, action = raw["Actor"], raw["timeNano"] / 1e9, raw["Action"]
        container = actor["ID"]
    except (ValueError, KeyError, TypeError):
        return None
    attributes = actor.get("Attributes") or {}
    code = attributes.get("exitCode")
    return Event(
        at=at,
        # `exec_start: curl -f http://…` — the words may hold anything.
        action=action.split(":", 1)[0] if action.startswith("exec_") else action,
        container=container,
        name=attributes.get("name", ""),
        service=attributes.get(SERVICE_LABEL, ""),
        exit_code=None if code is None else int(code),
    )


def parse_container(raw: Mapping[str, Any]) -> Container:
    """Return the container of one entry of `docker container inspect`."""
    state, config = raw["State"], raw.get("Config") or {}
    labels = config.get("Labels") or {}
    host = raw.get("HostConfig") or {}
    ports = tuple(published((raw.get("NetworkSettings") or {}).get("Ports") or {}))
    started_at = epoch_s(state.get("StartedAt"))
    health = state.get("Health") or {}
    test = tuple((config.get("Healthcheck") or {}).get("Test") or ())
    # Before it starts, only what it is to publish is known.
    declared = {
        int(port.split("/")[0])
        for among in (config.get("ExposedPorts"), host.get("PortBindings"))
        for port in among or {}
    }
    return Container(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        service=labels.get(SERVICE_LABEL, ""),
        number=int(labels.get(NUMBER_LABEL, "1")),
        project=labels.get(PROJECT_LABEL, ""),
        image=config.get("Image", ""),
        image_id=raw.get("Image", ""),
        state=state["Status"],
        pid=state.get("Pid") or 0,
        exit_code=state.get("ExitCode") or 0,
        oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        restarts=raw.get("RestartCount") or 0,
        restart_policy=(host.get("RestartPolicy") or {}).get("Name") or "no",
        created_at=epoch_s(raw.get("Created")),
        started_at=started_at,
        finished_at=epoch_s(state.get("FinishedAt")),
        health=health.get("Status") or "none",
        probe_test=() if test[:1] == ("NONE",) else test,
        # The engine keeps those of earlier runs of the same container in its list.
        probes=tuple(
            probe
            for probe in map(_probe_result, health.get("Log") or ())
            if probe.ended_at >= started_at
        ),
        published=ports,
        listens=tuple(sorted(declared | {port.target for port in ports})),
        volumes=tuple(
            mount["Name"] for mount in raw.get("Mounts") or () if mount.get("Type") == "volume"
        ),
        labels=labels,
    )


def parse_image(raw: Mapping[str, Any]) -> LocalImage:
    """Return the image of one entry of `docker image inspect`."""
    config = raw.get("Config") or {}
    test: list[str] = (config.get("Healthcheck") or {}).get("Test") or []
    return LocalImage(
        id=raw["Id"],
        tags=tuple(raw.get("RepoTags") or ()),
        has_probe=bool(test) and test != ["NONE"],
        exposed=tuple(sorted(int(port.split("/")[0]) for port in config.get("ExposedPorts") or {})),
        platform="/".join(raw[key] for key in _PLATFORM if raw.get(key)),
        labels=config.get("Labels") or {},
        user=config.get("User") or "",
    )


def epoch_s(text: str | None) -> float:
    """Return the epoch seconds of the engine's RFC 3339 time, 0 for its zero time."""
    match = _TIME.fullmatch(text or "")
    if match is None or match["whole"].startswith("0001-"):
        return 0.0
    zone = "+00:00" if match["zone"] in {"Z", ""} else match["zone"]
    # `fromisoformat` takes microseconds at most, and the engine writes nanoseconds.
    whole = datetime.fromisoformat(match["whole"] + zone).timestamp()
    return whole + float(f"0{match['fraction'] or '.0'}")


def _probe_result(raw: Mapping[str, Any]) -> ProbeResult:
    return ProbeResult(
        epoch_s(raw.get("Start")),
        epoch_s(raw.get("End")),
        int(raw.get("ExitCode") or 0),
        (raw.get("Output") or "").strip(),
    )


def published(ports: Mapping[str, Any]) -> Iterable[Published]:
    """Yield the ports that the host has, of a container's `NetworkSettings.Ports`."""
    for name, bindings in ports.items():
        target, _, protocol = name.partition("/")
        for binding in bindings or ():
            if binding.get("HostPort"):
                yield Published(
                    int(target),
                    protocol or "tcp",
                    binding.get("HostIp", ""),
                    int(binding["HostPort"]),
                )


def _same(name: str, tag: str) -> bool:
    one, other = Reference.parse(name), Reference.parse(tag)
    return (one.repository, one.tag or "latest") == (other.repository, other.tag)


def label_filters(labels: Iterable[str]) -> list[str]:
    """Return the words by which the engine lists only what has all of these labels."""
    return [word for label in labels for word in ("--filter", f"label={label}")]


def maps_users(runner: Runner) -> bool:
    """Return whether users in containers have other numbers on the host: rootless, or remapped."""
    told = _ask(runner, "docker", "info", "--format", "{{json .SecurityOptions}}").stdout
    return "name=userns" in told or "name=rootless" in told


def check_reachable(answer: Result) -> None:
    """Raise where a docker command failed because no engine answered it.

    Raises:
        UnavailableError: the engine does not answer, or not to this user.
    """
    if not answer.ok and _UNREACHABLE.search(answer.stderr):
        raise UnavailableError(
            "the Docker engine does not answer",
            why=answer.stderr.strip().splitlines()[-1],
            next_step="start it, or: invoke setup   (says what is missing)",
        )


def _ask(runner: Runner, *argv: str, check: bool = True) -> Result:
    answer = runner.read(*argv, check=False)
    check_reachable(answer)
    if check and not answer.ok:
        raise CommandError(answer)
    return answer
