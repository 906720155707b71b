"""Why a stack did not come up, as lines of text and as values; `up` and `cold-start` share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack import Failure


def text(failures: Sequence[Failure]) -> str:
    """Return the causes for people: a sentence each, then its facts, then the last log lines."""
    return "\n".join(line for failure in failures for line in _lines(failure))


def markdown(failures: Sequence[Failure]) -> str:
    """Return the causes for a job summary, each in a block of its own."""
    return "\n\n".join(f"```\n{text([failure])}\n```" for failure in failures)


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


def _lines(failure: Failure) -> list[str]:
    width = max((len(name) for name, _ in failure.facts), default=0)
    lines = [f"✗ {failure.sentence}"]
    for name, fact in failure.facts:
        first, *rest = fact.splitlines() or [""]
        lines.append(f"  {name:<{width}}  {first}")
        lines += [f"  {'':<{width}}  {line}" for line in rest]
    return lines + [f"  {'':<{width}}  │ {line}" for line in failure.logs]
