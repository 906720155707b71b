"""Sending records to the dashboard: at once if it answers, else later, and never twice.

The embedded history is the outbox. A task must not wait for a dashboard that is not there: the
address is tried for a third of a second, and all the sending together gets two seconds. What is
left over goes with the next run. Connections are direct: no proxy, no redirect, so that the token
reaches nobody but the address that was configured. Without TLS it is sent to this machine only.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from urllib.parse import urlsplit

from hullwright.errors import HullwrightError
from hullwright.history import store
from hullwright.history.record import MAX_BODY_BYTES

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from http.client import HTTPConnection
    from urllib.parse import SplitResult

    from hullwright.history.record import Record
    from hullwright.secret import Secret
    from hullwright.workspace import Workspace

    Token: TypeAlias = Secret | Callable[[], Secret | None]

_CONNECT_S: Final = 0.3
_ALL_S: Final = 2.0
_MOST_AT_ONCE: Final = 200
# One for each address family, as localhost has.
_MOST_ADDRESSES: Final = 2
# Nothing about the single record: the same answer awaits all the others.
_ABOUT_US: Final = frozenset({401, 403, 404, 405, 407, 429})


@dataclass(frozen=True, slots=True)
class Flushed:
    """What became of the records that were waiting.

    Attributes:
        sent: records that the dashboard has now.
        kept: records that still wait here for a later run.
        refused: records that it will never take; they stay in the local history.
        reason: why some are kept or refused; empty if none is.
        note: what a person should be told; empty if the dashboard is just not there now.
    """

    sent: int = 0
    kept: int = 0
    refused: int = 0
    reason: str = ""
    note: str = ""


class _StoppedError(Exception):
    """Sending cannot go on; `told` is whether a person can do something about it."""

    def __init__(self, reason: str, *, told: bool = False) -> None:
        super().__init__(reason)
        self.told = told


def dashboard_url(ws: Workspace) -> str:
    """Return where records are sent to; empty for nowhere (also by `HULLWRIGHT_HISTORY=`)."""
    return ws.environ.get("HULLWRIGHT_HISTORY", ws.config.history.url).strip().rstrip("/")


def flush(ws: Workspace, token: Token | None = None) -> Flushed:
    """Send what waits, the oldest first, in two seconds at most; it never fails a task.

    A `token` that has to be decrypted first is better given as a function: it is called only once
    somebody answers at the dashboard's address.
    """
    address = dashboard_url(ws)
    if not address:
        return Flushed()
    waiting = store.unsent(ws, _MOST_AT_ONCE)
    if not waiting:
        return Flushed()
    target = _split(address)
    if target is None:
        # Not quoted: it may hold a password.
        reason = "the dashboard's address is not http(s)://host[:port][/path], without a user"
        return _summary(ws, "", 0, [], _StoppedError(reason, told=True))
    if target.scheme == "http" and not _is_loopback(target.hostname or ""):
        reason = f"{address} is not https, and the token is sent in the clear to this machine only"
        return _summary(ws, address, 0, [], _StoppedError(reason, told=True))
    return _send_all(ws, _Sender(target, token), waiting)


def _is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name alone: a resolver may be wrong."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(address: str) -> SplitResult | None:
    try:
        target = urlsplit(address)
        usable = target.scheme in {"http", "https"} and bool(target.hostname) and target.port != 0
    except ValueError:
        return None
    plain = target.username is None and not target.query and not target.fragment
    written = address.isascii() and address.isprintable() and " " not in address
    return target if usable and plain and written else None


def _send_all(ws: Workspace, sender: _Sender, waiting: list[Record]) -> Flushed:
    sent: list[str] = []
    refusals: list[str] = []
    stopped: _StoppedError | None = None
    try:
        with sender:
            for record in waiting:
                refusal = sender.send(record)
                if refusal:
                    store.mark_refused(ws, record.id, refusal)
                    refusals.append(f"{record.kind} of {record.at:%Y-%m-%d %H:%M}: {refusal}")
                else:
                    sent.append(record.id)
    except _StoppedError as error:
        stopped = error
    finally:
        # Also on Ctrl-C: what the dashboard has need not be sent again.
        if sent:
            store.mark_sent(ws, sent)
    return _summary(ws, sender.address, len(sent), refusals, stopped)


def _summary(
    ws: Workspace,
    address: str,
    sent: int,
    refusals: list[str],
    stopped: _StoppedError | None,
) -> Flushed:
    kept = store.unsent_count(ws)
    notes = []
    if refusals:
        notes.append(
            f"{address} refuses for good, so kept only here: {len(refusals)} × {refusals[0]}"
            if len(refusals) > 1
            else f"{address} refuses for good, so kept only here: {refusals[0]}"
        )
    if stopped is not None and stopped.told:
        waits = "1 record is" if kept == 1 else f"{kept} records are"
        notes.append(f"{waits} kept here for now ({stopped})")
    reasons = [*refusals, *([str(stopped)] if stopped else [])]
    return Flushed(
        sent, kept, len(refusals), "; ".join(reasons), "history: " * bool(notes) + "; ".join(notes)
    )


class _Sender:
    """One connection to the dashboard, with one deadline for all that goes over it."""

    def __init__(self, target: SplitResult, token: Token | None) -> None:
        self.address = target.geturl()
        self._target = target
        self._token = token
        self._authorization = ""
        self._deadline = 0.0
        self._connection: HTTPConnection

    def __enter__(self) -> Self:
        from http.client import HTTPConnection

        port = self._target.port or (443 if self._target.scheme == "https" else 80)
        host = self._target.hostname or ""
        # The scheme only decides the socket: the connection is handed one that is ready.
        self._connection = HTTPConnection(host, port)
        try:
            self._connection.sock = self._connected(host, port)
        except OSError as error:
            raise _StoppedError(f"{self.address} cannot be reached: {_why(error)}") from None
        try:
            self._authorization = f"Bearer {self._usable_token()}"
        except BaseException:
            self._connection.close()
            raise
        self._deadline = time.monotonic() + _ALL_S
        return self

    def _usable_token(self) -> str:
        try:
            token = self._token() if callable(self._token) else self._token
        except HullwrightError as error:
            raise _StoppedError(f"no token for {self.address}: {error.what}", told=True) from None
        value = token.reveal().strip() if token is not None else ""
        if not value or not value.isascii() or not value.isprintable():
            reason = "no token for" if not value else "the token is not printable ASCII, for"
            raise _StoppedError(f"{reason} {self.address}", told=True)
        return value

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, record: Record) -> str:
        """Return why the dashboard refuses this record; empty once it has it."""
        from http.client import HTTPException

        content = json.dumps(record.as_json(), ensure_ascii=False).encode()
        if len(content) > MAX_BODY_BYTES:
            return f"it has {len(content)} bytes, and a dashboard takes {MAX_BODY_BYTES}"
        try:
            status, body = self._post(content)
        except (OSError, HTTPException) as error:
            raise _StoppedError(f"{self.address} did not answer: {_why(error)}") from None
        answer = _object(body)
        if status in {200, 201} and answer.get("id") == record.id:
            return ""
        told = " ".join(f"{status} {ascii(answer.get('error', ''))[1:-1]}".split())[:300]
        if 400 <= status < 500 and status not in _ABOUT_US and "error" in answer:
            return told
        if status >= 500:
            raise _StoppedError(f"{self.address} answered {told}")
        if status in {401, 403}:
            raise _StoppedError(f"{self.address} refuses the token: {told}", told=True)
        raise _StoppedError(f"{self.address} is no dashboard: {status}", told=True)

    def _post(self, body: bytes) -> tuple[int, bytes]:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the rest goes with the next run")
        if self._connection.sock is None:
            # The dashboard closed the connection after its last answer.
            raise ConnectionError("it closed the connection")
        self._connection.sock.settimeout(left_s)
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "application/json",
        }
        self._connection.request("POST", f"{self._target.path}/records", body, headers)
        with self._connection.getresponse() as response:
            return response.status, response.read(65_536)

    def _connected(self, host: str, port: int) -> socket.socket:
        import socket

        plain = _connect(host, port)
        # Head and body go in two pieces, and the second must not wait for the first's receipt.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._target.scheme == "http":
            return plain
        import ssl

        try:
            plain.settimeout(_ALL_S)
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _connect(host: str, port: int) -> socket.socket:
    """Return a connection to the first address of `host` that takes one in a third of a second."""
    import socket

    refusal: OSError | None = None
    for address in _resolved(host, port):
        try:
            return socket.create_connection((address, port), timeout=_CONNECT_S)
        except OSError as error:
            refusal = refusal or error
    raise refusal or OSError(f"no address of {host} is known")


def _resolved(host: str, port: int) -> list[str]:
    """Return a host's addresses; the resolver has no timeout of its own, so a thread asks it."""
    import socket
    from threading import Thread

    found: list[str] = []

    def ask() -> None:
        with suppress(OSError):
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(str(answer[4][0]) for answer in answers[:_MOST_ADDRESSES])

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_CONNECT_S)
    return list(found)


def _object(body: bytes) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
