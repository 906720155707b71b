"""What a team watches of its services, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.report.history import sparkline
from hullwright.report.table import aligned, bytes_text
from hullwright.report.table import markdown as table

if TYPE_CHECKING:
    from hullwright.history import Watched
    from hullwright.history.figures import ServiceFigure, Unit

_HEADER: Final = ("service", "figure", "newest", "median", "runs", "oldest to newest")
_RIGHT: Final = (2, 3, 4)
# Older ones do not fit in a line.
_MOST_BLOCKS: Final = 30
_NOTHING: Final = "no build and no cold start is recorded yet"


def text(shown: Watched) -> str:
    """Return one line for each figure, each service named once."""
    if not shown.figures:
        return _NOTHING
    rows, before = [], ""
    for each in shown.figures:
        rows.append(_row(each, "" if each.service == before else each.service))
        before = each.service
    return aligned([_HEADER, *rows], right=_RIGHT, gap=3)


def markdown(shown: Watched) -> str:
    """Return a table for a pull request or a job summary."""
    if not shown.figures:
        return f"{_NOTHING.capitalize()}."
    return table(_HEADER, [_row(each, each.service) for each in shown.figures], right=_RIGHT)


def as_json(shown: Watched) -> dict[str, Any]:
    """Return the machine form; values are as exact as they were recorded."""
    return {
        "schema": 1,
        "figures": [
            {
                "service": each.service,
                "figure": each.figure,
                "unit": each.unit,
                "newest": each.newest,
                "median": each.median,
                "values": list(each.values),
            }
            for each in shown.figures
        ],
    }


def _row(each: ServiceFigure, service: str) -> tuple[str, ...]:
    return (
        service,
        each.figure,
        _told(each.newest, each.unit),
        _told(each.median, each.unit),
        str(len(each.values)),
        sparkline(each.values[-_MOST_BLOCKS:]),
    )


def _told(value: float, unit: Unit) -> str:
    if unit == "share":
        return f"{value:.0%}".replace("%", " %")
    return f"{value:.2f} s" if unit == "s" else bytes_text(round(value))
