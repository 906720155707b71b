"""Where the database is, and its tables, which migrations bring up to date by themselves."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from nudge.settings import required

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger("backend")
# Whoever holds it migrates; the number is nothing but the same one everywhere.
_LOCK = 7_301_846_215
_PATIENCE_S = 60.0
_BETWEEN_S = 0.2
# A server that has just begun to listen refuses at first.
_NOT_YET = (OSError, asyncpg.CannotConnectNowError)


def url() -> URL:
    """Return where the database is, with the password, whatever characters that has."""
    return URL.create(
        "postgresql+asyncpg",
        username="nudge",
        password=required("POSTGRES_PASSWORD"),
        host="db",
        database="nudge",
    )


async def pool() -> asyncpg.Pool:
    """Return connections to the database, as soon as it answers."""
    place = url()
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await asyncpg.create_pool(
                host=place.host,
                user=place.username,
                password=place.password,
                database=place.database,
                min_size=1,
                max_size=8,
                command_timeout=10,
            )
        except _NOT_YET as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"the database does not answer: {error}") from error
            await asyncio.sleep(_BETWEEN_S)


def scripts() -> Config:
    """Return Alembic's configuration: where the migrations are, and no file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def head() -> str:
    """Return the newest revision that this program knows."""
    return ScriptDirectory.from_config(scripts()).get_current_head() or ""


async def current() -> str:
    """Return the revision that the database has; nothing of an empty one."""
    engine = create_async_engine(url(), poolclass=NullPool)
    async with engine.connect() as connection:
        return await connection.run_sync(_revision) or ""


async def migrate() -> list[str]:
    """Bring the tables up to date, and return the revisions that this process has applied.

    Of programs that begin together one migrates and the others wait for it: the lock is held by the
    transaction in which everything happens, so it ends with that, however that ends.
    """
    engine = create_async_engine(url(), poolclass=NullPool)
    async with engine.begin() as connection:
        applied = await connection.run_sync(_upgrade)
    for revision in applied:
        log.info("migration applied", extra={"revision": revision})
    if not applied:
        log.info("nothing to migrate", extra={"revision": head()})
    return applied


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> list[str]:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    applied: list[str] = []
    config = scripts()
    config.attributes |= {"connection": connection, "applied": applied}
    # Looks at what the database has by now, in the same transaction.
    command.upgrade(config, "head")
    return applied
