"""When services let each other go on, and which of them made the start as long as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.stack.wait import SETTLE_S
from hullwright.tools.compose import Dependency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.stack import ServiceUp
    from hullwright.tools.compose import Condition

# Times come from two clocks of one machine (the engine's events and its inspections), and are
# rounded; a service cannot have waited for what came later than this after its own start.
_TOLERANCE_S: Final = 0.02


def done_s(service: ServiceUp) -> float | None:
    """Return when a service was what it is to be; None where it never was.

    That is healthy, ended, or without a check: listening and over its first second, before which
    nobody can say that it runs.
    """
    match service.status:
        case "completed":
            return service.ended_s
        case "failed" | "waiting":
            return None
        case "unknown" if service.healthy_s is None and service.started_s is not None:
            settled_s = service.started_s + SETTLE_S
            return max(settled_s, service.listening_s or 0.0)
    if service.healthy_s is not None:
        return service.healthy_s
    return service.listening_s if service.listening_s is not None else service.started_s


def released_s(service: ServiceUp, condition: Condition) -> float | None:
    """Return when a service let those go on that wait for it with a condition; None for never."""
    started_s = service.started_s if service.all_started_s is None else service.all_started_s
    match condition:
        case "service_started":
            return started_s
        case "service_completed_successfully":
            return service.ended_s
        case "service_healthy" if service.healthy_s is not None:
            return service.healthy_s
    return done_s(service)


def awaited(service: ServiceUp, among: Mapping[str, ServiceUp]) -> list[tuple[float, ServiceUp]]:
    """Return what a service waited for before it was started, each with when that let it go on.

    What let go after the service was started was not waited for.
    """
    waits = service.awaits or tuple(
        Dependency(name, "service_healthy") for name in service.depends_on
    )
    found = []
    for each in waits:
        other = among.get(each.service)
        at_s = released_s(other, each.condition) if other is not None else None
        if other is None or at_s is None:
            continue
        if service.started_s is None or at_s <= service.started_s + _TOLERANCE_S:
            found.append((at_s, other))
    return found


def gate_s(service: ServiceUp, among: Mapping[str, ServiceUp]) -> float:
    """Return when the last of what a service waited for let it go on; 0 where that is nothing."""
    return max((at_s for at_s, _ in awaited(service, among)), default=0.0)


def critical_path(services: Sequence[ServiceUp]) -> tuple[str, ...]:
    """Return the chain of dependencies that ends with the service that was done last.

    Before each service stands that one of its dependencies which let it wait longest. A service
    that failed, or ran and never got ready, was what the end waited for.
    """
    by_name = {service.service: service for service in services}
    last = _last(services)
    if last is None:
        return ()
    path = [last]
    while True:
        seen = {service.service for service in path}
        before = [
            (at_s, other) for at_s, other in awaited(path[0], by_name) if other.service not in seen
        ]
        if not before:
            return tuple(service.service for service in path)
        path.insert(0, max(before, key=lambda each: each[0])[1])


def _last(services: Sequence[ServiceUp]) -> ServiceUp | None:
    """Return the service that the end waited for; None where none was even started."""
    for status in ("failed", "waiting"):
        held = [each for each in services if each.status == status and each.started_s is not None]
        if held:
            return max(held, key=lambda each: each.started_s or 0.0)
    done = [service for service in services if done_s(service) is not None]
    return max(done, key=lambda each: done_s(each) or 0.0, default=None)
