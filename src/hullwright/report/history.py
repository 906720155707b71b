"""The history as text, Markdown and JSON: one line for each run, the newest first."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.history import Record

_HEADER: Final = ("when (UTC)", "", "kind", "version", "commit", "took")
_TOOK: Final = 5


def text(records: Sequence[Record], *, unsent: int = 0) -> str:
    """Return aligned lines; the last one counts, and says what still waits for a dashboard."""
    if not records:
        return "no runs are recorded yet"
    shown = aligned([_HEADER, *(_row(record) for record in records)], right=(_TOOK,), gap=2)
    return f"{shown}\n\n{_count(len(records), unsent)}"


def markdown(records: Sequence[Record], *, unsent: int = 0) -> str:
    """Return a table for a pull request or a job summary."""
    if not records:
        return "No runs are recorded yet."
    rows = table(_HEADER, [_row(record) for record in records], right=(_TOOK,))
    return f"{rows}\n\n{_count(len(records), unsent)}"


def as_json(records: Sequence[Record], *, unsent: int = 0) -> dict[str, Any]:
    """Return the machine form; each record is as a dashboard gets and gives it."""
    return {"schema": 1, "records": [record.as_json() for record in records], "unsent": unsent}


def _row(record: Record) -> tuple[str, ...]:
    return (
        f"{record.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "✓" if record.status == "done" else "✗",
        record.kind if record.status in {"done", "failed"} else f"{record.kind} {record.status}",
        record.version or "–",
        record.revision[:10] or "–",
        f"{record.duration_s:.1f} s",
    )


def _count(shown: int, unsent: int) -> str:
    counted = "1 run" if shown == 1 else f"{shown} runs"
    return f"{counted} · {unsent} still to be sent to the dashboard" if unsent else counted
