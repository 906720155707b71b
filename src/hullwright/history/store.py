"""The embedded history: one SQLite file that many processes may write at once.

A rollback journal instead of WAL: records are few and small, the history stays one file that can
be copied, and there is no race about switching the journal when two first runs start together.
The schema's version is `PRAGMA user_version`; an older file is brought forward when it is opened.
"""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import HullwrightError, LockedError, UsageError
from hullwright.history.printed import without_printed
from hullwright.history.record import Record, instant
from hullwright.secret import Secret, redact
from hullwright.tools.git import require_ignored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hullwright.workspace import Workspace

# A writer holds the file for milliseconds; this is for dozens of them that come together.
_BUSY_TIMEOUT_S: Final = 30.0

# The n-th entry leads from schema n to schema n + 1. Entries are only ever added.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE records (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            project TEXT NOT NULL,
            status TEXT NOT NULL,
            at TEXT NOT NULL,
            duration_s REAL NOT NULL,
            version TEXT NOT NULL,
            revision TEXT NOT NULL,
            data TEXT NOT NULL,
            sent_at TEXT,
            refused TEXT
        )
        """,
        "CREATE INDEX records_by_kind ON records (kind, at)",
        "CREATE INDEX records_unsent ON records (seq) WHERE sent_at IS NULL AND refused IS NULL",
    ),
)

_COLUMNS: Final = "id, kind, project, status, at, duration_s, version, revision, data"
_UNSENT: Final = "sent_at IS NULL AND refused IS NULL"


def append(ws: Workspace, record: Record) -> None:
    """Keep a record; a second one of the same id changes nothing.

    What programs printed is left out, and values that the runner knows as secrets are masked,
    should a report have quoted one elsewhere.

    Raises:
        UsageError: the file was written by a newer Hullwright; nothing is written.
        LockedError: other runs kept the file busy for half a minute.
        HullwrightError: the file cannot be written, or is no history.
    """
    kept = without_printed(record.data)
    data = json.dumps(_clean(kept, ws.runner.secrets), ensure_ascii=False)
    row = (
        record.id,
        record.kind,
        record.project,
        record.status,
        instant(record.at),
        float(record.duration_s),
        record.version,
        record.revision,
        data,
    )
    with _opened(_file(ws)) as database, _writing(database):
        database.execute(
            f"INSERT OR IGNORE INTO records ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  a constant
            row,
        )
    _warn_unless_ignored(ws)


def _warn_unless_ignored(ws: Workspace) -> None:
    """Warn where Git sees the history: then each record changes the version of what is here."""
    file = _file(ws)
    if file.parent.name == ".hullwright":
        return  # it ignores itself
    try:
        require_ignored(ws.runner, file, what="the history in it")
    except UsageError as error:
        ws.console.warn(f"{error.what}, and each record changes the version: {error.next_step}")


def list_records(
    ws: Workspace, kind: str | None = None, limit: int | None = None, *, project: str | None = None
) -> list[Record]:
    """Return the records, the newest first; none where nothing was recorded yet."""
    return _select(
        ws,
        "(:kind IS NULL OR kind = :kind) AND (:project IS NULL OR project = :project)"
        " ORDER BY at DESC, seq DESC LIMIT :limit",
        {"kind": kind, "project": project, "limit": -1 if limit is None else limit},
    )


def kinds(ws: Workspace) -> list[str]:
    """Return the kinds of runs that are recorded, in the order of the alphabet."""
    if not _file(ws).exists():
        return []
    with _opened(_file(ws)) as database:
        found = database.execute("SELECT DISTINCT kind FROM records ORDER BY kind")
        return [str(kind) for (kind,) in found]


def unsent(ws: Workspace, limit: int) -> list[Record]:
    """Return records that no dashboard has, the oldest first."""
    return _select(ws, f"{_UNSENT} ORDER BY seq LIMIT :limit", {"limit": limit})


def unsent_count(ws: Workspace) -> int:
    """Return how many records wait to be sent."""
    if not _file(ws).exists():
        return 0
    with _opened(_file(ws)) as database:
        found = database.execute(f"SELECT count(*) FROM records WHERE {_UNSENT}")  # noqa: S608  a constant
        return int(found.fetchone()[0])


def mark_sent(ws: Workspace, ids: Iterable[str]) -> None:
    """Note that the dashboard has these records."""
    now = instant(datetime.now(UTC))
    with _opened(_file(ws)) as database, _writing(database):
        database.executemany(
            "UPDATE records SET sent_at = ? WHERE id = ?", [(now, name) for name in ids]
        )


def mark_refused(ws: Workspace, record_id: str, reason: str) -> None:
    """Note why the dashboard will never take this record, so that it is offered only once."""
    with _opened(_file(ws)) as database, _writing(database):
        database.execute("UPDATE records SET refused = ? WHERE id = ?", (reason, record_id))


def _select(ws: Workspace, rest: str, parameters: Mapping[str, object]) -> list[Record]:
    if not _file(ws).exists():
        return []
    with _opened(_file(ws)) as database:
        query = f"SELECT {_COLUMNS} FROM records WHERE {rest}"  # noqa: S608  constants of this module
        return [_record(row) for row in database.execute(query, parameters)]


def _record(row: tuple[Any, ...]) -> Record:
    name, kind, project, status, at, duration_s, version, revision, data = row
    return Record(
        kind=kind,
        project=project,
        status=status,
        at=datetime.fromisoformat(at),
        duration_s=duration_s,
        version=version,
        revision=revision,
        data=json.loads(data),
        id=name,
    )


def _file(ws: Workspace) -> Path:
    return ws.root / ws.config.history.path


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Open the history at the newest schema, and say in our words what SQLite complains of."""
    _make_folder(file)
    try:
        with closing(
            sqlite3.connect(file, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        ) as database:
            _migrate(database, file)
            yield database
    except sqlite3.Error as error:
        raise _told(error, file) from error


def _make_folder(file: Path) -> None:
    folder = file.parent
    if folder.exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HullwrightError(
            f"{folder} could not be made for the history", why=error.strerror or str(error)
        ) from error
    if folder.name == ".hullwright":
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _migrate(database: sqlite3.Connection, file: Path) -> None:
    if _schema(database, file) == len(_MIGRATIONS):
        return
    with _writing(database):
        # Asked again under the lock: another first run may have brought it forward meanwhile.
        for statements in _MIGRATIONS[_schema(database, file) :]:
            for statement in statements:
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


def _schema(database: sqlite3.Connection, file: Path) -> int:
    found = int(database.execute("PRAGMA user_version").fetchone()[0])
    if found > len(_MIGRATIONS):
        raise UsageError(
            f"the history {file} was written by a newer Hullwright",
            why=[("its schema", str(found)), ("known here", f"up to {len(_MIGRATIONS)}")],
            next_step="upgrade hullwright, or name another file in [history] path",
        )
    return found


@contextmanager
def _writing(database: sqlite3.Connection) -> Iterator[None]:
    """Hold the one write lock from the start, so that no transaction fails half-way for it."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _told(error: sqlite3.Error, file: Path) -> HullwrightError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return LockedError(
            f"the history {file} is in use by another run",
            why=f"it was not free for {_BUSY_TIMEOUT_S:.0f} s",
            next_step="end the run that holds it, then try again",
        )
    if primary in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return HullwrightError(
            f"{file} is no history, or a damaged one",
            why=str(error),
            next_step=f"move it away (a new one is made): mv {file} {file}.damaged",
        )
    return HullwrightError(
        f"the history {file} could not be used",
        why=str(error),
        next_step="free space or permissions there, or name another file in [history] path",
    )


def _clean(value: object, secrets: Iterable[Secret]) -> object:
    """Return a JSON value that any store takes: no secrets, NUL, lone surrogates or infinity.

    A `Secret` itself stays what it is, for JSON refuses it: it must not get this far.
    """
    match value:
        case str():
            text = redact(value, secrets) if secrets else value
            return text.replace("\0", "�").encode("utf-8", "replace").decode()
        case float() if not math.isfinite(value):
            return None
        case dict():
            return _clean_items(value, secrets)
        case list() | tuple():
            return [_clean(item, secrets) for item in value]
    return value


def _clean_items(items: Mapping[Any, object], secrets: Iterable[Secret]) -> dict[str, object]:
    return {str(_clean(key, secrets)): _clean(item, secrets) for key, item in items.items()}
