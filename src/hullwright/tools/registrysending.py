"""Asks a registry as often as it may help: after 429, 5xx and cut connections, and after a 401.

A bounded number of times, with growing pauses, or those that the registry asks for.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from hullwright.tools import registryerrors as errors
from hullwright.tools.registryauth import Authority, TokenRefusedError
from hullwright.tools.registryhttp import Answer, Request, Transport, UnheardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullwright.secret import Secret
    from hullwright.tools.credentials import Credential

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_MARK: Final = "docker-distribution-api-version"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and after which pauses, a request is made again.

    Attributes:
        attempts: at most so many requests in all.
        first_s: the pause after the first; each later one is twice as long.
        most_s: the longest pause of ours.
        most_told_s: the longest pause that a registry may ask for (`Retry-After`).
        sleep: waits for so many seconds.
        chance: gives figures from 0 to 1, so that many clients do not come back at once.
    """

    attempts: int = 5
    first_s: float = 0.25
    most_s: float = 8.0
    most_told_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def pause_s(self, attempt: int, told: str = "") -> float:
        """Return the pause after an attempt, counted from 1, and what the registry asked for."""
        own = min(self.most_s, self.first_s * 2.0 ** (attempt - 1))
        return max(own * (0.5 + self.chance() / 2), min(_seconds(told), self.most_told_s))


@dataclass
class Sending:
    """Sends a client's requests; used by several threads at once.

    Attributes:
        domain: the registry as references name it.
        root: its address, `https://host` or `http://host:port`.
        transport: sends one request.
        credential: the stored login.
        patience: when to ask again.
        tell: gets a line for each request that is made again.
        keep: gets tokens that no output may show.
    """

    domain: str
    root: str
    transport: Transport
    credential: Credential | None = None
    patience: Patience = field(default_factory=Patience)
    tell: Callable[[str], None] = lambda _: None
    keep: Callable[[Secret], None] = lambda _: None
    _known: bool = False

    def __post_init__(self) -> None:
        secure = self.root.startswith("https:")
        self._authority = Authority(self.credential, self.transport.send, self.keep, secure)

    def send(self, request: Request, scope: str, doing: str) -> Answer:
        """Return the last answer to a request, made as often as it may help.

        Args:
            request: one that may be made twice; `url` may be a path of the registry.
            scope: what a token must allow.
            doing: what is done, for messages: `push team/app:1`.

        Raises:
            RegistryError: nothing was heard, no token was given, or the registry stayed busy.
        """
        started, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            tries = self._attempt(doing, attempt, time.monotonic() - started)
            last = attempt >= self.patience.attempts
            try:
                answer = self.once(request, scope)
            except UnheardError as error:
                if error.kind != "cut" or last:
                    raise errors.unheard(tries, error) from None
                self._wait(attempt, error.words)
            except TokenRefusedError as refusal:
                if refusal.answer.status not in _AGAIN or last:
                    raise _without_token(tries, refusal.answer) from None
                self._wait(attempt, refusal.answer.words, refusal.answer)
            else:
                if answer.status not in _AGAIN:
                    return answer
                if last:
                    raise errors.refused(tries, answer)
                self._wait(attempt, answer.words, answer)

    def once(self, request: Request, scope: str) -> Answer:
        """Return the answer to one request; a 401 renews what it was asked with, once.

        Raises:
            UnheardError: there was none.
            TokenRefusedError: no token was given for it.
        """
        header = self._authority.header(scope)
        answer = self.transport.send(self._with(request, header))
        if answer.status == 401:
            renewed = self._authority.renewed(answer, scope, header)
            if renewed:
                answer = self.transport.send(self._with(request, renewed))
        return answer

    def refused(self, doing: str, answer: Answer) -> errors.RegistryError:
        """Return the error for an answer that is no success."""
        recognised = self._authority.by_token
        return errors.refused(self._attempt(doing), answer, recognised=recognised)

    def foreign(self, doing: str, answer: Answer, why: str) -> errors.RegistryError:
        """Return the error for an answer that no registry gives."""
        return errors.foreign(self._attempt(doing), answer, why)

    def mistaken(self, doing: str, why: str) -> errors.RegistryError:
        """Return the error for a registry that said yes, and did something else."""
        return errors.RegistryError(
            "odd",
            f"cannot {doing}: {self.domain} is at fault",
            why=[("why", why)],
            next_step="try again; if it happens again, look at the registry's log",
        )

    def check_registry(self, answer: Answer, doing: str) -> None:
        """Return where a registry gave this answer: by its words, its headers, or its top page.

        Raises:
            RegistryError: it is none.
        """
        if not (self._known or answer.errors or _MARK in answer.headers):
            top = self.send(Request("GET", "/v2/"), "", doing)
            if top.status not in {200, 401, 403}:
                raise self.foreign(doing, answer, f"{self.root}/v2/ gave {top.status}")
        self._known = True

    def _wait(self, attempt: int, words: str, answer: Answer | None = None) -> None:
        told = answer.headers.get("retry-after", "") if answer is not None else ""
        pause_s = self.patience.pause_s(attempt, told)
        following = f"{attempt + 1} of {self.patience.attempts}"
        self.tell(f"{self.domain}: {words}; again in {pause_s:.1f} s ({following})")
        self.patience.sleep(pause_s)

    def _attempt(self, doing: str, tries: int = 1, seconds: float = 0.0) -> errors.Attempt:
        return errors.Attempt(self.domain, doing, self._authority.user, tries, seconds)

    def _with(self, request: Request, header: str) -> Request:
        url = request.url if "://" in request.url else f"{self.root}{request.url}"
        headers = {"Authorization": header} if header else {}
        return replace(request, url=url, headers={**request.headers, **headers})


def _without_token(attempt: errors.Attempt, answer: Answer) -> errors.RegistryError:
    if answer.status == 200:
        return errors.foreign(attempt, answer, "its token server sent no token")
    return errors.refused(attempt, answer)


def _seconds(told: str) -> float:
    """Return the seconds of a `Retry-After`, which is a figure or a date."""
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
