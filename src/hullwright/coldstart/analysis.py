"""Where a cold start's time went: shares of the critical path, and what would make it shorter.

Everything here follows from the times of one run and from the health checks as they were started;
it looks at nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.coldstart.timeline import awaited, critical_path, done_s, gate_s
from hullwright.stack.wait import SETTLE_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.coldstart.models import ColdRun
    from hullwright.stack import ServiceUp
    from hullwright.tools.compose import Probe

# What is suggested: probes this far apart while a service starts.
_FAST_S: Final = 0.25
_FAST_TEXT: Final = "start_interval: 250ms"
# Docker's own, where a health check leaves them out.
# https://docs.docker.com/reference/dockerfile/#healthcheck
_INTERVAL_S: Final = 30.0
_START_INTERVAL_S: Final = 5.0
_START_PERIOD_S: Final = 30.0
# A suggestion that saves less than this, or than this part of the whole, is not worth a change.
_WORTH_S: Final = 0.1
_WORTH_PART: Final = 0.02


@dataclass(frozen=True, slots=True)
class Part:
    """What one service adds to the critical path, from what let it go on to what it let go on.

    Attributes:
        service: the compose service.
        from_s: when what it waited for let it go on; 0 for the first.
        compose_s: until its container ran: Compose and the engine at work.
        own_s: until it was ready, or had ended.
        probe_lag_s: until its health check said so.
    """

    service: str
    from_s: float
    compose_s: float
    own_s: float
    probe_lag_s: float

    @property
    def end_s(self) -> float:
        """When it let the next one go on."""
        return self.from_s + self.compose_s + self.own_s + self.probe_lag_s


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to write into the compose file, and what it is worth.

    Attributes:
        service: whose entry is meant.
        seen: what was measured.
        write: what to write.
        saves_s: how much earlier the stack would have been up, at most.
        here: whether this start would have been quicker; else only one with the probes that the
            files have, for here they came faster.
    """

    service: str
    seen: str
    write: str
    saves_s: float
    here: bool = True


@dataclass(frozen=True, slots=True)
class Analysis:
    """Where the time of a run went; own work, probe lag and Compose's work make up the total.

    Attributes:
        total_s: the run's total.
        parts: along the critical path.
        verdict_s: from the end of the path to the verdict; counts as Compose's work.
        suggestions: what saves most comes first.
    """

    total_s: float
    parts: tuple[Part, ...] = ()
    verdict_s: float = 0.0
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def own_s(self) -> float:
        """What the services of the critical path took by themselves."""
        return math.fsum(part.own_s for part in self.parts)

    @property
    def probe_lag_s(self) -> float:
        """What their health checks took to say what was so already."""
        return math.fsum(part.probe_lag_s for part in self.parts)

    @property
    def compose_s(self) -> float:
        """What Compose and the engine took: making, starting and noticing."""
        return math.fsum([self.verdict_s, *(part.compose_s for part in self.parts)])


def analysed(run: ColdRun, written: Mapping[str, Probe] | None = None) -> Analysis:
    """Return where the time of a run went along its critical path, and what would save some.

    Args:
        run: one start.
        written: health checks as the files have them, of services that it probed faster.
    """
    by_name = {service.service: service for service in run.services}
    parts = _parts(by_name, run)
    end_s = parts[-1].end_s if parts else 0.0
    suggestions = () if run.failures else _suggestions(by_name, run.total_s, written or {})
    return Analysis(run.total_s, parts, max(run.total_s - end_s, 0.0), suggestions)


def takes_s(services: Sequence[ServiceUp]) -> dict[str, float]:
    """Return what each service takes from the end of what it waits for to its own, seconds.

    Those that were never done are left out.
    """
    by_name = {service.service: service for service in services}
    found = {}
    for service in services:
        end_s = done_s(service)
        if end_s is not None:
            found[service.service] = max(end_s - gate_s(service, by_name), 0.0)
    return found


def _parts(by_name: Mapping[str, ServiceUp], run: ColdRun) -> tuple[Part, ...]:
    path = [by_name[name] for name in critical_path(run.services)]
    parts: list[Part] = []
    begin_s = 0.0
    for position, service in enumerate(path):
        following = path[position + 1] if position + 1 < len(path) else None
        end_s = _until_s(service, following, by_name, run.total_s)
        parts.append(_part(service, begin_s, min(max(end_s, begin_s), run.total_s)))
        # Not its own sum, whose rounding would add up.
        begin_s = max(begin_s, min(end_s, run.total_s))
    return tuple(parts)


def _until_s(
    service: ServiceUp,
    following: ServiceUp | None,
    by_name: Mapping[str, ServiceUp],
    total_s: float,
) -> float:
    """Return when a service let the next one of the path go on; the last one, when it was done."""
    if following is not None:
        times = [at_s for at_s, other in awaited(following, by_name) if other is service]
        return max(times, default=total_s)
    end_s = done_s(service)
    return total_s if end_s is None else end_s


def _part(service: ServiceUp, begin_s: float, end_s: float) -> Part:
    started_s = end_s if service.started_s is None else service.started_s
    started_s = min(max(started_s, begin_s), end_s)
    if service.all_started_s is not None and service.all_started_s >= end_s:
        # It was waited for until all of its containers ran, and no longer.
        started_s = end_s
    checked = service.status in {"healthy", "failed", "waiting"}
    ready_s = service.ready_s if checked and service.ready_s is not None else end_s
    ready_s = min(max(ready_s, started_s), end_s)
    return Part(service.service, begin_s, started_s - begin_s, ready_s - started_s, end_s - ready_s)


def _suggestions(
    by_name: Mapping[str, ServiceUp], total_s: float, written: Mapping[str, Probe]
) -> tuple[Suggestion, ...]:
    found = []
    for name, service in by_name.items():
        sooner = _by_probing(service) if service.status == "healthy" else _by_a_check(service)
        here = sooner is not None
        sooner = sooner or _by_writing(service, written.get(name))
        if sooner is None:
            continue
        sooner_s, seen, write = sooner
        saves_s = abs(total_s - _total_with(by_name, total_s, name, sooner_s))
        # Times that contradict each other are no reason to promise more than there is.
        saves_s = min(saves_s, total_s) if here else saves_s
        if saves_s >= max(_WORTH_S, _WORTH_PART * total_s):
            found.append(Suggestion(name, seen, write, round(saves_s, 3), here))
    return tuple(sorted(found, key=lambda each: -each.saves_s))


def _by_probing(service: ServiceUp) -> tuple[float, str, str] | None:
    """Return what faster probes make of a lag: seconds sooner at most, what was seen, the remedy.

    A lag that is longer than the time between two probes is not the probes': one of them came
    meanwhile, and said no.
    """
    if service.ready_s is None or service.healthy_s is None or service.listening_s is None:
        return None
    lag_s = service.healthy_s - service.ready_s
    took_s = service.ready_s - (service.started_s or 0.0)
    between_s = _between_probes_s(service, took_s)
    sooner_s = min(lag_s, lag_s if between_s is None else between_s) - _FAST_S
    if sooner_s <= 0.0:
        return None
    seen = f"listened {lag_s:.2f} s before its check said so"
    return sooner_s, seen, _remedy(service, took_s)


def _by_writing(service: ServiceUp, probe: Probe | None) -> tuple[float, str, str] | None:
    """Return how much later (below 0) it is healthy with the probes that its file has, and why.

    Its first probe comes one interval after the start, and so on; the first one that can succeed
    is the first after the moment at which it was ready, or was healthy here after probes that
    failed.
    """
    if probe is None or service.healthy_s is None or service.started_s is None:
        return None
    ready_s = service.healthy_s if service.ready_s is None else service.ready_s
    if service.healthy_s - ready_s > 2 * _FAST_S:
        ready_s = service.healthy_s - _FAST_S
    took_s = max(ready_s - service.started_s, 0.0)
    between_s = _between_probes_s(replace(service, probe=probe), took_s)
    if not between_s or between_s <= _FAST_S:
        return None
    asked_s = service.started_s + between_s * max(math.ceil(took_s / between_s), 1)
    later_s = asked_s - service.healthy_s
    if later_s <= 0.0:
        return None
    seen = (
        f"is asked every {between_s:g} s in your own stack, and would be healthy there "
        f"{later_s:.2f} s later than here"
    )
    return -later_s, seen, _remedy(replace(service, probe=probe), took_s)


def _by_a_check(service: ServiceUp) -> tuple[float, str, str] | None:
    """Return what a health check saves where a service without one was watched for a second."""
    end_s = done_s(service)
    if service.status != "unknown" or service.listening_s is None or end_s is None:
        return None
    took_s = max(service.listening_s - (service.started_s or 0.0), 0.0)
    sooner_s = end_s - (service.started_s or 0.0) - took_s - _FAST_S
    if sooner_s <= 0.0:
        return None
    seen = (
        f"listened {took_s:.2f} s after its start, and "
        f"was watched for {SETTLE_S:g} s because it has no check"
    )
    return sooner_s, seen, f"a healthcheck with {_FAST_TEXT} and start_period: 30s"


def _between_probes_s(service: ServiceUp, took_s: float) -> float | None:
    """Return how far apart its probes were when a service got ready; None where not known.

    What a compose file leaves out may stand in the image.
    """
    probe = service.probe
    if probe is None:
        return None
    within = (probe.start_period_s or 0.0) > took_s
    written_s = probe.start_interval_s if within else probe.interval_s
    if written_s is not None:
        return written_s
    if not probe.test:
        return None
    return _START_INTERVAL_S if within else _INTERVAL_S


def _remedy(service: ServiceUp, took_s: float) -> str:
    """Return what to write; the `start_period` is the file's where that is long enough."""
    written_s = service.probe.start_period_s if service.probe else None
    period_s = max(written_s or _START_PERIOD_S, 10 * math.ceil(took_s / 5))
    return f"{_FAST_TEXT} with start_period: {period_s:g}s in its healthcheck"


def _total_with(
    by_name: Mapping[str, ServiceUp], total_s: float, changed: str, sooner_s: float
) -> float:
    """Return the total of a start in which one service is done so much sooner.

    Compose makes all containers before it starts the first, so nothing starts before that.
    """
    made_s = max((each.created_s or 0.0 for each in by_name.values()), default=0.0)
    shifts: dict[str, float] = {}

    def shift_s(service: ServiceUp) -> float:
        """How much later than it was (below 0: sooner) a service is started."""
        if service.service not in shifts:
            shifts[service.service] = 0.0
            gates = awaited(service, by_name)
            now_s = max((at_s + moved_s(other, at_s) for at_s, other in gates), default=0.0)
            before_s = max((at_s for at_s, _ in gates), default=0.0)
            shifts[service.service] = max(now_s, made_s) - max(before_s, made_s)
        return shifts[service.service]

    def moved_s(service: ServiceUp, at_s: float) -> float:
        """How much later the moment at which it lets others go on is."""
        sooner = service.service == changed and at_s == done_s(service)
        return shift_s(service) - (sooner_s if sooner else 0.0)

    ends = {name: done_s(service) for name, service in by_name.items()}
    done = {name: at_s for name, at_s in ends.items() if at_s is not None}
    if not done:
        return total_s
    now_s = max(at_s + moved_s(by_name[name], at_s) for name, at_s in done.items())
    return total_s - (max(done.values()) - now_s)
