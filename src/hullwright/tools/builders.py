"""The builder that builds go to: its driver, and the platforms whose code it can run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import UnavailableError, UsageError
from hullwright.images import Platform

if TYPE_CHECKING:
    from hullwright.workspace import Workspace

INSPECT: Final = ("docker", "buildx", "inspect")
_FIELD: Final = re.compile(r"(?P<name>[A-Z][A-Za-z ]*):\s*(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Builder:
    """A BuildKit instance as buildx tells of it.

    Attributes:
        name: such as `default`.
        driver: `docker`, `docker-container`, `remote` or `kubernetes`.
        platforms: whose code its nodes run, each node's own first; empty where it does not say,
            as of a builder that was not started yet.
    """

    name: str
    driver: str
    platforms: tuple[str, ...] = ()


def current(ws: Workspace) -> Builder:
    """Return the builder that a build of this run goes to.

    Raises:
        UnavailableError: there is no buildx, no such builder, or no engine.
    """
    result = ws.runner.read(*INSPECT, cwd=ws.root, check=False)
    builder = parse(result.stdout) if result.ok else None
    if builder is None:
        told = (result.stderr or result.stdout).strip()
        raise UnavailableError(
            "docker buildx does not say which builder it uses",
            why=told.removeprefix("ERROR: "),
            next_step="invoke setup   (says what is missing)",
        )
    return builder


def parse(text: str) -> Builder | None:
    """Return what `docker buildx inspect` prints, or None where it is something else."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = _FIELD.fullmatch(line)
        if match:
            fields.setdefault(match["name"], []).append(match["value"].strip())
    if not fields.get("Name") or not fields.get("Driver"):
        return None
    told = (word for line in fields.get("Platforms", ()) for word in line.split(","))
    # A star marks what somebody said of a node, and not the node itself.
    words = dict.fromkeys(word.strip().rstrip("*") for word in told if word.strip())
    platforms = dict.fromkeys(_normal(word) for word in words)
    return Builder(fields["Name"][0], fields["Driver"][0], tuple(platforms))


def _normal(text: str) -> str:
    try:
        return str(Platform.parse(text))
    except UsageError:
        return text
