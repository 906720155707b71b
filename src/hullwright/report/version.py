"""The version of a repository as text, Markdown, JSON and lines for a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.version.model import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.version import Version


def text(version: Version) -> str:
    """Return the version, and below it what it follows from."""
    rows = [(f"  {name}", fact) for name, fact in _facts(version)]
    return f"{version.version}\n{aligned(rows)}"


def markdown(version: Version) -> str:
    """Return the same as a table."""
    rows = [("version", f"`{version.version}`"), *_facts(version)]
    return markdown_table(("what", "value"), rows)


def as_json(version: Version, services: Mapping[str, Version] | None = None) -> dict[str, object]:
    """Return the version for machines; `services` where their tags have other prefixes."""
    told: dict[str, object] = {"schema": 1, **_plain(version)}
    if services:
        told["services"] = {name: _plain(of_service) for name, of_service in services.items()}
    return told


def env(version: Version) -> str:
    """Return `NAME=value` lines that a shell and a dotenv reader take alike."""
    values = {
        "VERSION": version.version,
        "IMAGE_TAG": version.image_tag,
        "REVISION": version.revision,
        "SHORT_REVISION": version.short_revision,
        "DESCRIBE": version.describe,
        "REF": version.ref,
        "COMMIT_DATE": rfc3339(version.commit_date),
        "SOURCE_DATE_EPOCH": str(int(version.commit_date.timestamp())),
        "DISTANCE": "" if version.distance is None else str(version.distance),
        "DIRTY": "true" if version.dirty else "false",
    }
    # An exported tree does not know its branch: left out, nobody takes it for one.
    values = {name: value for name, value in values.items() if value}
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


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
