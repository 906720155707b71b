"""What is gathered of a container that failed, before anybody says why.

Only here is anybody asked: the engine for inspections and last lines, the kernel's tables for
sockets. `diagnose` makes a cause of it, and needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from hullwright.stack import holders, symptoms
from hullwright.stack.words import port_in
from hullwright.tools import details, engine, ports
from hullwright.tools.details import Details, LogLine, Owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.stack.symptoms import Symptom
    from hullwright.stack.wait import Track, Wait
    from hullwright.tools.compose import Model
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

# So many lines are looked at for what a program said last; fewer are shown.
_LINES: Final = 40
_SKEW_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Peer:
    """Another service of the stack, as a name on its networks.

    Attributes:
        state: in words, such as `runs` or `ended with 1`.
        running: whether it runs.
        failed: whether it ended with another code than 0.
        networks: names of its networks.
        names: what it can be called by on them.
    """

    service: str
    state: str
    running: bool = False
    failed: bool = False
    networks: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a container that failed; times are epoch seconds.

    Attributes:
        verdict: what the wait saw, in its coarser words: `crash`, `unhealthy`, …
        container: as the engine shows it; None where it is gone.
        details: its configuration.
        log: what it wrote since its last start.
        symptom: what the last lines speak of.
        engine: platform of the engine.
        owner: whose the place is that it was denied.
        user: number of the user that it runs as; None where nobody knows.
        holder: who has the port that it wanted.
        open_ports: on which it listens.
        waiting: services that wait for it.
        dependencies: those that it waits for.
        peers: all other services by name.
    """

    service: str
    verdict: str
    one_shot: bool = False
    exit_code: int | None = None
    deaths: int = 0
    oom: bool = False
    waited_s: float = 0.0
    own_limit: bool = False
    listening_s: float | None = None
    container: Container | None = None
    details: Details = field(default_factory=Details)
    log: tuple[LogLine, ...] = ()
    symptom: Symptom | None = None
    engine: str = ""
    owner: Owner | None = None
    user: int | None = None
    holder: str = ""
    open_ports: tuple[int, ...] = ()
    waiting: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    peers: Mapping[str, Peer] = field(default_factory=dict)

    @property
    def emulated(self) -> bool:
        """Whether its image is for another platform than the engine's."""
        return details.is_foreign(self.details.platform, self.engine)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is the same for all failures of one wait, asked for once."""

    containers: Mapping[str, Container]
    details: Mapping[str, Details]
    peers: Mapping[str, Peer]
    engine: str


def scene(ws: Workspace, wait: Wait, there: Sequence[Container], model: Model | None) -> Scene:
    """Return what surrounds the failures of a wait."""
    found = details.of_containers(ws.runner, [container.id for container in there])
    return Scene(
        containers={container.id: container for container in there},
        details=found,
        peers=_peers(wait, there, found, model),
        engine=details.engine_platform(ws.runner),
    )


def gather(ws: Workspace, wait: Wait, track: Track, around: Scene) -> Evidence:
    """Return what is known of one container that failed."""
    container = around.containers.get(track.id)
    own = around.details.get(track.id, Details())
    if container is not None and not own.platform:
        # An engine that keeps no manifests of its images.
        image = engine.image(ws.runner, container.image_id)
        own = replace(own, platform=image.platform if image else "")
    log = _log(ws, track)
    expected = wait.expected[track.service]
    found = Evidence(
        service=track.service,
        verdict=track.cause or "failed",
        one_shot=expected.one_shot,
        exit_code=track.exit_code,
        deaths=track.deaths,
        oom=track.oom or (container is not None and container.oom_killed),
        waited_s=_waited_s(wait, track),
        own_limit=track.own_limit,
        listening_s=None if track.listening_at is None else track.listening_at - wait.began_at,
        container=container,
        details=own,
        log=log,
        symptom=_symptom(track, log),
        engine=around.engine,
        open_ports=tuple(sorted(ports.listening_ports(track.pid))) if track.pid else (),
        waiting=tuple(n for n, each in wait.expected.items() if track.service in each.depends_on),
        dependencies=expected.depends_on,
        peers=around.peers,
    )
    return _followed(ws, track, found)


def _followed(ws: Workspace, track: Track, found: Evidence) -> Evidence:
    """Return evidence with what is only looked at because of what it says."""
    port = port_in(found.container.error) if found.container else None
    if port is not None:
        return replace(found, holder=str(holders.of_port(ws, port)))
    symptom = found.symptom
    if symptom is None or symptom.kind != "permission-denied":
        return found
    mount = found.details.mount_of(symptom.subject) if symptom.subject else None
    if mount is None:
        return found
    place, outermost = PurePosixPath(symptom.subject), PurePosixPath(mount.destination)
    inside = [each for each in (place, place.parent) if outermost in (each, *each.parents)]
    tried = dict.fromkeys(str(each) for each in (*inside, outermost))
    return replace(
        found,
        owner=details.owner(ws.runner, track.id, tried),
        user=details.user_number(ws.runner, track.id, found.details.user),
    )


def _log(ws: Workspace, track: Track) -> tuple[LogLine, ...]:
    lines = details.log_tail(ws.runner, track.id, _LINES)
    # What an earlier run of the same container said is not what this one failed of.
    since = (track.started_at or 0.0) - _SKEW_S
    return tuple(line for line in lines if not line.at or line.at >= since) or lines


def _symptom(track: Track, log: Sequence[LogLine]) -> Symptom | None:
    if track.ended_at is not None and track.exit_code is not None:
        return symptoms.dying(log, track.ended_at, track.exit_code)
    if track.failed_at is not None and track.running:
        return symptoms.running(log, track.failed_at)
    return None


def _waited_s(wait: Wait, track: Track) -> float:
    since = track.first_started_at if track.own_limit and track.first_started_at else wait.began_at
    return track.limit_s or (track.failed_at or since) - since


def _peers(
    wait: Wait,
    there: Sequence[Container],
    found: Mapping[str, Details],
    model: Model | None,
) -> dict[str, Peer]:
    peers = {}
    for container in there:
        own = found.get(container.id, Details())
        peers[container.service] = Peer(
            container.service,
            _state(container),
            container.state == "running",
            container.state == "exited" and container.exit_code != 0,
            own.networks,
            own.names | {container.service},
        )
    for name, service in model.services.items() if model else ():
        if name not in peers:
            state = "was not started yet" if name in wait.expected else "was not asked for"
            peers[name] = Peer(name, state, names=frozenset({name, _alias(service.raw)} - {""}))
    return peers


def _alias(raw: Mapping[str, object]) -> str:
    return str(raw.get("container_name") or raw.get("hostname") or "")


def _state(container: Container) -> str:
    match container.state:
        case "running":
            return "runs" if container.health == "none" else f"runs and is {container.health}"
        case "exited":
            return f"ended with {container.exit_code}"
        case "created":
            return "was not started yet"
        case other:
            return f"is {other}"
