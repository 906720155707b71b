"""Tags as text, Markdown, JSON, and the lines that shells and CI providers read."""

from __future__ import annotations

import hashlib
import json
import shlex
from datetime import UTC
from typing import TYPE_CHECKING

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.tagging.model import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.tagging import Outcome, RefContext, Tags


def text(result: Sequence[Tags]) -> str:
    """Return the tags, each with the rule that gave it, and why the other rules gave none."""
    head = _told(result[0].context)
    return "\n\n".join([head, *(_block(tags, named=len(result) > 1) for tags in result)])


def markdown(result: Sequence[Tags]) -> str:
    """Return the tags as a table."""
    rows = []
    for tags in result:
        rows += [(tags.service, f"`{name}`", why) for name, why in _given(tags)]
        rows += [(tags.service, "", f"{rule}: {why}") for rule, why in _others(tags)]
    if len(result) > 1:
        return markdown_table(("service", "tag", "rule"), rows)
    return markdown_table(("tag", "rule"), [row[1:] for row in rows])


def as_json(result: Sequence[Tags]) -> dict[str, object]:
    """Return the tags for machines; per service where their rules differ."""
    context = result[0].context
    told: dict[str, object] = {
        "schema": 1,
        "ref": context.ref,
        "revision": context.sha,
        "event": context.event,
        "base_ref": context.base_ref,
        "default_branch": context.default_branch,
        "is_default_branch": context.is_default_branch,
        "commit_date": f"{context.commit_date.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "origin": context.origin,
        **_plain(result[0]),
    }
    if len(result) > 1:
        told["services"] = {tags.service: _plain(tags) for tags in result}
    return told


def env(result: Sequence[Tags]) -> str:
    """Return `NAME=value` lines for a shell."""
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in _values(result))


def gitlab(result: Sequence[Tags]) -> str:
    """Return the lines of a dotenv artifact, where every letter after `=` is the value's."""
    return "\n".join(f"HULLWRIGHT_{name}={value}" for name, value in _values(result))


def github(result: Sequence[Tags]) -> str:
    """Return what a GitHub step appends to `$GITHUB_OUTPUT`; `tags` has a line for each."""
    lines = [f"primary={result[0].primary}"]
    for tags in result:
        name = "tags" if len(result) == 1 else f"tags-{tags.service}"
        lines.append(_block_of(name, "\n".join(tags.names)))
    lines.append(_block_of("json", json.dumps(as_json(result), ensure_ascii=False)))
    return "\n".join(lines)


def _block(tags: Tags, *, named: bool) -> str:
    given = [(f"  {name}", why) for name, why in _given(tags)]
    head = [f"{tags.service}"] if named else []
    body = aligned(given) if given else "✗ no tag"
    others = _others(tags)
    if not others:
        return "\n".join([*head, body])
    return "\n".join([*head, body, "", "  none by", aligned([(f"    {r}", w) for r, w in others])])


def _given(tags: Tags) -> list[tuple[str, str]]:
    rows = [(outcome.tag, _why(outcome)) for outcome in tags.outcomes if outcome.tag]
    if tags.latest and tags.latest not in dict(rows):
        rows.append((tags.latest, tags.latest_reason))
    if rows:
        rows[0] = (rows[0][0], f"{rows[0][1]} · primary")
    return rows


def _why(outcome: Outcome) -> str:
    return written(outcome.rule) + (f" · {outcome.reason}" if outcome.reason else "")


def _others(tags: Tags) -> list[tuple[str, str]]:
    rows = [
        (written(outcome.rule), f"! {outcome.reason}" if outcome.warning else outcome.reason)
        for outcome in tags.outcomes
        if not outcome.tag
    ]
    if not tags.latest:
        rows.append(("latest", tags.latest_reason))
    return rows


def _told(context: RefContext) -> str:
    event = f" · {context.event}" if context.event else ""
    return (
        f"{context.ref or 'no ref'} at {context.sha[:7] or 'no commit'}{event} · {context.origin}"
    )


def _plain(tags: Tags) -> dict[str, object]:
    return {
        "tags": list(tags.names),
        "primary": tags.primary,
        "latest": {"tag": tags.latest, "reason": tags.latest_reason},
        "rules": [
            {
                "rule": written(outcome.rule),
                "type": outcome.rule.type,
                "tag": outcome.tag,
                "reason": outcome.reason,
                "warning": outcome.warning,
            }
            for outcome in tags.outcomes
        ],
        "warnings": list(tags.warnings),
    }


def _values(result: Sequence[Tags]) -> list[tuple[str, str]]:
    if len(result) == 1:
        # No tag holds a space.
        return [("PRIMARY_TAG", result[0].primary), ("TAGS", " ".join(result[0].names))]
    found = []
    for tags in result:
        name = tags.service.upper().replace("-", "_")
        found += [(f"{name}_PRIMARY_TAG", tags.primary), (f"{name}_TAGS", " ".join(tags.names))]
    return found


def _block_of(name: str, value: str) -> str:
    # Nobody can write a value that holds the hash of itself, and so end it early.
    mark = hashlib.sha256(value.encode()).hexdigest()[:32]
    return f"{name}<<{mark}\n{value}\n{mark}"
