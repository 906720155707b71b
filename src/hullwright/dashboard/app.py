"""The routes of the dashboard: records in by POST, out as JSON and as one page."""

from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from hullwright.dashboard import page
from hullwright.dashboard.store import NotReadyError
from hullwright.history.record import MAX_BODY_BYTES, InvalidRecordError, Record, parse

if TYPE_CHECKING:
    from starlette.requests import Request

    from hullwright.dashboard.settings import Settings
    from hullwright.dashboard.store import Store

# A sender that stops in the middle must not hold a connection, nor the end of the service.
_BODY_S: Final = 10.0
_MOST_RECORDS: Final = 100
_LONGEST_FILTER: Final = 200

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src {page.STYLE_SOURCE}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(settings: Settings, store: Store) -> Starlette:
    """Return the application; it opens its first connection with the first request."""
    routes = _Routes(settings, store)
    return Starlette(
        routes=[
            Route("/", routes.index, methods=["GET"]),
            Route("/records", routes.add, methods=["POST"]),
            Route("/records", routes.records, methods=["GET"]),
            Route("/healthz", routes.alive, methods=["GET"]),
            Route("/readyz", routes.ready, methods=["GET"]),
            Route("/version", routes.version, methods=["GET"]),
        ],
        exception_handlers={NotReadyError: _not_ready, HTTPException: _refused},
    )


@dataclass(frozen=True)
class _Routes:
    settings: Settings
    store: Store

    async def add(self, request: Request) -> Response:
        self._authorise(request)
        try:
            record = parse(_json(await _body(request)))
        except InvalidRecordError as error:
            return _error(422, "the record is not valid: " + "; ".join(error.problems))
        new = await run_in_threadpool(self.store.add, record)
        return JSONResponse({"id": record.id}, status_code=201 if new else 200)

    def records(self, request: Request) -> Response:
        kind, project = _filter(request, "kind"), _filter(request, "project")
        found = self.store.records(
            kinds=(kind,) if kind else (), project=project, limit=_limit(request)
        )
        return JSONResponse({"schema": 1, "records": [record.as_json() for record in found]})

    def index(self, request: Request) -> Response:
        project = _filter(request, "project")

        def latest(**which: Any) -> list[Record]:
            return self.store.records(project=project, limit=page.ROWS, **which)

        sections = {kind: latest(kinds=(kind,)) for kind in page.SECTIONS}
        others = latest(other_than=tuple(page.SECTIONS))
        content = page.render(sections, others, project=project, version=self.settings.version)
        return HTMLResponse(content, headers=_HEADERS)

    async def alive(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    def ready(self, _: Request) -> Response:
        self.store.check()
        return JSONResponse({"status": "ready"})

    async def version(self, _: Request) -> Response:
        return JSONResponse(
            {
                "version": self.settings.version,
                "revision": self.settings.revision,
                "commit_date": self.settings.commit_date,
            }
        )

    def _authorise(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Compared as bytes and in constant time: the time tells nothing about the token.
        fits = hmac.compare_digest(
            given.strip().encode("utf-8", "surrogateescape"),
            self.settings.token.reveal().encode(),
        )
        if scheme.lower() != "bearer" or not fits:
            told = "wrong token" if given else "no token: Authorization: Bearer … is missing"
            raise HTTPException(401, told, headers={"WWW-Authenticate": "Bearer"})


async def _body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        _too_large()
    received = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for piece in request.stream():
                received += piece
                if len(received) > MAX_BODY_BYTES:
                    _too_large()
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {_BODY_S:.0f} s") from None
    return bytes(received)


def _too_large() -> NoReturn:
    raise HTTPException(413, f"a record has at most {MAX_BODY_BYTES} bytes")


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON") from None


def _filter(request: Request, name: str) -> str:
    given = request.query_params.get(name, "")
    if len(given) > _LONGEST_FILTER or not (given.isprintable() or not given):
        raise HTTPException(400, f"{name} is a name of at most {_LONGEST_FILTER} characters")
    return given


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "50")
    if given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= _MOST_RECORDS:
        return int(given)
    raise HTTPException(400, f"limit is a number from 1 to {_MOST_RECORDS}")


def _error(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": reason}, status_code=status, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _error(error.status_code, error.detail, dict(error.headers or {}))


async def _not_ready(request: Request, error: Exception) -> Response:
    if request.url.path == "/":
        return HTMLResponse(page.unavailable(str(error)), status_code=503, headers=_HEADERS)
    return _error(503, str(error))
