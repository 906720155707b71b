"""What was done to an encrypted file, and what is left to do; never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.report.table import markdown as markdown_table
from hullwright.tools import age

if TYPE_CHECKING:
    from hullwright.secrets.keeping import Kept


def text(kept: Kept) -> str:
    """Return what was done; after a rotation also what a leak demands besides."""
    if kept.did == "unchanged":
        return f"· {kept.file}   unchanged: nothing was saved"
    lines = [f"✓ {kept.file}   {_did(kept)}"]
    if kept.did in {"edited", "created"} and not kept.in_memory:
        lines.append("  note  no folder in memory was found, so the editor's copy was on a disk")
    if kept.did == "rotated":
        lines.append("  a new data key is all that this gives; after a leak there is more to do")
        lines += [f"    {number}  {step}" for number, step in enumerate(after_a_leak(kept), 1)]
    return "\n".join(lines)


def after_a_leak(kept: Kept) -> list[str]:
    """Return what a leak demands besides a new data key, in the order in which to do it."""
    env = "" if kept.environment == "development" else f" --env {kept.environment}"
    names = ", ".join(kept.keys)
    remove = f"invoke secrets.recipients --remove KEY --env {kept.environment}"
    steps = [f"if a key leaked, it is taken out first: {remove}"]
    if names:
        steps.append(
            f"new values for {names}: the old ones stay readable in Git's history to whoever had "
            f"a key: invoke secrets.set --key NAME{env}"
        )
    steps += [
        "the same values changed where they are checked: in the database, at the provider",
        "what runs gets the new values: invoke up",
        "where else the old values stand: invoke secrets.scan --git-history",
    ]
    return steps


def markdown(kept: Kept) -> str:
    """Return the same as a table."""
    rows = [
        ("file", f"`{kept.file}`"),
        ("environment", kept.environment),
        ("done", kept.did),
        ("keys", ", ".join(f"`{name}`" for name in kept.keys) or "–"),
        ("recipients", ", ".join(f"`{age.short(key)}`" for key in kept.recipients) or "–"),
    ]
    return markdown_table(("what", "value"), rows)


def as_json(kept: Kept) -> dict[str, object]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "environment": kept.environment,
        "file": kept.file,
        "did": kept.did,
        "keys": list(kept.keys),
        "recipients": list(kept.recipients),
        "after_a_leak": after_a_leak(kept) if kept.did == "rotated" else [],
    }


def _did(kept: Kept) -> str:
    count = len(kept.recipients)
    to = f"encrypted to {count} recipient{'' if count == 1 else 's'}"
    names = ", ".join(kept.keys)
    match kept.did:
        case "set":
            return f"new value of {names}, {to}"
        case "added":
            return f"{names} added, {to}"
        case "created":
            return f"created{f' with {names}' if names else ''}, {to}"
        case "rotated":
            values = f"{len(kept.keys)} value{'' if len(kept.keys) == 1 else 's'}"
            return f"new data key, {values} encrypted again, to {_whom(kept)}"
        case _:
            return f"edited, {to}"


def _whom(kept: Kept) -> str:
    return ", ".join(age.short(key) for key in kept.recipients)
