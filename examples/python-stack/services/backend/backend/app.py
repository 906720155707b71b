"""The HTTP API of the backend."""

from __future__ import annotations

import os
import secrets
from contextlib import asynccontextmanager
from datetime import datetime  # noqa: TC003  # pydantic reads annotations when it runs
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, Field

from backend import database
from backend.store import Store
from nudge.settings import required

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_YEAR_S = 366 * 24 * 3600


class Wish(BaseModel):
    """What somebody wants to be reminded of."""

    chat: int
    text: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    in_s: Annotated[float, Field(ge=0, le=_YEAR_S)]
    source: Annotated[str, Field(min_length=1, max_length=100)]


class Reminder(BaseModel):
    """What is kept of it."""

    id: int
    chat: int
    text: str
    due: datetime


def store_of(request: Request) -> Store:
    """Return the store of the running program; tests put another one in its place."""
    return request.app.state.store


def allowed(authorization: Annotated[str, Header()] = "") -> None:
    """Refuse who does not show the token that bot and worker have."""
    expected = f"Bearer {required('API_TOKEN')}"
    if not secrets.compare_digest(authorization.encode(), expected.encode()):
        raise HTTPException(401, "the token is missing, or another one")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Migrate before the first request, and hold connections until the last one."""
    async with await database.pool() as pool:
        await database.migrate()
        app.state.store = Store(pool)
        yield


app = FastAPI(title="Nudge", lifespan=lifespan)
Kept = Annotated[Store, Depends(store_of)]
_guarded = [Depends(allowed)]


@app.post("/reminders", dependencies=_guarded, status_code=201)
async def keep(wish: Wish, store: Kept, response: Response) -> Reminder:
    """Keep a reminder: 201, and 200 where one was made of the same source before."""
    reminder, new = await store.keep(wish.chat, wish.text, wish.in_s, wish.source)
    response.status_code = 201 if new else 200
    return Reminder(**reminder)


@app.get("/reminders", dependencies=_guarded)
async def reminders(chat: int, store: Kept, q: str = "") -> list[Reminder]:
    """Tell what a chat is still to be reminded of, all or what has words like these."""
    return [Reminder(**each) for each in await store.open(chat, q)]


@app.post("/deliveries", dependencies=_guarded)
async def take(store: Kept) -> list[dict[str, Any]]:
    """Give out what is due, each to one caller."""
    return await store.take()


@app.post("/deliveries/{number}", dependencies=_guarded)
async def sent(number: int, store: Kept) -> dict[str, bool]:
    """Note that a reminder was sent."""
    return {"new": await store.sent(number)}


@app.get("/status")
async def status(store: Kept) -> dict[str, Any]:
    """Tell how much there is, and what the database has."""
    return await store.status()


@app.get("/livez")
async def livez() -> dict[str, str]:
    """Answer, which is all that is asked."""
    return {"status": "alive"}


@app.get("/readyz")
async def readyz(store: Kept) -> dict[str, str]:
    """Tell that the database answers; 503 where it does not."""
    try:
        await store.answers()
    except Exception as error:
        raise HTTPException(503, "the database does not answer") from error
    return {"status": "ready"}


@app.get("/version")
async def version() -> dict[str, str]:
    """Tell what was built, and from which commit."""
    return {
        "version": os.environ.get("NUDGE_VERSION") or "dev",
        "commit": os.environ.get("NUDGE_COMMIT") or "unknown",
    }
