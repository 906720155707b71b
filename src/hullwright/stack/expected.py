"""What is expected of each service of a stack before it counts as up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.tools.compose import Dependency, Model, Probe


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a start may take, as a command line says it; it wins over the configuration.

    Attributes:
        overall_s: longest wait for all; None for the stack's own.
        services: longest time from a service's start until it is ready, seconds by its name.
    """

    overall_s: float | None = None
    services: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one service.

    Attributes:
        scale: containers of it.
        one_shot: it is done when it has ended with 0.
        policy: its restart policy; empty or `no` for none.
        timeout_s: longest time from its start to ready; None for no limit of its own.
        awaits: what it waits for, each with its condition.
        probe: its health check as it is started; None where the file has none.
    """

    service: str
    scale: int = 1
    one_shot: bool = False
    policy: str = ""
    depends_on: tuple[str, ...] = ()
    timeout_s: float | None = None
    awaits: tuple[Dependency, ...] = ()
    probe: Probe | None = None

    def restarts(self, code: int, deaths: int = 1) -> bool:
        """Whether the engine starts it again when it has ended with that code, so many times."""
        if self.policy.startswith("on-failure"):
            most = self.policy.partition(":")[2]
            return code != 0 and not (most.isdigit() and 0 < int(most) < deaths)
        return self.policy in {"always", "unless-stopped"}


def expectations(
    model: Model,
    services: Iterable[str],
    *,
    one_shots: Iterable[str] = (),
    timeouts: Mapping[str, float] | None = None,
) -> dict[str, Expected]:
    """Return what is expected of each service, by its model.

    A one-shot is configured as one (`one_shots`), is awaited with
    `service_completed_successfully`, or says `restart: "no"` itself and has no health check; what
    leaves `restart` out may be either, and its first second decides.
    Of what a provider makes nothing is expected: no container comes of it, and Compose itself
    waits for the provider.
    """
    names = [name for name in services if not model.services[name].provided]
    awaited = set(one_shots)
    for service in model.services.values():
        awaited |= {
            dependency.service
            for dependency in service.depends_on
            if dependency.condition == "service_completed_successfully"
        }
    found = {}
    for name in names:
        service = model.services[name]
        unprobed = service.probe is None or service.probe.disabled
        says_once = service.restart == "no" and unprobed
        found[name] = Expected(
            service=name,
            scale=service.scale,
            one_shot=name in awaited or says_once,
            policy=service.restart,
            depends_on=tuple(each.service for each in service.depends_on),
            timeout_s=(timeouts or {}).get(name),
            awaits=service.depends_on,
            probe=service.probe,
        )
    return found
