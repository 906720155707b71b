"""A stand-in for Qdrant: its embedded engine behind those calls of its HTTP API that services need.

The vectors are stored and searched by `qdrant_edge`, the engine of Qdrant as a library: one folder
for each collection. Around it is no cluster, no gRPC, no snapshot, no page; one unnamed
dense vector for each point. Answers, statuses and errors have the form of the real server.

Settings are variables, as the real server has them: QDRANT__SERVICE__API_KEY, …__HOST,
…__HTTP_PORT and QDRANT__STORAGE__STORAGE_PATH.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import qdrant_edge as edge

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "qdrant stand-in (embedded engine)"
# Everybody may ask whether it lives.
OPEN = frozenset({"/", "/healthz", "/livez", "/readyz"})
_MOST_BYTES = 32 * 1024 * 1024
_COLLECTION = re.compile(r"[A-Za-z0-9_.-]{1,255}")


class RefusedError(Exception):
    """An answer that is no result: a status, and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Collection:
    """The points of one collection; one call at a time."""

    def __init__(self, folder: Path, params: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self._operations = 0
        described = folder / "collection.json"
        if params is None:
            self.params = json.loads(described.read_text(encoding="utf-8"))
            self.shard = edge.EdgeShard.load(str(folder / "shard"))
            return
        self.params = params
        (folder / "shard").mkdir(parents=True)
        distance = getattr(edge.Distance, params["distance"])
        vectors = edge.EdgeVectorParams(size=params["size"], distance=distance)
        self.shard = edge.EdgeShard.create(str(folder / "shard"), edge.EdgeConfig(vectors=vectors))
        # Last: a folder without it is a collection that was never finished.
        described.write_text(json.dumps(params), encoding="utf-8")

    def change(self, operation: edge.UpdateOperation) -> dict[str, Any]:
        with self.lock:
            self.shard.update(operation)
            # What was answered for is on the disk, as the real server's log has it.
            self.shard.flush()
            self._operations += 1
            return {"operation_id": self._operations, "status": "completed"}

    def described(self) -> dict[str, Any]:
        with self.lock:
            info = self.shard.info()
        return {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": info.points_count,
            "indexed_vectors_count": info.indexed_vectors_count,
            "segments_count": info.segments_count,
            "config": {"params": {"vectors": self.params, "shard_number": 1}},
            "payload_schema": {},
        }


class Store:
    """All collections below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "collections"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.Lock()
        self.collections = {
            place.name: Collection(place)
            for place in sorted(self.folder.iterdir())
            if (place / "collection.json").is_file()
        }

    def find(self, name: str) -> Collection:
        found = self.collections.get(name)
        if found is None:
            raise RefusedError(404, f"Not found: Collection `{name}` doesn't exist!")
        return found

    def create(self, name: str, body: dict[str, Any]) -> bool:
        params = _params(body)
        if not _COLLECTION.fullmatch(name) or name in {".", ".."}:
            raise RefusedError(422, f"Validation error: `{name}` is no name of a collection")
        with self.lock:
            if name in self.collections:
                raise RefusedError(409, f"Wrong input: Collection `{name}` already exists!")
            shutil.rmtree(self.folder / name, ignore_errors=True)
            self.collections[name] = Collection(self.folder / name, params)
        return True

    def delete(self, name: str) -> bool:
        with self.lock:
            found = self.collections.pop(name, None)
            if found is not None:
                with found.lock:
                    found.shard.close()
                shutil.rmtree(found.folder)
        return found is not None

    def close(self) -> None:
        for found in self.collections.values():
            with found.lock:
                found.shard.flush()
                found.shard.close()


def _params(body: dict[str, Any]) -> dict[str, Any]:
    vectors = body.get("vectors")
    if not isinstance(vectors, dict) or not isinstance(vectors.get("size"), int):
        raise RefusedError(400, "Format error in JSON body: vectors: expected size and distance")
    known = ("Cosine", "Dot", "Euclid", "Manhattan")
    if vectors.get("distance") not in known or vectors["size"] < 1:
        raise RefusedError(400, f"Format error in JSON body: distance is one of {', '.join(known)}")
    return {"size": vectors["size"], "distance": vectors["distance"]}


def _conditions(found: Any) -> list[Any]:
    return [_condition(one) for one in (found if isinstance(found, list) else [found])]


def _condition(one: dict[str, Any]) -> Any:
    if "has_id" in one:
        return edge.HasIdCondition(set(one["has_id"]))
    if {"must", "should", "must_not"} & one.keys():
        return _filter(one)
    key, match, limits = one.get("key"), one.get("match"), one.get("range")
    if isinstance(match, dict) and "value" in match:
        return edge.FieldCondition(key=key, match=edge.MatchValue(match["value"]))
    if isinstance(match, dict) and "any" in match:
        return edge.FieldCondition(key=key, match=edge.MatchAny(match["any"]))
    if isinstance(limits, dict):
        return edge.FieldCondition(key=key, range=edge.RangeFloat(**limits))
    raise RefusedError(400, f"this stand-in has no such condition: {json.dumps(one)}")


def _filter(body: dict[str, Any] | None) -> edge.Filter | None:
    if not body:
        return None
    kinds = ("must", "should", "must_not")
    return edge.Filter(**{kind: _conditions(body[kind]) for kind in kinds if kind in body})


def _point(found: Any, **more: Any) -> dict[str, Any]:
    point_id = str(found.id) if isinstance(found.id, uuid.UUID) else found.id
    told = {"id": point_id, **more}
    if found.payload is not None:
        told["payload"] = found.payload
    if found.vector is not None:
        told["vector"] = found.vector
    return told


def _nearest(collection: Collection, body: dict[str, Any], vector: Any) -> list[dict[str, Any]]:
    if isinstance(vector, dict):
        vector = vector.get("nearest")
    if not isinstance(vector, list):
        raise RefusedError(400, "this stand-in searches for the nearest to a dense vector only")
    request = edge.QueryRequest(
        query=edge.Query.Nearest(vector),
        limit=body.get("limit", 10),
        offset=body.get("offset"),
        filter=_filter(body.get("filter")),
        with_payload=body.get("with_payload", False),
        with_vector=body.get("with_vector", False),
        score_threshold=body.get("score_threshold"),
    )
    with collection.lock:
        found = collection.shard.query(request)
    return [_point(one, version=one.version, score=one.score) for one in found]


def _search(collection: Collection, body: dict[str, Any]) -> Any:
    return _nearest(collection, body, body.get("vector"))


def _query(collection: Collection, body: dict[str, Any]) -> Any:
    return {"points": _nearest(collection, body, body.get("query"))}


def _count(collection: Collection, body: dict[str, Any]) -> Any:
    wanted = edge.CountRequest(exact=body.get("exact", True), filter=_filter(body.get("filter")))
    with collection.lock:
        return {"count": collection.shard.count(wanted)}


def _scroll(collection: Collection, body: dict[str, Any]) -> Any:
    request = edge.ScrollRequest(
        offset=body.get("offset"),
        limit=body.get("limit", 10),
        filter=_filter(body.get("filter")),
        with_payload=body.get("with_payload", True),
        with_vector=body.get("with_vector", False),
    )
    with collection.lock:
        found, following = collection.shard.scroll(request)
    offset = str(following) if isinstance(following, uuid.UUID) else following
    return {"points": [_point(one) for one in found], "next_page_offset": offset}


def _retrieve(collection: Collection, body: dict[str, Any]) -> Any:
    with_payload, with_vector = body.get("with_payload", True), body.get("with_vector", False)
    with collection.lock:
        found = collection.shard.retrieve(body["ids"], with_payload, with_vector)
    return [_point(one) for one in found]


def _one_point(collection: Collection, text: str) -> Any:
    point_id = int(text) if text.isdigit() else text
    for found in _retrieve(collection, {"ids": [point_id], "with_vector": True}):
        return found
    raise RefusedError(404, f"Not found: Point with id {text} does not exist!")


def _delete(collection: Collection, body: dict[str, Any]) -> Any:
    if "points" in body:
        return collection.change(edge.UpdateOperation.delete_points(body["points"]))
    return collection.change(edge.UpdateOperation.delete_points_by_filter(_filter(body["filter"])))


def _upsert(collection: Collection, body: dict[str, Any]) -> Any:
    points = [edge.Point(p["id"], p["vector"], p.get("payload")) for p in body["points"]]
    return collection.change(edge.UpdateOperation.upsert_points(points))


ON_POINTS: dict[tuple[str, str], Callable[[Collection, dict[str, Any]], Any]] = {
    ("PUT", ""): _upsert,
    ("POST", ""): _retrieve,
    ("POST", "count"): _count,
    ("POST", "delete"): _delete,
    ("POST", "query"): _query,
    ("POST", "scroll"): _scroll,
    ("POST", "search"): _search,
}


def answer(  # noqa: PLR0911  # a table of calls: each has its result
    store: Store, method: str, path: str, body: dict[str, Any]
) -> Any:
    """Return the result of a call below /collections, or raise `RefusedError`."""
    match [method, *path.strip("/").split("/")]:
        case ["GET", "collections"]:
            return {"collections": [{"name": name} for name in sorted(store.collections)]}
        case ["PUT", "collections", name]:
            return store.create(name, body)
        case ["GET", "collections", name]:
            return store.find(name).described()
        case ["DELETE", "collections", name]:
            return store.delete(name)
        case ["GET", "collections", name, "exists"]:
            return {"exists": name in store.collections}
        case ["GET", "collections", name, "points", point_id]:
            return _one_point(store.find(name), point_id)
        case [_, "collections", name, "points", *call] if (method, "".join(call)) in ON_POINTS:
            return ON_POINTS[method, "".join(call)](store.find(name), body)
    raise RefusedError(404, "Not found: this stand-in has no such call")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body) if body else {}
    except ValueError as error:
        raise RefusedError(400, f"Format error in JSON body: {error}") from error
    if not isinstance(told, dict):
        raise RefusedError(400, "Format error in JSON body: expected an object")
    return told


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP; connections stay open, as clients with a pool expect."""

    protocol_version = "HTTP/1.1"
    server_version = NAME
    sys_version = ""
    # A connection that nobody uses does not hold its thread for ever.
    timeout = 75
    store: Store
    key: str

    def handle_any(self) -> None:
        started = time.monotonic()
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MOST_BYTES:
            self.close_connection = True
            self._result(413, {"status": {"error": "the body is too large"}}, started)
            return
        body = self.rfile.read(length)
        if url.path in OPEN:
            self._open(url.path)
        elif self.key and not self._is_allowed():
            words = b"Must provide an API key or an Authorization bearer token"
            self._send(401, words, "text/plain")
        else:
            status, told = self._told(url.path, body, waits="wait=true" in url.query)
            self._result(status, told, started)

    def _told(self, path: str, body: bytes, *, waits: bool) -> tuple[int, dict[str, Any]]:
        try:
            told = _parsed(body)
            result = answer(self.store, self.command, path, told)
        except RefusedError as error:
            return error.status, {"status": {"error": str(error)}}
        except Exception as error:  # noqa: BLE001  # the engine raises plain Exceptions
            return 400, {"status": {"error": f"Wrong input: {error}"}}
        if isinstance(result, dict) and result.get("status") == "completed" and not waits:
            # The real server would not have done it yet; who does not wait cannot tell.
            result["status"] = "acknowledged"
        return 200, {"result": result, "status": "ok"}

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815  # as it calls them

    def _open(self, path: str) -> None:
        if path == "/":
            told = {"title": NAME, "version": f"edge {version('qdrant-edge-py')}"}
            self._send(200, json.dumps(told).encode(), "application/json")
        else:
            words = {"/readyz": "all shards are ready"}.get(path, f"{path[1:]} check passed")
            self._send(200, words.encode(), "text/plain")

    def _is_allowed(self) -> bool:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        given = self.headers.get("api-key") or bearer
        return hmac.compare_digest(given.encode(), self.key.encode())

    def _result(self, status: int, told: dict[str, Any], started: float) -> None:
        told["time"] = round(time.monotonic() - started, 9)
        self._send(status, json.dumps(told).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", _size: int | str = "-") -> None:
        if urlsplit(self.path).path not in OPEN:
            self.log_message('"%s %s" %s', self.command, self.path, str(code))


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, then close the collections."""
    environ = os.environ
    Handler.store = Store(Path(environ.get("QDRANT__STORAGE__STORAGE_PATH", "./storage")))
    Handler.key = environ.get("QDRANT__SERVICE__API_KEY", "")
    host = environ.get("QDRANT__SERVICE__HOST", "0.0.0.0")  # noqa: S104  # a container's own
    port = int(environ.get("QDRANT__SERVICE__HTTP_PORT", "6333"))
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer((host, port), Handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not in the signal's own frame: it waits for the loop that it interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    has = f"{len(Handler.store.collections)} collections"
    print(f"{NAME} on http://{host}:{port}, {has}", flush=True)  # noqa: T201  # its log
    server.serve_forever()
    server.server_close()
    Handler.store.close()
    sys.exit(0)


if __name__ == "__main__":
    main()
