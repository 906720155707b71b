"""What a registry refused, told in words that say what to do.

Each refusal is told by its status and its code; only what registries have no code for (a quota)
is looked for in their words. Codes: the distribution specification, section on error codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hullwright.errors import UnavailableError

if TYPE_CHECKING:
    from hullwright.tools.registryhttp import Answer, UnheardError

Kind = Literal[
    "unreachable", "untrusted", "no-login", "bad-login", "denied", "full", "busy", "foreign", "odd"
]

_FULL: Final = re.compile(
    r"quota|no space left|insufficient storage|storage (?:limit|is full)|exceeds?\b.*\blimit",
    re.IGNORECASE,
)


class RegistryError(UnavailableError):
    """A registry could not be reached, or did not do what it was asked.

    Attributes:
        kind: `unreachable`, `untrusted` (its certificate), `no-login` (it wants one), `bad-login`
            (it refuses the stored one), `denied`, `full`, `busy` (429 or 5xx, after the last try),
            `foreign` (no registry at all), `odd` (anything else).
        status: of its answer; 0 without one.
    """

    def __init__(
        self, kind: Kind, what: str, *, why: list[tuple[str, str]], next_step: str, status: int = 0
    ) -> None:
        super().__init__(what, why=[row for row in why if row[1]], next_step=next_step)
        self.kind: Kind = kind
        self.status = status


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried.

    Attributes:
        domain: the registry.
        doing: what was to be done, such as `push to team/app`.
        user: whose login was used; empty without one.
        tries: how often it was asked.
        seconds: how long that took.
    """

    domain: str
    doing: str
    user: str = ""
    tries: int = 1
    seconds: float = 0.0

    @property
    def tried(self) -> str:
        """How often, where that was more than once."""
        return f"{self.tries} times in {self.seconds:.1f} s" if self.tries > 1 else ""

    @property
    def login_line(self) -> str:
        """The command that logs in."""
        return f"invoke login --registry {self.domain} --username NAME"


def unheard(attempt: Attempt, error: UnheardError) -> RegistryError:
    """Return the error for a registry that gave no answer."""
    why = [("said", error.words), ("to", attempt.doing), ("tried", attempt.tried)]
    domain = attempt.domain
    match error.kind:
        case "untrusted":
            return RegistryError(
                "untrusted",
                f"the certificate of {domain} is not trusted",
                why=why,
                next_step="name the file of its authority in SSL_CERT_FILE, or put it into "
                f"/etc/docker/certs.d/{domain}/ca.crt, where the engine looks too",
            )
        case "plain":
            return RegistryError(
                "untrusted",
                f"{domain} does not speak TLS",
                why=why,
                next_step='if that is meant, name it under "insecure-registries" in the '
                "engine's daemon.json",
            )
        case "cut":
            return RegistryError(
                "unreachable",
                f"{domain} cut the connection",
                why=why,
                next_step="try again; if it happens again, look at the registry's log",
            )
    return RegistryError(
        "unreachable",
        f"{domain} cannot be reached",
        why=why,
        next_step="check its name, and the network and proxy between here and there",
    )


def refused(attempt: Attempt, answer: Answer, *, recognised: bool = False) -> RegistryError:
    """Return the error for an answer that is no success.

    Args:
        attempt: what was tried.
        answer: the last answer.
        recognised: whether the login was taken before, so that a 401 is about rights.
    """
    kind = _kind(attempt, answer, recognised=recognised)
    what, next_step = _told(kind, attempt, answer.status)
    return RegistryError(
        kind,
        what,
        why=[("said", answer.words), ("tried", attempt.tried)],
        next_step=next_step,
        status=answer.status,
    )


def foreign(attempt: Attempt, answer: Answer, why: str) -> RegistryError:
    """Return the error for something that answers, and is no registry."""
    return RegistryError(
        "foreign",
        f"{attempt.domain} is not an image registry",
        why=[("said", answer.words), ("why", why), ("to", attempt.doing)],
        next_step="check the address: `registry` in the configuration, or HULLWRIGHT_REGISTRY",
        status=answer.status,
    )


def _kind(attempt: Attempt, answer: Answer, *, recognised: bool) -> Kind:
    status = answer.status
    if status == 429:
        return "busy"
    if status in {413, 507} or (status >= 400 and _FULL.search(answer.words)):
        return "full"
    if status == 401 and not attempt.user:
        return "no-login"
    if status == 401 and not recognised:
        return "bad-login"
    if status in {401, 403} or "DENIED" in answer.codes:
        return "denied"
    return "busy" if status >= 500 else "odd"


def _told(kind: Kind, attempt: Attempt, status: int) -> tuple[str, str]:
    """Return what happened and what to do."""
    domain, doing, user = attempt.domain, attempt.doing, attempt.user
    match kind:
        case "no-login":
            return f"{domain} wants a login to {doing}", attempt.login_line
        case "bad-login":
            return f"{domain} refuses the login of {user}", attempt.login_line
        case "denied":
            who = f"{user} {doing}" if user else f"us {doing} without a login"
            other = "ask its owner for that right, or log in as another: " if user else ""
            return f"{domain} does not let {who}", f"{other}{attempt.login_line}"
        case "full":
            return (
                f"{domain} has no room left: cannot {doing}",
                "remove what nobody needs (invoke prune --registry lists it), or raise the quota",
            )
        case "busy":
            return f"cannot {doing} now: {domain} answers {status}", "try again later"
    return f"cannot {doing}: {domain} answers {status}", "look at the registry's log"
