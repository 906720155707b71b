"""Which services made the start as long as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack import ServiceUp


def done_s(service: ServiceUp) -> float | None:
    """Return when a service let others go on: healthy, ended, or running without a check."""
    if service.status == "completed":
        return service.ended_s
    return service.healthy_s if service.healthy_s is not None else _running_s(service)


def critical_path(services: Sequence[ServiceUp]) -> tuple[str, ...]:
    """Return the chain of dependencies that ends with the service that was done last.

    Before each service stands that one of its dependencies which let it wait longest.
    """
    by_name = {service.service: service for service in services}
    finished = [service for service in services if done_s(service) is not None]
    if not finished:
        return ()
    path = [max(finished, key=lambda service: done_s(service) or 0.0)]
    while True:
        before = [by_name[name] for name in path[0].depends_on if name in by_name]
        before = [service for service in before if done_s(service) is not None]
        if not before:
            return tuple(service.service for service in path)
        path.insert(0, max(before, key=lambda service: done_s(service) or 0.0))


def _running_s(service: ServiceUp) -> float | None:
    return service.listening_s if service.listening_s is not None else service.started_s
