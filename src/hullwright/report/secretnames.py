"""The names of encrypted files; never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.tools.dotenv import variable_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.secrets.sealed import Path, Sealed

NONE = """no environment has an encrypted file yet
  next  invoke secrets.init, then invoke secrets.set --key NAME"""


def text(listed: Sequence[Sealed]) -> str:
    """Return each file with its names, and the variable that each becomes where that differs."""
    if not listed:
        return NONE
    blocks = []
    for seen in listed:
        count = len(seen.leaves)
        head = f"{seen.source.environment} · {seen.source.name} · {count} value"
        rows = [(f"  {_dotted(leaf)}", _other(leaf)) for leaf in seen.leaves]
        blocks.append("\n".join([f"{head}{'' if count == 1 else 's'}", aligned(rows)]).rstrip())
    return "\n\n".join(blocks)


def markdown(listed: Sequence[Sealed]) -> str:
    """Return the same as a table."""
    rows = [
        (seen.source.environment, f"`{seen.source.name}`", f"`{_dotted(leaf)}`", f"`{_name(leaf)}`")
        for seen in listed
        for leaf in seen.leaves
    ]
    return markdown_table(("environment", "file", "key", "variable"), rows)


def as_json(listed: Sequence[Sealed]) -> dict[str, object]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "environments": [
            {
                "environment": seen.source.environment,
                "file": seen.source.name,
                "keys": [{"key": _dotted(leaf), "variable": _name(leaf)} for leaf in seen.leaves],
            }
            for seen in listed
        ],
    }


def _dotted(leaf: Path) -> str:
    return ".".join(str(part) for part in leaf)


def _name(leaf: Path) -> str:
    return variable_name(tuple(str(part) for part in leaf))


def _other(leaf: Path) -> str:
    return _name(leaf) if _name(leaf) != _dotted(leaf) else ""
