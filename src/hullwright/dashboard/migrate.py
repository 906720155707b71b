"""Bringing the database to this version's schema, by the Alembic scripts inside the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hullwright.dashboard.store import REVISIONS, connect, reason
from hullwright.errors import LockedError, UnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hullwright.dashboard.settings import Database

# Any number does, as long as nobody else who shares the database uses it.
_LOCK_KEY: Final = 7_311_402_915
_LOCK_WAIT_S: Final = 60
_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True, slots=True)
class Migrated:
    """Where the database was and is.

    Attributes:
        before: its revision before; None for an empty database.
        after: its revision now; one that is newer than ours is left as it is.
    """

    before: str | None
    after: str

    @property
    def newer(self) -> bool:
        """Whether a newer Hullwright has migrated this database."""
        return self.after not in REVISIONS


def migrate(database: Database) -> Migrated:
    """Bring the database to the newest revision in one transaction; nothing if it is there.

    Raises:
        LockedError: another migration held the lock for a minute.
        UnavailableError: the database does not answer, or refuses us.
    """
    engine = connect(database, statement_ms=0)
    try:
        with engine.begin() as connection:
            return _upgrade(connection)
    except SQLAlchemyError as error:
        if getattr(getattr(error, "orig", None), "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise LockedError(
                f"another migration of the database {database.place} is running",
                why=f"it held the lock for {_LOCK_WAIT_S} s",
                next_step="wait for it to end, then run migrate again",
            ) from error
        raise UnavailableError(
            "the database could not be migrated; it is as it was",
            why=reason(error, database.place),
            next_step="see that it runs, and that HULLWRIGHT_DATABASE_* name it",
        ) from error
    finally:
        engine.dispose()


def current(database: Database) -> tuple[str, ...]:
    """Return the revisions that a database has; none of an empty one.

    Raises:
        UnavailableError: the database does not answer, or refuses us.
    """
    engine = connect(database)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_heads()
    except SQLAlchemyError as error:
        raise UnavailableError(
            "the revision of the database cannot be read",
            why=reason(error, database.place),
            next_step="see that it runs, and that HULLWRIGHT_DATABASE_* name it",
        ) from error
    finally:
        engine.dispose()


def alembic_config() -> Config:
    """Return Alembic's configuration: where the scripts are, and no file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _upgrade(connection: Connection) -> Migrated:
    connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT_S}s'"))
    # Released with the transaction, however it ends.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    before = MigrationContext.configure(connection).get_current_revision()
    if before is not None and before not in REVISIONS:
        return Migrated(before, before)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return Migrated(before, REVISIONS[-1])
