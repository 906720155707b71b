"""The history: what was built, started, measured and deployed here, one record for each run.

Records live in an embedded SQLite file (`[history] path`). Where a dashboard is configured
(`[history] url`, or `HULLWRIGHT_HISTORY`), they are sent to it too, at once or later.

A task does, after its work and never in a dry run:

    history.append(ws, history.Record(kind="build", project=ws.config.project, status="done", …))
    flushed = history.flush(ws, token)
    if flushed.note:
        ws.console.note(flushed.note)
"""

from hullwright.history.figures import Watched, watched
from hullwright.history.listing import Listing, listing
from hullwright.history.outbox import Flushed, dashboard_url, flush
from hullwright.history.record import InvalidRecordError, Record, Status, parse
from hullwright.history.store import append, list_records, unsent_count
from hullwright.history.trend import Trend, Usual, usual

__all__ = [
    "Flushed",
    "InvalidRecordError",
    "Listing",
    "Record",
    "Status",
    "Trend",
    "Usual",
    "Watched",
    "append",
    "dashboard_url",
    "flush",
    "list_records",
    "listing",
    "parse",
    "unsent_count",
    "usual",
    "watched",
]
