"""Services that run and that nothing checks: a failure where each has to say that it is healthy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.stack.causes import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.stack.execution import ServiceUp, UpReport

UNCHECKED: Final = "no-healthcheck"


def unchecked(services: Iterable[ServiceUp], accepted: str) -> tuple[Failure, ...]:
    """Return a failure for each service that runs and has no health check.

    Args:
        services: what became of them.
        accepted: what a person does who accepts that, in words.
    """
    return tuple(
        Failure(
            service.service,
            UNCHECKED,
            f"{service.service} runs, but nothing says that it is healthy",
            (("next", f"a healthcheck in the compose file, or {accepted}"),),
        )
        for service in services
        if service.status == "unknown"
    )


def all_checked(report: UpReport) -> UpReport:
    """Return a start that fails where a service has no health check; one that failed as it is."""
    if report.failures:
        return report
    return replace(report, failures=unchecked(report.services, "leave --require-healthcheck out"))
