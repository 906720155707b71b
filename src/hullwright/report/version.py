"""The version of a repository as text, Markdown and JSON; `report.consumers` has other forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.version.model import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.version import Version


@dataclass(frozen=True, slots=True)
class Account:
    """What is told of a version.

    Attributes:
        version: of the repository, or of one service.
        tags: of its image, the primary one first.
        labels: of its image.
        services: the same for services whose version is counted otherwise.
    """

    version: Version
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Account] = field(default_factory=dict)


def text(account: Account) -> str:
    """Return the version, and below it what it follows from."""
    rows = [(f"  {name}", fact) for name, fact in _facts(account.version)]
    return f"{account.version.version}\n{aligned(rows)}"


def markdown(account: Account) -> str:
    """Return the same as a table."""
    rows = [("version", f"`{account.version.version}`"), *_facts(account.version)]
    return markdown_table(("what", "value"), rows)


def as_json(account: Account) -> dict[str, object]:
    """Return all of it for machines."""
    told: dict[str, object] = {"schema": 1, **_whole(account)}
    if account.services:
        told["services"] = {name: _whole(each) for name, each in account.services.items()}
    return told


def _whole(account: Account) -> dict[str, object]:
    told = _plain(account.version)
    return {**told, "tags": list(account.tags), "labels": dict(account.labels)}


def _facts(version: Version) -> list[tuple[str, str]]:
    on = version.ref.removeprefix("refs/heads/")
    place = "no branch checked out" if on == "HEAD" else f"on {on}" if on else ""
    commit = [version.revision, rfc3339(version.commit_date), place]
    facts = [
        ("image tag", version.image_tag),
        ("commit", ", ".join(part for part in commit if part)),
    ]
    if version.distance is not None:
        facts.append(("counted", _counted(version.distance, version.tag)))
    if version.dirty:
        facts.append(("content", "changed since the commit"))
    return facts


def _counted(distance: int, tag: str) -> str:
    commits = "1 commit" if distance == 1 else f"{distance} commits"
    if not tag:
        return f"{commits}, no tag yet"
    return f"{commits} after {tag}" if distance else f"tag {tag}"


def _plain(version: Version) -> dict[str, object]:
    return {
        "version": version.version,
        "image_tag": version.image_tag,
        "semver": {
            "major": version.major,
            "minor": version.minor,
            "patch": version.patch,
            "prerelease": version.prerelease,
            "build": version.build,
        },
        "revision": version.revision,
        "short_revision": version.short_revision,
        "describe": version.describe,
        "ref": version.ref or None,
        "commit_date": rfc3339(version.commit_date),
        "distance": version.distance,
        "dirty": version.dirty,
    }
