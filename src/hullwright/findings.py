"""Leaf type of checks: one thing that was found, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "note"]
_ORDER: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found; none of its texts ever holds a secret's value.

    Attributes:
        id: its stable name in dotted words, such as `recipients.development`.
        severity: an `error` fails the check; a `warning` is to be looked at; a `note` is told.
        subject: what it is about: a file, an environment, a place in an image, a key.
        message: what was found, in one sentence without a full stop.
        remedy: what to do, a command that can be pasted or a sentence; empty where nothing is.
    """

    id: str
    severity: Severity
    subject: str
    message: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it for machines."""
        return asdict(self)


def failed(findings: Iterable[Finding]) -> bool:
    """Return whether a check with these findings did not hold."""
    return any(finding.severity == "error" for finding in findings)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the gravest first, in the given order within one severity."""
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.severity]))
