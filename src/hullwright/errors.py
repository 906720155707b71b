"""The expected failures of Hullwright, each with the exit code that callers may rely on.

An expected failure says what happened, why, and what to do next. Anything else that is raised
is a bug: it ends with exit code 70 and a log file. Constructing an error prints nothing.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ExitCode(IntEnum):
    """The exit codes of every task; documented in the README, so they never change meaning."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    LOCKED = 4
    ROLLED_BACK = 5
    BUG = 70
    INTERRUPTED = 130


class HullwrightError(Exception):
    """An expected failure: one message of what happened, why, and what to do.

    Args:
        what: what happened, in one sentence without a full stop.
        why: facts that it follows from; a string, or lines of (name, fact) for an aligned table.
        next_step: what to do; a command that can be pasted, or a sentence.
        cause: a word for machines, where somebody tells causes apart.
    """

    exit_code = ExitCode.FAILED

    def __init__(
        self,
        what: str,
        *,
        why: str | Sequence[tuple[str, str]] = "",
        next_step: str = "",
        cause: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step
        self.cause = cause

    def lines(self) -> list[str]:
        """Return the message as lines: the cause first, then facts, then what to do."""
        rows = [("why", self.why)] if isinstance(self.why, str) else list(self.why)
        rows.append(("next", self.next_step))
        rows = [(name, fact) for name, fact in rows if fact]
        width = max((len(name) for name, _ in rows), default=0)
        told = [self.what]
        for name, fact in rows:
            first, *rest = fact.splitlines() or [""]
            told.append(f"  {name:<{width}}  {first}")
            told.extend(f"  {'':<{width}}  {line}" for line in rest)
        return told

    def __str__(self) -> str:
        return "\n".join(self.lines())


class CheckFailedError(HullwrightError):
    """The thing that was checked did not hold: unhealthy, over budget, a failed target."""

    exit_code = ExitCode.FAILED


class UsageError(HullwrightError):
    """The command line or the configuration asks for something that cannot be meant."""

    exit_code = ExitCode.USAGE


class UnavailableError(HullwrightError):
    """A tool, the engine or a registry is missing, too old or unreachable."""

    exit_code = ExitCode.UNAVAILABLE


class LockedError(HullwrightError):
    """Another run holds the lock; the message names the holder."""

    exit_code = ExitCode.LOCKED


def suggestion(given: str, known: Iterable[str]) -> str:
    """Return ` — did you mean "x"?` for the closest known name, or nothing if none is close.

    What was typed may also be the beginning of just one name.
    """
    names = list(known)
    begun = [name for name in names if given and name.startswith(given)]
    # Of two letters that are swapped, half are equal at most.
    swapped = [name for name in names if len(given) > 1 and sorted(name) == sorted(given)]
    likely = begun if len(begun) == 1 else swapped
    close = likely[:1] or get_close_matches(given, names, n=1, cutoff=0.6)
    return f' — did you mean "{close[0]}"?' if close else ""


def unknown(kind: str, given: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that does not exist, with a suggestion and the whole list."""
    names = sorted(known)
    return UsageError(
        f'unknown {kind} "{given}"{suggestion(given, names)}',
        why=[("known", ", ".join(names) or "none")],
    )
