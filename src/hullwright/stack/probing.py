"""Health checks that come fast while a service starts: what is added, and what a file would say.

Docker's probes of the start period are five seconds apart where `start_interval` is left out, so a
service that needs two seconds counts as healthy after five.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hullwright.config.durations import duration_text
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hullwright.stack.execution import ServiceUp
    from hullwright.stack.override import Override
    from hullwright.tools.compose import Model, Probe
    from hullwright.workspace import Workspace

PROBE_INTERVAL_S: Final = 0.25
# Docker's own, where a health check leaves them out.
# https://docs.docker.com/reference/dockerfile/#healthcheck
_INTERVAL_S: Final = 30.0
_RETRIES: Final = 3
# What a person notices: below it a line of advice is more to read than there is to win.
_WORTH_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SlowProbe:
    """A health check that told late of a service that was ready.

    Attributes:
        service: the compose service.
        lag_s: how much later than it was ready, in this start.
        start_interval, start_period: what to write into the compose file, as it takes durations.
    """

    service: str
    lag_s: float
    start_interval: str
    start_period: str


def slow_probes(services: Iterable[ServiceUp]) -> tuple[SlowProbe, ...]:
    """Return the health checks that came a second or more late, where faster ones would help."""
    found = []
    for each in services:
        entry = _times(each.probe)
        late = (each.probe_lag_s or 0.0) >= _WORTH_S
        if late and entry is not None and each.status == "healthy":
            interval, period = (duration_text(one) for one in entry)
            found.append(SlowProbe(each.service, each.probe_lag_s or 0.0, interval, period))
    return tuple(found)


def fast_probes(model: Model, probed_images: Collection[str]) -> dict[str, dict[str, str]]:
    """Return what each service's health check gets so that its first probes come 250 ms apart.

    Those are left out that have a `start_interval`, that probe as often anyway, or have no check.

    Args:
        model: the resolved stack.
        probed_images: images that bring a health check of their own.
    """
    found = {}
    for name, service in model.services.items():
        if service.probe is None and service.image not in probed_images:
            continue
        times = _times(service.probe)
        if times is not None:
            interval, period = (f"{one / timedelta(milliseconds=1):.0f}ms" for one in times)
            found[name] = {"start_interval": interval, "start_period": period}
    return found


def add_fast_probes(override: Override, entries: dict[str, dict[str, str]]) -> None:
    """Put what `fast_probes` gave into an override."""
    for name, entry in entries.items():
        override.service(name)["healthcheck"] = entry


def probed_images(ws: Workspace, model: Model) -> frozenset[str]:
    """Return the local images that bring a health check, of services that write none."""
    unprobed = [each.image for each in model.services.values() if each.probe is None and each.image]
    local = engine.images(ws.runner, unprobed)
    return frozenset(name for name, image in local.items() if image and image.has_probe)


def _times(probe: Probe | None) -> tuple[timedelta, timedelta] | None:
    """Return the interval and the length of a start period with fast probes, None where it has."""
    if probe is not None and (probe.disabled or probe.start_interval_s is not None):
        return None
    interval_s = probe.interval_s if probe and probe.interval_s is not None else _INTERVAL_S
    if interval_s <= PROBE_INTERVAL_S:
        return None
    retries = probe.retries if probe and probe.retries is not None else _RETRIES
    # Within it failures do not count, so it is as long as the service had until its verdict.
    period_s = probe.start_period_s if probe and probe.start_period_s else interval_s * retries
    return timedelta(seconds=PROBE_INTERVAL_S), timedelta(seconds=period_s)
