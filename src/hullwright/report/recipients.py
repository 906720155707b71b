"""Who can decrypt which file, and what a change did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.secrets.recipients import Access

NONE = """no environment has an encrypted file yet
  next  invoke secrets.init, then invoke secrets.set --key NAME"""


def text(files: Sequence[Access]) -> str:
    """Return each file with its recipients in full, since they are what people hand on."""
    if not files:
        return NONE
    told = "\n\n".join(_block(one) for one in files)
    removed = [one for one in files if one.removed]
    if not removed:
        return told
    return (
        f"{told}\n\nWho was removed could read the values so far, and still can in Git's history:\n"
        "  their names:            "
        + "\n                          ".join(
            f"invoke secrets.list --env {one.environment}" for one in removed
        )
        + "\n  give each a new value:  "
        + "\n                          ".join(
            f"invoke secrets.set --key NAME --env {one.environment}" for one in removed
        )
    )


def markdown(files: Sequence[Access]) -> str:
    """Return the same as a table."""
    rows = [
        (one.environment, f"`{one.file}`", f"`{key}`", note)
        for one in files
        for key, note in _rows(one)
    ]
    return markdown_table(("environment", "file", "recipient", "note"), rows)


def as_json(files: Sequence[Access]) -> dict[str, object]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "files": [
            {
                "environment": one.environment,
                "file": one.file,
                "recipients": list(one.recipients),
                "others": list(one.others),
                "development": list(one.development),
                "here": list(one.here),
                "added": list(one.added),
                "removed": list(one.removed),
            }
            for one in files
        ],
    }


def _block(one: Access) -> str:
    count = len(one.recipients) + len(one.others)
    head = f"{one.environment} · {one.file} · {count} recipient{'' if count == 1 else 's'}"
    if one.removed:
        head += " · a new data key"
    rows = [(f"  {_mark(one, key)} {key}", note) for key, note in _rows(one)]
    return f"{head}\n{aligned(rows)}"


def _rows(one: Access) -> list[tuple[str, str]]:
    rows = [(key, _note(one, key)) for key in one.recipients]
    rows += [(key, "") for key in one.others]
    return rows + [(key, "removed") for key in one.removed]


def _mark(one: Access, key: str) -> str:
    if key in one.removed:
        return "-"
    return "+" if key in one.added else " "


def _note(one: Access, key: str) -> str:
    notes = []
    if key in one.added:
        notes.append("added")
    if key in one.development:
        notes.append("the development key: everybody with the repository has it")
    elif key in one.here:
        notes.append("its key is on this machine")
    return ", ".join(notes)
