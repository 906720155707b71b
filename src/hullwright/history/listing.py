"""What a person asks of the history: the newest runs, and what a dashboard does not have yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.errors import unknown
from hullwright.history.outbox import dashboard_url
from hullwright.history.store import kinds, list_records, unsent_count
from hullwright.history.trend import trends

if TYPE_CHECKING:
    from hullwright.history.record import Record
    from hullwright.history.trend import Trend
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Listing:
    """The newest records, and how many of all still wait for the dashboard.

    Attributes:
        records: the newest first.
        trends: how the figure of their kind moved; empty where they are of several kinds.
    """

    records: tuple[Record, ...] = ()
    unsent: int = 0
    trends: tuple[Trend, ...] = ()


def listing(ws: Workspace, kind: str | None = None, limit: int | None = None) -> Listing:
    """Return the newest records of a kind, or of all; nothing waits where nothing is sent.

    Raises:
        UsageError: there are records, and none of that kind.
    """
    waiting = unsent_count(ws) if dashboard_url(ws) else 0
    found = list_records(ws, kind, limit)
    recorded = kinds(ws) if kind and not found else []
    if kind and recorded:
        raise unknown("kind of run", kind, recorded)
    return Listing(tuple(found), waiting, trends(kind, found))
