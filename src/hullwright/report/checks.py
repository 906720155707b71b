"""What was looked at once a stack was up, as lines of text, Markdown and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack.checks import Checked

_MARKS: Final = {"held": "✓", "failed": "✗", "not testable": "·"}


def text(checks: Sequence[Checked]) -> str:
    """Return a line for each check; nothing where there is none."""
    rows = [[f"{_MARKS[each.status]} {each.service}", each.name, _told(each)] for each in checks]
    return "\n".join(f"  {line}" for line in aligned(rows, gap=2).splitlines())


def markdown(checks: Sequence[Checked]) -> str:
    """Return the checks as a table; nothing where there is none."""
    rows = [[f"{_MARKS[each.status]} {each.service}", each.name, _told(each)] for each in checks]
    return markdown_table(("service", "check", "result"), rows) if rows else ""


def as_json(checks: Sequence[Checked]) -> list[dict[str, Any]]:
    """Return the checks as documented values."""
    return [
        {
            "service": each.service,
            "name": each.name,
            "status": each.status,
            "took_s": each.took_s,
            "reason": each.told.partition("\n")[0] or None,
            "output": each.told.partition("\n")[2] or None,
        }
        for each in checks
    ]


def _told(checked: Checked) -> str:
    # What a failed one saw stands with its failure, in full.
    first = checked.told.partition("\n")[0]
    match checked.status:
        case "held":
            return f"held after {checked.took_s:.2f} s" if checked.took_s else "held"
        case "failed":
            return f"failed: {first}"
        case _:
            return f"not testable: {first}"
