"""Execute: start what the plan says, wait, and tell what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import unknown
from hullwright.files import lock
from hullwright.stack import composed, explain, fetching, secretfiles
from hullwright.stack.expected import Expected, Limits, expectations
from hullwright.stack.plan import UpPlan, applied, plan_up
from hullwright.stack.probing import SlowProbe, slow_probes
from hullwright.stack.wait import Status, Track, Wait
from hullwright.stack.watch import Watched, start_and_wait
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.stack.checks import Checked
    from hullwright.stack.explain import Failure
    from hullwright.stack.selection import Selection
    from hullwright.tools.compose import Dependency, Probe
    from hullwright.tools.engine import Container, Published
    from hullwright.workspace import Workspace

# Longest wait where neither the command line nor the configuration says one.
TIMEOUT_S: Final = 300.0
_NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class ServiceUp:
    """What became of a service; times are seconds since the start began, None where not reached.

    Attributes:
        ready_s: the earlier of listening on a port that it declares, and healthy.
        probe_lag_s: how much later than that its health check said so.
        restarts: deaths after which the engine started it again.
        all_started_s: when the last of its containers had been started; the other times
            are of the one that was last to be ready.
        first_log_s: when it wrote its first line.
        peak_memory_bytes: most memory that all of its containers used, added up.
        cpu_s: seconds of processor time that they used until the verdict.
        published: where it can be reached on the host.
        awaits: what it waits for, each with its condition.
        probe: its health check as it was started; None where the file has none.
        shows: what `ps` shows of it, while it is waited for; empty where it has not run.
    """

    service: str
    status: Status
    created_s: float | None = None
    started_s: float | None = None
    listening_s: float | None = None
    ready_s: float | None = None
    healthy_s: float | None = None
    ended_s: float | None = None
    probe_lag_s: float | None = None
    exit_code: int | None = None
    restarts: int = 0
    reason: str = ""
    depends_on: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()
    first_log_s: float | None = None
    peak_memory_bytes: int | None = None
    cpu_s: float | None = None
    all_started_s: float | None = None
    awaits: tuple[Dependency, ...] = ()
    probe: Probe | None = None
    shows: str = ""


@dataclass(frozen=True, slots=True)
class UpReport:
    """What came of starting a stack.

    Attributes:
        total_s: seconds from the start to the verdict.
        services: in the model's order.
        failures: why it did not come up, or what did not hold then; empty where all is well.
        checks: what was looked at once it was up.
        waited: whether it was waited for; if not, the states are those right after the start.
        slow_probes: health checks that told late of services that were ready.
    """

    stack: str
    project: str
    total_s: float
    services: tuple[ServiceUp, ...]
    failures: tuple[Failure, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Checked, ...] = ()
    waited: bool = True
    slow_probes: tuple[SlowProbe, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the stack did not come up, or a check of it does not hold."""
        return bool(self.failures)


def up(ws: Workspace, selection: Selection, *, limits: Limits = _NO_LIMITS) -> UpReport:
    """Start a stack from exactly what was built, wait for it, and explain where it fails.

    Raises:
        UsageError, CheckFailedError: as `plan_up`; nothing was started then.
    """
    return execute(ws, plan_up(ws, selection), limits=limits)


def execute(
    ws: Workspace, plan: UpPlan, *, limits: Limits = _NO_LIMITS, wait: bool = True
) -> UpReport:
    """Do what a plan says; interrupted, it leaves what was started.

    Raises:
        UsageError: a service that is given a time is not of the stack; nothing was started.
        LockedError: another run is starting the same stack; it is named.
    """
    name = f"up-{plan.selection.stack.name}"
    with lock(ws.state_dir / "locks" / f"{name}.lock", f"the stack {plan.project}"):
        selection = applied(ws, plan, name)
        if wait:
            return start(ws, plan, selection, limits=limits)
        return begin(ws, plan, selection)


def begin(ws: Workspace, plan: UpPlan, selection: Selection) -> UpReport:
    """Fetch and start what a plan says, and tell what is known when Compose has ended.

    Compose itself waits for what `depends_on` names, and for nothing else.
    """
    composed.build(ws, selection, plan.composed)
    fetching.pull(ws, selection, plan.missing, plan.services)
    one_shots = selection.stack.one_shots
    expected = expectations(plan.model, plan.services, one_shots=one_shots)
    wait = Wait(expected, time.time(), TIMEOUT_S)
    with secretfiles.provided(plan.files), ws.console.step(f"start {plan.project}"):
        answer = ws.runner.run(
            *selection.call.up(selection.services),
            cwd=ws.root,
            env=selection.environment,
            check=False,
        )
    over_at = time.time()
    wait.compose_ended(answer.returncode)
    there = engine.of_project(ws.runner, plan.project)
    for container in there:
        wait.observe(container, over_at)
    said = ws.runner.redacted(f"{answer.stdout}{answer.stderr}").splitlines()
    return replace(report(ws, plan, wait, Watched(said, there, over_at)), waited=False)


def refuse_unknown_times(limits: Limits, known: Iterable[str]) -> None:
    """Refuse a time for a service that a stack does not have.

    Raises:
        UsageError: so it is, with the closest name.
    """
    names = set(known)
    for name in limits.services:
        if name not in names:
            raise unknown("service", name, names)


def start(
    ws: Workspace, plan: UpPlan, selection: Selection, *, limits: Limits, recreate: bool = True
) -> UpReport:
    """Fetch, start and wait for what a plan says, by a selection that has its override.

    Without `recreate` a container stays as it is, though its image or configuration changed.

    Raises:
        UsageError: a service that is given a time is not of the stack.
    """
    refuse_unknown_times(limits, plan.model.services)
    composed.build(ws, selection, plan.composed)
    fetching.pull(ws, selection, plan.missing, plan.services)
    expected = expectations(
        plan.model,
        plan.services,
        one_shots=selection.stack.one_shots,
        timeouts=timeouts_s(selection, limits),
    )
    with secretfiles.provided(plan.files):
        wait = Wait(expected, time.time(), limit_s(selection, limits))
        argv = selection.call.up(selection.services, recreate=recreate)
        watched = start_and_wait(ws, selection, argv, plan.project, wait)
    return report(ws, plan, wait, watched)


def report(ws: Workspace, plan: UpPlan, wait: Wait, watched: Watched) -> UpReport:
    """Return what a wait found, with its failures explained."""
    selection = plan.selection
    failures = explain.failures(
        ws, wait, watched.there, watched.output, plan.model, stack=selection.lasting_name
    )
    services = tuple(
        service_up(wait, expected, watched.there, failures) for expected in wait.expected.values()
    )
    return UpReport(
        stack=selection.stack.name,
        project=plan.project,
        total_s=watched.over_at - wait.began_at,
        services=services,
        failures=failures,
        images={pin.service: pin.text for pin in plan.pins},
        slow_probes=slow_probes(services),
    )


def timeouts_s(selection: Selection, limits: Limits) -> dict[str, float]:
    """Return the longest time of each service: the command line's, else the stack's."""
    configured = {name: each.total_seconds() for name, each in selection.stack.timeouts.items()}
    return {**configured, **limits.services}


def limit_s(selection: Selection, limits: Limits) -> float:
    """Return the longest wait: the command line's, else the stack's, else ours."""
    if limits.overall_s is not None:
        return limits.overall_s
    configured = selection.stack.timeout
    return configured.total_seconds() if configured else TIMEOUT_S


def service_up(
    wait: Wait,
    expected: Expected,
    there: tuple[Container, ...],
    failures: tuple[Failure, ...] = (),
) -> ServiceUp:
    """Return the times of a service: those of its container that was last to be ready."""
    tracks = wait.containers(expected.service)
    if not tracks:
        return ServiceUp(
            expected.service,
            wait.status(expected.service),
            depends_on=expected.depends_on,
            reason="it was never created",
            awaits=expected.awaits,
            probe=expected.probe,
        )
    last = max(tracks, key=lambda track: _end(track) or float("inf"))

    def since(at: float | None, earliest: float | None = None) -> float | None:
        # The engine stamps starts, ends and lines at different places: none is before its start.
        known = None if at is None else max(at, earliest or 0.0, wait.began_at)
        return None if known is None else round(known - wait.began_at, 3)

    peaks = [each.peak_memory_bytes for each in tracks if each.peak_memory_bytes is not None]
    cpu_s = [each.cpu_s for each in tracks if each.cpu_s is not None]
    status = wait.status(expected.service)
    ready = min((t for t in (last.listening_at, last.healthy_at) if t is not None), default=None)
    lag_s = last.healthy_at - ready if last.healthy_at is not None and ready is not None else None
    # What Compose came to start no more, before it gave up.
    earlier = status == "completed" and (last.ended_at or 0.0) < wait.began_at
    return ServiceUp(
        service=expected.service,
        status=status,
        created_s=since(last.created_at),
        started_s=since(last.first_started_at),
        listening_s=since(last.listening_at),
        ready_s=since(ready),
        healthy_s=since(last.healthy_at),
        ended_s=None if earlier else since(last.ended_at, last.started_at),
        probe_lag_s=None if lag_s is None else round(lag_s, 3),
        exit_code=last.exit_code,
        first_log_s=since(last.first_log_at, last.first_started_at),
        peak_memory_bytes=sum(peaks) if peaks else None,
        cpu_s=round(sum(cpu_s), 3) if cpu_s else None,
        restarts=sum(max(track.deaths - (track.ended_at is not None), 0) for track in tracks),
        reason="in an earlier start" if earlier else explain.reason(last, failures),
        depends_on=expected.depends_on,
        all_started_s=since(_all_started(tracks)),
        awaits=expected.awaits,
        probe=expected.probe,
        shows=_shown(last, there) if status == "waiting" else "",
        published=tuple(
            port
            for container in there
            if container.service == expected.service
            for port in container.published
        ),
    )


def _shown(track: Track, there: Iterable[Container]) -> str:
    now = next((each for each in there if each.id == track.id), None)
    if now is None or now.state == "created":
        return ""
    return now.health if now.state == "running" and now.health != "none" else now.state


def _all_started(tracks: Sequence[Track]) -> float | None:
    started = [track.first_started_at for track in tracks if track.first_started_at is not None]
    return max(started) if len(started) == len(tracks) else None


def _end(track: Track) -> float | None:
    return track.healthy_at or track.ended_at or track.listening_at or track.started_at
