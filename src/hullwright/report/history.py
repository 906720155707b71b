"""The history as text, Markdown and JSON: one line for each run, the newest first.

Runs of one kind that has a figure show it, and how it moved.
"""

from __future__ import annotations

import statistics
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.history import Listing, Record, Trend
    from hullwright.history.trend import Point

_HEADER: Final = ("when (UTC)", "", "kind", "version", "commit", "took")
_TOOK: Final = 5
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_NO_FIGURE: Final = "✗"
# Older ones do not fit in a line.
_MOST_BLOCKS: Final = 60


def text(listing: Listing) -> str:
    """Return aligned lines; the last one counts, and says what still waits for a dashboard."""
    if not listing.records:
        return "no runs are recorded yet"
    header, rows, right = _table(listing)
    blocks = [aligned([header, *rows], right=right, gap=2)]
    if listing.trends:
        blocks.append(_trends(listing.trends))
    return "\n\n".join([*blocks, _count(listing)])


def markdown(listing: Listing) -> str:
    """Return a table for a pull request or a job summary."""
    if not listing.records:
        return "No runs are recorded yet."
    header, rows, right = _table(listing)
    blocks = [table(header, rows, right=right)]
    if listing.trends:
        blocks.append(f"```\n{_trends(listing.trends)}\n```")
    return "\n\n".join([*blocks, _count(listing)])


def as_json(listing: Listing) -> dict[str, Any]:
    """Return the machine form; each record is as a dashboard gets and gives it."""
    records = [record.as_json() for record in listing.records]
    told: dict[str, Any] = {"schema": 1, "records": records, "unsent": listing.unsent}
    if listing.trends:
        told["trends"] = [_trend_json(trend) for trend in listing.trends]
    return told


def sparkline(values: Sequence[float | None]) -> str:
    """Return values as blocks from the lowest to the highest; None is a run without a figure."""
    known = [value for value in values if value is not None]
    low, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    top = len(_BLOCKS) - 1
    return "".join(
        _NO_FIGURE if value is None else _BLOCKS[round((value - low) / span * top) if span else 0]
        for value in values
    )


def _table(listing: Listing) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[int, ...]]:
    """Return header, rows and the columns of figures."""
    rows = [_row(record) for record in listing.records]
    if not listing.trends:
        return _HEADER, rows, (_TOOK,)
    points = {point.record.id: (trend, point) for trend in listing.trends for point in trend.points}
    header = (*_HEADER, listing.trends[0].figure.name, "verdict", "of")
    told = [
        (*row, *_figure(*points[record.id])) if record.id in points else (*row, "", "", "")
        for record, row in zip(listing.records, rows, strict=True)
    ]
    return header, told, (_TOOK, _TOOK + 1)


def _figure(trend: Trend, point: Point) -> tuple[str, str, str]:
    value = "" if point.value is None else f"{point.value:.2f} {trend.figure.unit}"
    return value, point.verdict, trend.series


def _row(record: Record) -> tuple[str, ...]:
    return (
        f"{record.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "✓" if record.status == "done" else "✗",
        record.kind if record.status in {"done", "failed"} else f"{record.kind} {record.status}",
        record.version or "–",
        record.revision[:10] or "–",
        f"{record.duration_s:.1f} s",
    )


def _trends(trends: Sequence[Trend]) -> str:
    """Return each trend as a line of blocks with its scale; the newest is on the right."""
    figure = trends[0].figure
    rows = [(trend.series, _blocks(trend), _scale(trend), _newest(trend)) for trend in trends]
    lines = [f"  {line}" for line in aligned(rows, gap=3).splitlines()]
    none = any(None in [point.value for point in trend.points] for trend in trends)
    unknown = f" · {_NO_FIGURE} came to no figure" if none else ""
    return "\n".join([f"{figure.name} over the runs shown, the newest right{unknown}", *lines])


def _blocks(trend: Trend) -> str:
    return sparkline([point.value for point in trend.points[-_MOST_BLOCKS:]])


def _scale(trend: Trend) -> str:
    values, unit = [point.value for point in trend.points[-_MOST_BLOCKS:]], trend.figure.unit
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    top = f"   {_BLOCKS[-1]} {high:.2f} {unit}" if high > low else ""
    return f"{_BLOCKS[0]} {low:.2f} {unit}{top}"


def _newest(trend: Trend) -> str:
    values, unit = trend.values, trend.figure.unit
    if not values:
        return ""
    return f"newest {values[-1]:.2f} {unit}, median {statistics.median(values):.2f} {unit}"


def _trend_json(trend: Trend) -> dict[str, Any]:
    values = trend.values
    return {
        "series": trend.series,
        "figure": trend.figure.name,
        "unit": trend.figure.unit,
        "min": min(values, default=None),
        "max": max(values, default=None),
        "median": statistics.median(values) if values else None,
        "points": [
            {
                "id": point.record.id,
                "at": point.record.as_json()["at"],
                "version": point.record.version,
                "revision": point.record.revision,
                "value": point.value,
                "verdict": point.verdict,
            }
            for point in trend.points
        ],
    }


def _count(listing: Listing) -> str:
    shown = len(listing.records)
    counted = "1 run" if shown == 1 else f"{shown} runs"
    if listing.unsent:
        return f"{counted} · {listing.unsent} still to be sent to the dashboard"
    return counted
