"""What the last lines of a log say of why a program failed: evidence, not proof.

A line counts only where it can be the reason: among the last that were written, shortly before
the end, with no other error after it, and with an exit code that a program gives itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hullwright.tools.details import LogLine

# The reason stands among the last messages, and this long before the end at most.
_MESSAGES: Final = 6
_DYING_S: Final = 3.0
# One that goes on tries again now and then.
_TRYING_S: Final = 15.0

_WARNING: Final = re.compile(r"^\W*(?:\S+ ){0,3}\W*WARN|level\"?[=:] ?\"?warn", re.IGNORECASE)
_ERROR: Final = re.compile(
    r"error|fatal|panic|exception|fail|cannot|can't|couldn't|could not|unable|denied|abort|no such",
    re.IGNORECASE,
)
# What a program says last, whatever the reason was.
_CONCLUSION: Final = re.compile(
    r"\b(?:exit(?:ed|ing)?|abort(?:ed|ing)?|giving up|shutting down|terminat\w+|stopp(?:ed|ing)"
    r"|failed to start|startup failed)\b|^\W*(?:\S+ ){1,5}failed\W*$",
    re.IGNORECASE,
)
_PATH: Final = re.compile(r"(?<![\w/:.])(/[^\s'\"`,;:()\[\]]+)")
_FORMAT: Final = re.compile(r"exec format error", re.IGNORECASE)
_NOT_FOUND: Final = re.compile(
    r"exec:? \"?([^\s\":]+)\"?: (?:no such file or directory|not found)$"
    r"|: ([^\s:]+): (?:command )?not found$|env: [‘'\"]?([^\s'’\"]+)[’'\"]?: No such file"
)
_DISK_FULL: Final = re.compile(
    r"No space left on device|ENOSPC|disk quota exceeded|database or disk is full", re.IGNORECASE
)
_READ_ONLY: Final = re.compile(r"read-only file ?system|EROFS", re.IGNORECASE)
# Of files, and not of a database's tables or of a key on another machine.
_DENIED: Final = re.compile(
    r"permission denied(?! for \w+ | \(publickey)|EACCES|operation not permitted|EPERM",
    re.IGNORECASE,
)
_NAME: Final = r"([A-Za-z0-9](?:[\w.-]*\w)?)"
_NOBODY: Final = (
    r"(?:Name or service not known|Temporary failure in name resolution|no such host"
    r"|No address associated with hostname|Name does not resolve"
    r"|failed to lookup address information)"
)
_UNRESOLVED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[Cc]ould not resolve host:? ['\"]?{_NAME}",
        rf"could not translate host name \"{_NAME}\"",
        rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_NAME}",
        rf"lookup {_NAME}(?: on \S+)?: (?:no such host|server misbehaving|Temporary failure)",
        rf"bad address ['\"]{_NAME}",
        rf"unable to resolve host address [‘'\"]{_NAME}",
        rf"UnknownHostException: {_NAME}",
        rf"host not found in upstream \"{_NAME}",
        rf"Unknown (?:MySQL|MariaDB) server host '{_NAME}'",
        rf"{_NAME}(?::\d+)?: {_NOBODY}",
        rf"(){_NOBODY}",
    )
)
_VARIABLE: Final = r"['\"`$]*\{?(?P<name>[A-Z][A-Z0-9_]{2,})\b"
_UNSET: Final = (
    r"(?:not (?:been )?(?:set|defined|specified|provided|found)|undefined|unset|missing|required"
    r"|empty|must (?:not )?be \w+|parameter (?:null or )?not set)"
)
_KIND_OF_VALUE: Final = r"(?:env\w*(?: var\w*)?|variable|secret)s?"
_MISSING: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_VARIABLE}['\"`}}]*:? (?:environment variable )?(?:is |was |has |to be )?{_UNSET}",
        (
            r"(?:^|[:;,.] |must |please |need to |have to )(?:specify|set|provide|define)(?: the)?"
            rf"(?: environment)?(?: variables?)? {_VARIABLE}"
        ),
        rf"(?:missing|required|undefined|unset)(?: required)? {_KIND_OF_VALUE}:? {_VARIABLE}",
        rf"(?:KeyError|environment variable)s?:?[\s-]+{_VARIABLE}",
    )
)
_NO_VARIABLES: Final = frozenset(
    {"ERROR", "FATAL", "WARN", "WARNING", "INFO", "DEBUG", "CRITICAL", "PANIC", "NOTICE", "DETAIL"}
    | {"HINT", "NULL", "HTTP", "HTTPS", "TLS", "SSL", "URL", "TCP", "DNS", "ENOENT", "EACCES"}
)
_SECRET_FILE: Final = re.compile(r"/run/secrets/[\w.-]+")
_ABSENT: Final = re.compile(r"no such file|not found|does not exist|ENOENT", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a message says.

    Attributes:
        kind: the cause that it speaks of; `permission-denied` also of what a mount holds, and
            `exec-format` of a program for another platform, or of none.
        subject: the path, name or variable that it is about; empty where it names none.
        line: its words.
    """

    kind: str
    subject: str
    line: str


def dying(lines: Sequence[LogLine], ended_at: float, code: int) -> Symptom | None:
    """Return what a program that ended by itself said of the reason, None if it did not."""
    # A signal ends a program whatever it wrote; only after an abort its last words count.
    if code == 0 or (128 < code < 160 and code != 134):
        return None
    return _last(lines, ended_at, _DYING_S)


def running(lines: Sequence[LogLine], now: float) -> Symptom | None:
    """Return what a program that runs, and is not ready, says of the reason; None if nothing."""
    return _last(lines, now, _TRYING_S)


def of_text(text: str) -> Symptom | None:
    """Return what one message says, None where it speaks of no known cause."""
    for kind, find in _KINDS.items():
        subject = find(text)
        if subject is not None:
            about = (line for line in text.splitlines() if subject in line)
            return Symptom(kind, subject, next(about, text).strip())
    return None


def _last(lines: Sequence[LogLine], at: float, within_s: float) -> Symptom | None:
    for message_at, text in reversed(_messages(lines)[-_MESSAGES:]):
        if message_at and at - message_at > within_s:
            return None
        if _WARNING.search(text):
            continue
        symptom = of_text(text)
        if symptom is not None:
            return symptom
        if _ERROR.search(text) and not _CONCLUSION.search(text):
            # Another error came later, so what stands before was survived.
            return None
    return None


def _messages(lines: Sequence[LogLine]) -> list[tuple[float, str]]:
    """Return messages with their times: a line, and those below it that are set in."""
    found: list[tuple[float, str]] = []
    for line in lines:
        if found and line.text[:1].isspace():
            at, text = found[-1]
            found[-1] = (at, f"{text}\n{line.text}")
        else:
            found.append((line.at, line.text))
    return found


def _unresolved(text: str) -> str | None:
    matches = (pattern.search(text) for pattern in _UNRESOLVED)
    return next((match[1] for match in matches if match), None)


def _missing(text: str) -> str | None:
    secret = _SECRET_FILE.search(text)
    if secret is not None and _ABSENT.search(text):
        return secret[0]
    for pattern in _MISSING:
        for match in pattern.finditer(text):
            if match["name"] not in _NO_VARIABLES:
                return match["name"]
    return None


def _not_found(text: str) -> str | None:
    match = _NOT_FOUND.search(text)
    return next(filter(None, match.groups()), "") if match else None


def _about(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def find(text: str) -> str | None:
        if pattern.search(text) is None:
            return None
        path = _PATH.search(text)
        return path[1].rstrip(".") if path else ""

    return find


# In the order in which they are tried: what is said most exactly comes first.
_KINDS: Final[dict[str, Callable[[str], str | None]]] = {
    "exec-format": _about(_FORMAT),
    "disk-full": _about(_DISK_FULL),
    "read-only": _about(_READ_ONLY),
    "permission-denied": _about(_DENIED),
    "missing-value": _missing,
    "name-unresolvable": _unresolved,
    "command-not-found": _not_found,
}
