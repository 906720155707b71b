"""The dashboard's table in PostgreSQL, and every query that is made of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    DateTime,
    Double,
    Engine,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    Uuid,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hullwright.history.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.dashboard.settings import Database

# Every revision that this version knows, the oldest first; a test compares them with the scripts.
REVISIONS: Final = ("0001",)

# Together below the ten seconds in which the service must have ended.
_CONNECT_S: Final = 3
_STATEMENT_MS: Final = 5_000

METADATA: Final = MetaData()
RECORDS: Final = Table(
    "records",
    METADATA,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("version", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("records_by_kind", "kind", "at"),
    Index("records_by_project", "project", "at"),
)


class NotReadyError(Exception):
    """The database cannot be used now; the text says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Store:
    """The queries of the service over one pool of connections."""

    engine: Engine
    place: str

    def add(self, record: Record) -> bool:
        """Keep a record; return whether it is new, for a second one of its id changes nothing."""
        row = {
            "id": uuid.UUID(record.id),
            "kind": record.kind,
            "project": record.project,
            "status": record.status,
            "at": record.at,
            "duration_s": record.duration_s,
            "version": record.version,
            "revision": record.revision,
            "data": dict(record.data),
        }
        wanted = insert(RECORDS).values(row).on_conflict_do_nothing(index_elements=["id"])
        with _told(self.place), self.engine.begin() as connection:
            return connection.execute(wanted.returning(RECORDS.c.seq)).first() is not None

    def records(
        self,
        *,
        kinds: Sequence[str] = (),
        other_than: Sequence[str] = (),
        project: str = "",
        limit: int,
    ) -> list[Record]:
        """Return records, the newest first."""
        wanted = select(RECORDS).order_by(RECORDS.c.at.desc(), RECORDS.c.seq.desc()).limit(limit)
        if kinds:
            wanted = wanted.where(RECORDS.c.kind.in_(kinds))
        if other_than:
            wanted = wanted.where(RECORDS.c.kind.not_in(other_than))
        if project:
            wanted = wanted.where(RECORDS.c.project == project)
        with _told(self.place), self.engine.connect() as connection:
            return [_record(row) for row in connection.execute(wanted).mappings()]

    def check(self) -> None:
        """Return only if the database answers and has the tables that this version needs.

        A revision that this version does not know is a newer one: a release that is being
        replaced goes on serving while the next one has migrated already.

        Raises:
            NotReadyError: it does not answer, or is not migrated.
        """
        with _told(self.place), self.engine.connect() as connection:
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if revision is None or revision in REVISIONS[:-1]:
            raise NotReadyError(
                f"the database is at {revision}, this version needs {REVISIONS[-1]}: run migrate"
            )


def connect(database: Database, *, statement_ms: int = _STATEMENT_MS) -> Engine:
    """Return an engine for the database; it connects when it is first used."""
    address = URL.create(
        "postgresql+psycopg",
        username=database.user,
        password=database.password.reveal(),
        host=database.host,
        port=database.port,
        database=database.name,
    )
    return create_engine(
        address,
        pool_size=5,
        max_overflow=5,
        pool_timeout=_CONNECT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_S,
            "application_name": "hullwright-dashboard",
            "options": f"-c statement_timeout={statement_ms} -c timezone=UTC",
        },
    )


class _told:  # noqa: N801  used as a statement, like contextlib.suppress
    """Turn what SQLAlchemy and the driver raise into one line that may be shown."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, SQLAlchemyError):
            raise NotReadyError(reason(error, self._place)) from error


def reason(error: SQLAlchemyError, place: str) -> str:
    """Return one line of why the database could not be used."""
    if not isinstance(error, DBAPIError):
        return f"the database {place} gave no connection: {type(error).__name__}"
    state = getattr(error.orig, "sqlstate", None)
    if state == "42P01":
        return f"the database {place} has no tables yet: run migrate"
    lines = str(error.orig).strip().splitlines()
    # A failed connection is told once for each address; the last line says it best.
    return f"the database {place} cannot be used: {lines[-1].strip() if lines else state}"


def _record(row: Any) -> Record:
    at: datetime = row["at"]
    return Record(
        kind=row["kind"],
        project=row["project"],
        status=row["status"],
        at=at.astimezone(UTC),
        duration_s=row["duration_s"],
        version=row["version"],
        revision=row["revision"],
        data=row["data"],
        id=str(row["id"]),
    )
