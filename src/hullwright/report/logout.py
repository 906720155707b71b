"""A login that was removed, as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Logout:
    """The host of a registry, and whether there was a login to remove."""

    registry: str
    removed: bool


def text(done: Logout) -> str:
    """Return what became of the login."""
    if done.removed:
        return f"✓ logged out of {done.registry}"
    return f"there was no login of {done.registry}"


def markdown(done: Logout) -> str:
    """Return the same."""
    return text(done)


def as_json(done: Logout) -> dict[str, object]:
    """Return the same for machines."""
    return {"schema": 1, "registry": done.registry, "removed": done.removed}
