"""The history as text, Markdown and JSON: one line for each run, the newest first."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as table

if TYPE_CHECKING:
    from hullwright.history import Listing, Record

_HEADER: Final = ("when (UTC)", "", "kind", "version", "commit", "took")
_TOOK: Final = 5


def text(listing: Listing) -> str:
    """Return aligned lines; the last one counts, and says what still waits for a dashboard."""
    if not listing.records:
        return "no runs are recorded yet"
    rows = [_HEADER, *(_row(record) for record in listing.records)]
    return f"{aligned(rows, right=(_TOOK,), gap=2)}\n\n{_count(listing)}"


def markdown(listing: Listing) -> str:
    """Return a table for a pull request or a job summary."""
    if not listing.records:
        return "No runs are recorded yet."
    rows = table(_HEADER, [_row(record) for record in listing.records], right=(_TOOK,))
    return f"{rows}\n\n{_count(listing)}"


def as_json(listing: Listing) -> dict[str, Any]:
    """Return the machine form; each record is as a dashboard gets and gives it."""
    records = [record.as_json() for record in listing.records]
    return {"schema": 1, "records": records, "unsent": listing.unsent}


def _row(record: Record) -> tuple[str, ...]:
    return (
        f"{record.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "✓" if record.status == "done" else "✗",
        record.kind if record.status in {"done", "failed"} else f"{record.kind} {record.status}",
        record.version or "–",
        record.revision[:10] or "–",
        f"{record.duration_s:.1f} s",
    )


def _count(listing: Listing) -> str:
    shown = len(listing.records)
    counted = "1 run" if shown == 1 else f"{shown} runs"
    if listing.unsent:
        return f"{counted} · {listing.unsent} still to be sent to the dashboard"
    return counted
