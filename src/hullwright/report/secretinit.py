"""What a start made, what was there, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from hullwright.secrets.starting import Started


def text(started: Started) -> str:
    """Return key and rule, each made or kept, and what to do next."""
    made = "made" if started.key_made else "kept"
    lines = [f"✓ {started.key}   {made}{', mode 0600' if started.key_made else ''}"]
    lines += [f"  public key  {key}" for key in started.own]
    if started.key_made:
        lines.append("  keep a copy in a safe place: nobody can make this key again")
    if started.loose:
        lines.append("  others on this machine can read a key of yours: invoke secrets.check")
    rule = {
        "created": f"created, with a rule for {started.file}",
        "added": f"a rule for {started.file} added",
        "kept": f"kept: a rule covers {started.file}",
    }[started.rule]
    lines.append(f"✓ {started.rules}   {rule}")
    lines += [f"  recipient   {key}" for key in started.recipients]
    if started.outside and started.own:
        lines.append(
            "  your key is no recipient; a holder of one lets you in: "
            f"invoke secrets.recipients --add {started.own[0]} --env {started.environment}"
        )
    lines.append(f"next  {_next(started)}")
    return "\n".join(lines)


def markdown(started: Started) -> str:
    """Return the same as a table."""
    rows = [
        ("key", f"`{started.key}`", "made" if started.key_made else "kept"),
        ("rules", f"`{started.rules}`", started.rule),
    ]
    return markdown_table(("what", "where", "done"), rows)


def as_json(started: Started) -> dict[str, object]:
    """Return the same for machines; no secret key is in it."""
    return {
        "schema": 1,
        "environment": started.environment,
        "file": started.file,
        "key": started.key,
        "key_made": started.key_made,
        "own": list(started.own),
        "rules": started.rules,
        "rule": started.rule,
        "recipients": list(started.recipients),
        "exists": started.exists,
    }


def _next(started: Started) -> str:
    env = "" if started.environment == "development" else f" --env {started.environment}"
    if started.exists:
        return f"invoke secrets.check{env}"
    return f"invoke secrets.set --key NAME{env}   or   invoke secrets.edit{env}"
