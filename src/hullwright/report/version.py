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
        "DISTANCE": str(version.distance),
        "DIRTY": "true" if version.dirty else "false",
    }
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


def _facts(version: Version) -> list[tuple[str, str]]:
    on = version.ref.removeprefix("refs/heads/")
    place = "no branch checked out" if on == "HEAD" else f"on {on}"
    facts = [
        ("image tag", version.image_tag),
        ("commit", f"{version.revision}, {rfc3339(version.commit_date)}, {place}"),
        ("counted", _counted(version)),
    ]
    if version.dirty:
        facts.append(("content", "changed since the commit"))
    return facts


def _counted(version: Version) -> str:
    commits = "1 commit" if version.distance == 1 else f"{version.distance} commits"
    if not version.tag:
        return f"{commits}, no tag yet" if version.distance else "not counted: told by variables"
    return f"{commits} after {version.tag}" if version.distance else f"tag {version.tag}"


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
        "ref": version.ref,
        "commit_date": rfc3339(version.commit_date),
        "distance": version.distance,
        "dirty": version.dirty,
    }
