"""How a registry learns who asks: Basic, or Bearer tokens of its token server, one for each scope.

Source: https://distribution.github.io/distribution/spec/auth/token/ and …/auth/oauth/.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from hullwright.secret import Secret
from hullwright.tools.registryhttp import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullwright.tools.credentials import Credential

_SCHEME: Final = re.compile(r"(?:^|,)\s*(?P<name>Bearer|Basic)\b", re.IGNORECASE)
_PARAMETER: Final = re.compile(r'(?P<name>\w+)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s,"]+))')
_CLIENT: Final = "hullwright"


@dataclass(frozen=True, slots=True)
class Challenge:
    """How a registry wants to be asked: `bearer` or `basic`, and where tokens are given."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


class TokenRefusedError(Exception):
    """The token server gave no token; `answer` is what it said."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.words)
        self.answer = answer


def challenge(header: str) -> Challenge | None:
    """Return what a `WWW-Authenticate` header asks for; Bearer where it names both."""
    found: dict[str, Challenge] = {}
    marks = [*_SCHEME.finditer(header)]
    ends = [mark.start() for mark in marks[1:]]
    for mark, end in zip_longest(marks, ends):
        text = header[mark.end() : end]
        fields = {
            each["name"]: each["quoted"] or each["bare"] for each in _PARAMETER.finditer(text)
        }
        name = mark["name"].lower()
        found[name] = Challenge(
            name,
            fields.get("realm") or "",
            fields.get("service") or "",
            fields.get("scope") or "",
        )
    return found.get("bearer") or found.get("basic")


@dataclass
class Authority:
    """Knows the header by which requests of each scope are let in; used by several threads.

    Attributes:
        credential: the stored login; None asks for what everybody gets.
        ask: sends a request to the token server.
        keep: gets every token, so that no output shows it.
        secure: whether the registry is asked by TLS; then no login goes anywhere without.
    """

    credential: Credential | None
    ask: Callable[[Request], Answer]
    keep: Callable[[Secret], None]
    secure: bool = True
    _headers: dict[str, str] = field(default_factory=dict, repr=False)
    _challenge: Challenge | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def user(self) -> str:
        """Whose login is used, for messages; empty without one."""
        if self.credential is None:
            return ""
        return self.credential.username or "the stored token"

    @property
    def by_token(self) -> bool:
        """Whether the login was taken by a token server, so that a refusal is about rights."""
        return self._challenge is not None and self._challenge.scheme == "bearer"

    def header(self, scope: str) -> str:
        """Return the header for a scope as far as it is known; empty for the first question."""
        with self._lock:
            known = self._challenge
            if known is None or self._headers.get(scope):
                return self._headers.get(scope, "")
            return self._obtained(known, scope)

    def renewed(self, answer: Answer, scope: str, used: str) -> str:
        """Return another header after a 401, or nothing where there is none to be had."""
        asked = challenge(answer.headers.get("www-authenticate", ""))
        with self._lock:
            known = self._headers.get(scope, "")
            if known and known != used:
                # Another thread was faster.
                return known
            if asked is None:
                return ""
            self._challenge = asked
            fresh = self._obtained(asked, asked.scope or scope)
            self._headers[scope] = fresh
            return fresh if fresh != used else ""

    def _obtained(self, asked: Challenge, scope: str) -> str:
        header = self._token(asked, scope) if asked.scheme == "bearer" else self._basic()
        self._headers[scope] = header
        return header

    def _basic(self) -> str:
        if self.credential is None or self.credential.identity_token is not None:
            return ""
        return _basic(self.credential)

    def _token(self, asked: Challenge, scope: str) -> str:
        if urlsplit(asked.realm).scheme not in ({"https"} if self.secure else {"http", "https"}):
            return ""
        answer = self.ask(self._question(asked, scope))
        try:
            told = json.loads(answer.content) if answer.status == 200 else {}
            token = told.get("token") or told.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str):
            raise TokenRefusedError(answer)
        self.keep(Secret(token))
        return f"Bearer {token}"

    def _question(self, asked: Challenge, scope: str) -> Request:
        wanted = {"service": asked.service, "scope": scope}
        fields: Mapping[str, str] = {name: value for name, value in wanted.items() if value}
        login = self.credential
        if login is not None and login.identity_token is not None:
            given = {
                "grant_type": "refresh_token",
                "refresh_token": login.identity_token.reveal(),
                "client_id": _CLIENT,
                **fields,
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return Request("POST", asked.realm, headers, urlencode(given).encode())
        sign = "&" if urlsplit(asked.realm).query else "?"
        headers = {"Authorization": _basic(login)} if login is not None else {}
        return Request("GET", f"{asked.realm}{sign}{urlencode(fields)}", headers)


def _basic(login: Credential) -> str:
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
