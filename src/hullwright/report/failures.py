"""Why a stack did not come up, as lines of text and as values; `up` and `cold-start` share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack import Failure

# More services than this that only follow from what is explained above them are counted.
_FOLLOWING: Final = 5


def text(failures: Sequence[Failure]) -> str:
    """Return the causes for people: a sentence each, then its facts, then the last log lines.

    What was not started because of another one's failure is a line, and the many are counted.
    """
    causes = [failure for failure in failures if not _follows(failure)]
    following = [failure for failure in failures if _follows(failure)]
    lines = [line for failure in causes for line in _lines(failure)]
    lines += [f"✗ {failure.sentence}" for failure in following[:_FOLLOWING]]
    more = len(following) - _FOLLOWING
    if more > 0:
        names = ", ".join(failure.service for failure in following[_FOLLOWING:])
        lines.append(f"✗ {more} more {'were' if more > 1 else 'was'} not started: {names}")
    return "\n".join(lines)


def markdown(failures: Sequence[Failure]) -> str:
    """Return the causes for a job summary, each in a block of its own."""
    causes = [text([failure]) for failure in failures if not _follows(failure)]
    following = text([failure for failure in failures if _follows(failure)])
    return "\n\n".join(f"```\n{block}\n```" for block in (*causes, following) if block)


def as_json(failures: Sequence[Failure]) -> list[dict[str, Any]]:
    """Return the causes as values."""
    return [
        {
            "service": failure.service or None,
            "cause": failure.cause,
            "message": failure.sentence,
            "facts": dict(failure.facts),
            "logs": list(failure.logs),
        }
        for failure in failures
    ]


def _follows(failure: Failure) -> bool:
    return failure.cause == "dependency" and "because" in dict(failure.facts)


def _lines(failure: Failure) -> list[str]:
    width = max((len(name) for name, _ in failure.facts), default=0)
    lines = [f"✗ {failure.sentence}"]
    for name, fact in failure.facts:
        first, *rest = fact.splitlines() or [""]
        lines.append(f"  {name:<{width}}  {first}")
        lines += [f"  {'':<{width}}  {line}" for line in rest]
    return lines + [f"  {'':<{width}}  │ {line}" for line in failure.logs]
