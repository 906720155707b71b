"""A registry that misbehaves on demand: a proxy on loopback in front of a real one.

Everything goes through untouched until a test scripts something::

    with registry(tmp_path) as address, flaky(address) as proxy:
        proxy.answer(503, times=2, headers={"Retry-After": "0"})             # the next two requests
        proxy.answer(500, method="PUT", path=r"/manifests/latest$", times=None)       # for ever
        proxy.answer(403, method="PUT", path=r"/manifests/", skip=2, body=denied("no"))  # the third
        proxy.cut(1000, method="GET", path=r"/blobs/")        # 1000 bytes of the answer's body
        proxy.cut(1000, method="PATCH", uploading=True)       # 1000 bytes of what is sent
        held = proxy.hold(method="PUT", path=r"/manifests/latest$")
        …                                                     # start what is tested
        held.reached.wait(60)                                 # it is there, and waits
        held.go()                                             # let it through
    proxy.seen                                              # every request, in order of the answers
    proxy.counted("PUT", r"/manifests/")                      # how many of them matched

`proxy.address` is `127.0.0.1:PORT`, which an engine takes for a registry without TLS: images are
named `{proxy.address}/name:tag`. `path` is searched as a regular expression in path and query.
The first rule that matches and is not used up decides about a request; the others do not count it.
A rule counts what it matched, so `skip=2, times=1` is the third such request only. What reaches
the registry behind carries the proxy's own host, so that the addresses in its answers lead through
the proxy again. `docker push` works: chunked uploads, kept-alive connections and HEAD included.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHUNK_BYTES = 64 * 1024
_DEADLINE_S = 60.0
_TLS_HANDSHAKE = b"\x16"
# What belongs to one connection, and is not handed on: RFC 9110, section 7.6.1.
_HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Seen:
    """A request: `status` is 0 where the connection was cut, `scripted` where a rule decided."""

    method: str
    path: str
    status: int
    scripted: bool = False
    authorization: str = ""


@dataclass
class Held:
    """A request that waits at the proxy: `reached` is set when it is there, `go` lets it on."""

    reached: threading.Event = field(default_factory=threading.Event)
    _going: threading.Event = field(default_factory=threading.Event)

    def go(self) -> None:
        """Let it, and every later one, through."""
        self._going.set()

    def wait(self) -> None:
        """Stand at the proxy until `go` is called."""
        self.reached.set()
        self._going.wait(_DEADLINE_S)


@dataclass
class _Rule:
    kind: Literal["answer", "cut", "hold"]
    method: str
    path: str
    skip: int
    times: int | None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after_bytes: int = 0
    uploading: bool = False
    held: Held = field(default_factory=Held)

    def takes(self, method: str, path: str) -> bool:
        """Return whether this request is one of its; counts it."""
        if self.method not in {"*", method} or not re.search(self.path, path) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Proxy:
    """The script of a running proxy, and what it saw."""

    upstream: str
    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(
        self,
        status: int,
        *,
        method: str = "*",
        path: str = "",
        skip: int = 0,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        """Answer `times` requests with a status, without asking the registry; None: all."""
        rule = _Rule("answer", method, path, skip, times, status, headers or {}, body)
        self._add(rule)

    def cut(
        self,
        after_bytes: int = 0,
        *,
        method: str = "*",
        path: str = "",
        skip: int = 0,
        times: int | None = 1,
        uploading: bool = False,
    ) -> None:
        """Close the connection after so many bytes of the answer's body, or of the request's."""
        rule = _Rule("cut", method, path, skip, times)
        rule.after_bytes, rule.uploading = after_bytes, uploading
        self._add(rule)

    def hold(self, *, method: str = "*", path: str = "", skip: int = 0) -> Held:
        """Let the first matching request wait; returns the handle to it."""
        rule = _Rule("hold", method, path, skip, 1)
        self._add(rule)
        return rule.held

    def forget(self) -> None:
        """Behave from now on; what waits goes on."""
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.held.go()

    def counted(self, method: str, path: str = "") -> int:
        """Return how many requests of a method had a path with this expression."""
        return sum(each.method == method and bool(re.search(path, each.path)) for each in self.seen)

    def decide(self, method: str, path: str) -> _Rule | None:
        """Return the rule for a request, if there is one."""
        with self._lock:
            return next((rule for rule in self._rules if rule.takes(method, path)), None)

    def _add(self, rule: _Rule) -> None:
        with self._lock:
            self._rules.append(rule)


def denied(message: str, code: str = "DENIED") -> bytes:
    """Return the body of a registry's refusal."""
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@contextmanager
def flaky(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in front of the registry at `host:port`; it ends with its connections."""
    proxy = Proxy(upstream)
    with _Server(proxy) as server:
        proxy.address = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.forget()
            server.shutdown()
            server.hang_up()
            thread.join()


class _Server(ThreadingHTTPServer):
    # Its threads are waited for, so that nothing of one test is there in the next.
    daemon_threads = False

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def hang_up(self) -> None:
        """Close the connections that clients keep alive."""
        for connection in tuple(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def handle(self) -> None:
        # Engines try TLS first on loopback too, and take plain HTTP when it answers in HTTP.
        first = self.rfile.peek(1)[:1]  # type: ignore[attr-defined]  # it is buffered
        if first == _TLS_HANDSHAKE:
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return
        super().handle()

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
        return

    def _serve(self) -> None:
        rule = self.server.proxy.decide(self.command, self.path)
        if rule is not None and rule.kind == "hold":
            rule.held.wait()
            rule = None
        if rule is None:
            self._forward(None)
        elif rule.kind == "answer":
            self._scripted(rule)
        elif rule.uploading:
            self._swallow(rule.after_bytes)
        else:
            self._forward(rule.after_bytes)

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _serve  # noqa: N815  the base's names

    def _scripted(self, rule: _Rule) -> None:
        for _ in self._pieces():
            pass
        self._seen(rule.status, scripted=True)
        self.send_response(rule.status)
        for name, value in rule.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(rule.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(rule.body)

    def _swallow(self, count: int) -> None:
        left = count
        for piece in self._pieces():
            left -= len(piece)
            if left <= 0:
                break
        self._seen(0, scripted=True)
        self._hang_up()

    def _forward(self, most_bytes: int | None) -> None:
        upstream = http.client.HTTPConnection(self.server.proxy.upstream, timeout=_DEADLINE_S)
        try:
            self._ask(upstream)
            self._hand_back(upstream.getresponse(), most_bytes)
        finally:
            upstream.close()

    def _ask(self, upstream: http.client.HTTPConnection) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP | {"expect"}:
                upstream.putheader(name, value)
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        if chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        upstream.endheaders()
        for piece in self._pieces():
            upstream.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            upstream.send(b"0\r\n\r\n")

    def _hand_back(self, answer: http.client.HTTPResponse, most_bytes: int | None) -> None:
        # Before the client hears of it, so that a test that waits for the client finds it.
        cut = most_bytes is not None
        self._seen(0 if cut else answer.status, scripted=cut)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, self._through(value) if name == "Location" else value)
        empty = self.command == "HEAD" or answer.status in {204, 304}
        chunked = not empty and answer.getheader("Content-Length") is None
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        left = most_bytes
        while not empty and (piece := answer.read(_CHUNK_BYTES)):
            sent = piece if left is None else piece[:left]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(sent), sent) if chunked else sent)
            left = None if left is None else left - len(sent)
            if left == 0:
                break
        if most_bytes is not None:
            self._hang_up()
        elif chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _through(self, location: str) -> str:
        proxy = self.server.proxy
        return location.replace(f"//{proxy.upstream}/", f"//{proxy.address}/", 1)

    def _pieces(self) -> Iterator[bytes]:
        """Yield what the client sends, as it comes."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            yield from self._exactly(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield from self._exactly(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _exactly(self, count: int) -> Iterator[bytes]:
        left = count
        while left:
            piece = self.rfile.read1(min(left, _CHUNK_BYTES))
            if not piece:
                raise ConnectionResetError("the client went away")
            left -= len(piece)
            yield piece

    def _seen(self, status: int, *, scripted: bool) -> None:
        authorization = self.headers.get("Authorization", "")
        seen = Seen(self.command, self.path, status, scripted, authorization)
        self.server.proxy.seen.append(seen)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
