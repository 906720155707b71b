"""What is asked of the database, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncpg

_KEEP = """
    INSERT INTO reminders (chat, text, due, source)
    VALUES ($1, $2, now() + make_interval(secs => $3), $4)
    ON CONFLICT (source) DO NOTHING
    RETURNING id, chat, text, due
"""
_BY_SOURCE = "SELECT id, chat, text, due FROM reminders WHERE source = $1"
_OPEN = """
    SELECT id, chat, text, due FROM reminders
    WHERE chat = $1 AND sent IS NULL AND ($2 = '' OR plain($2) <% plain(text))
    ORDER BY due LIMIT 100
"""
# Two who ask at the same time never get the same one.
_TAKE = """
    UPDATE reminders SET taken_until = now() + interval '2 minutes'
    WHERE id IN (
        SELECT id FROM reminders
        WHERE sent IS NULL AND due <= now() AND (taken_until IS NULL OR taken_until < now())
        ORDER BY due LIMIT 100
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, chat, text
"""
_SENT = "UPDATE reminders SET sent = now() WHERE id = $1 AND sent IS NULL RETURNING id"
_COUNTS = """
    SELECT count(*) FILTER (WHERE sent IS NULL) AS open, count(sent) AS sent FROM reminders
"""


class Store:
    """The reminders in PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def keep(
        self, chat: int, text: str, in_s: float, source: str
    ) -> tuple[dict[str, Any], bool]:
        """Return the reminder that was made of a source, and whether it is new."""
        new = await self._pool.fetchrow(_KEEP, chat, text, in_s, source)
        return dict(new or await self._pool.fetchrow(_BY_SOURCE, source)), new is not None

    async def open(self, chat: int, words: str) -> list[dict[str, Any]]:
        """Return what a chat is still to be reminded of, the next one first."""
        return [dict(row) for row in await self._pool.fetch(_OPEN, chat, words)]

    async def take(self) -> list[dict[str, Any]]:
        """Return what is due now, each to one caller, who has two minutes to send it."""
        return [dict(row) for row in await self._pool.fetch(_TAKE)]

    async def sent(self, number: int) -> bool:
        """Note that a reminder was sent; whether it was not before."""
        return await self._pool.fetchval(_SENT, number) is not None

    async def status(self) -> dict[str, Any]:
        """Return how much there is, and what the database has."""
        counts = await self._pool.fetchrow(_COUNTS)
        names = await self._pool.fetch("SELECT extname FROM pg_extension ORDER BY 1")
        return {
            **dict(counts),
            "extensions": [row["extname"] for row in names],
            "revision": await self._pool.fetchval("SELECT version_num FROM alembic_version"),
        }

    async def answers(self) -> bool:
        """Whether the database answers."""
        return bool(await self._pool.fetchval("SELECT true"))
