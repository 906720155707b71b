"""Tables for people: aligned text and Markdown from the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.images import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), gap: int = 3) -> str:
    """Return rows as lines with aligned columns; the columns numbered in `right` end together.

    Trailing blanks are left out, so the text reads well in a log file.
    """
    columns = max((len(row) for row in rows), default=0)
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(widths[i]) if i in right else cell.ljust(widths[i])
            for i, cell in enumerate(row)
        ]
        lines.append((" " * gap).join(cells).rstrip())
    return "\n".join(lines)


def markdown(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> str:
    """Return a Markdown table; a `|` in a cell is escaped, so that it stays one cell."""
    rule = ["---:" if i in right else "---" for i in range(len(header))]
    lines = [list(header), rule, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bytes_text(count: int | None) -> str:
    """Return a figure with its unit; one that is not known is said to be so."""
    return "unknown" if count is None else size_text(count)
