"""The routes, called as a server calls them, over a store that only remembers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from hullwright.dashboard.app import create_app
from hullwright.dashboard.settings import settings
from hullwright.dashboard.store import NotReadyError, Store
from recording import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.history import Record

_TOKEN = "the-token-of-the-tests"
_SETTINGS = settings(
    {
        "HULLWRIGHT_DATABASE_HOST": "db",
        "HULLWRIGHT_DATABASE_PASSWORD": "x",
        "HULLWRIGHT_HISTORY_TOKEN": _TOKEN,
        "HULLWRIGHT_VERSION": "1.4.1",
    }
)


@dataclass
class _Memory:
    """Stands for the store: keeps records, or is not ready for a reason."""

    kept: dict[str, Record] = field(default_factory=dict)
    missing: str = ""

    def add(self, one: Record) -> bool:
        self.check()
        return self.kept.setdefault(one.id, one) is one

    def records(self, *, limit: int, **_: object) -> list[Record]:
        self.check()
        return list(self.kept.values())[:limit]

    def check(self) -> None:
        if self.missing:
            raise NotReadyError(self.missing)


@dataclass
class _Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


def _ask(
    store: _Memory,
    method: str,
    target: str,
    body: Iterable[bytes] = (b"",),
    headers: dict[str, str] | None = None,
) -> _Answer:
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in (headers or {}).items()],
    }
    pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    pieces[-1]["more_body"] = False
    answer = _Answer()

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {n.decode(): v.decode() for n, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    asyncio.run(create_app(_SETTINGS, cast("Store", store))(scope, receive, send))
    return answer


def _post(store: _Memory, body: object, authorization: str = f"Bearer {_TOKEN}") -> _Answer:
    content = [json.dumps(body).encode()]
    return _ask(store, "POST", "/records", content, {"Authorization": authorization})


def test_a_record_is_created_once() -> None:
    store, one = _Memory(), record()
    first, second = _post(store, one.as_json()), _post(store, one.as_json())
    assert (first.status, second.status) == (201, 200)
    assert json.loads(first.body) == json.loads(second.body) == {"id": one.id}
    assert store.kept == {one.id: one}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert _post(_Memory(), record().as_json(), f"{scheme} {_TOKEN}").status == 201


@pytest.mark.parametrize(
    ("authorization", "told"),
    [
        ("", "no token"),
        (_TOKEN, "no token"),
        (f"Basic {_TOKEN}", "wrong token"),
        ("Bearer ", "no token"),
        (f"Bearer {_TOKEN[:-1]}", "wrong token"),
        ("Bearer \xfc\xff", "wrong token"),
    ],
)
def test_nothing_is_kept_without_the_token(authorization: str, told: str) -> None:
    store = _Memory()
    answer = _post(store, record().as_json(), authorization)
    assert (answer.status, store.kept) == (401, {})
    assert answer.error.startswith(told)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_is_asked_for_before_the_body_is_read() -> None:
    assert _post(_Memory(), "no record").status == 422
    assert _post(_Memory(), "no record", "Bearer wrong").status == 401


def test_a_body_has_a_limit_however_it_arrives() -> None:
    token = {"Authorization": f"Bearer {_TOKEN}"}
    announced = _ask(_Memory(), "POST", "/records", [b""], token | {"Content-Length": "1048577"})
    streamed = _ask(_Memory(), "POST", "/records", [b" " * 600_000] * 2, token)
    assert (announced.status, streamed.status) == (413, 413)
    assert announced.error == streamed.error == "a record has at most 1048576 bytes"


def test_a_limit_that_cannot_be_meant_is_told() -> None:
    answer = _ask(_Memory(), "GET", "/records?limit=many")
    assert (answer.status, answer.error) == (400, "limit is a number from 1 to 100")


def test_records_have_the_schema_and_the_limit() -> None:
    kept = [record(minute=minute) for minute in range(3)]
    store = _Memory({one.id: one for one in kept})
    answer = _ask(store, "GET", "/records?limit=2")
    assert json.loads(answer.body) == {"schema": 1, "records": [one.as_json() for one in kept[:2]]}


def test_a_store_that_is_not_ready_leaves_the_service_alive() -> None:
    store = _Memory(missing="the database runs at db:5432 cannot be used: no")
    assert _ask(store, "GET", "/healthz").status == 200
    for path in ("/readyz", "/records"):
        answer = _ask(store, "GET", path)
        assert (answer.status, answer.error) == (503, store.missing)
    assert _post(store, record().as_json()).status == 503
    shown = _ask(store, "GET", "/")
    assert shown.status == 503
    assert store.missing in shown.body.decode()


def test_the_page_has_a_strict_policy() -> None:
    answer = _ask(_Memory(), "GET", "/")
    assert answer.status == 200
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'sha"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "hullwright 1.4.1" in answer.body.decode()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/records", 405), ("POST", "/", 405)],
)
def test_what_is_not_there_is_told_as_json(method: str, path: str, status: int) -> None:
    answer = _ask(_Memory(), method, path)
    assert answer.status == status
    assert answer.error
