"""What a stack's files ask for, by everything through which a key can reach a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullwright.stack.variables import active_services, as_written, asked_for, env_files, uses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

_EVERY_PROFILE = "*"


@dataclass(frozen=True, slots=True)
class Asked:
    """The keys that a stack asks for, under whichever profile.

    Attributes:
        required: keys without a default, and where each stands.
        known: all keys.
        every: whether a service takes a whole file of keys, so that each key is asked for.
    """

    required: Mapping[str, str]
    known: frozenset[str]
    every: bool


def asked(ws: Workspace, selection: Selection) -> Asked:
    """Return what the files of a stack ask for: variables, keys passed through, secrets.

    Raises:
        UsageError: Compose refuses the files.
    """
    written = as_written(ws, selection)
    services: Mapping[str, Any] = written.get("services") or {}
    active = active_services(written, [_EVERY_PROFILE])
    required = {use.name: use.place for use in uses(written, active)}
    for name, place in (*_passed(services), *_secrets(written)):
        required.setdefault(name, place)
    # Where Compose gives no model, only its variables are known.
    every = not services or any(env_files(written, name) for name in services)
    return Asked(required, frozenset({*asked_for(ws, selection), *required}), every)


def _passed(services: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield keys that a service takes from whoever starts it: a name without a value."""
    for service, entry in services.items():
        environment = entry.get("environment") or {}
        place = f"services.{service}.environment"
        if isinstance(environment, dict):
            yield from ((name, place) for name, value in environment.items() if value is None)
        else:
            yield from ((name, place) for name in environment if "=" not in name)


def _secrets(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("secrets", "configs"):
        for name, entry in (written.get(kind) or {}).items():
            if isinstance(entry, dict) and entry.get("environment"):
                yield str(entry["environment"]), f"{kind}.{name}"
