"""Keeps what programs printed out of records.

Nobody can tell whether a line of a crashing program holds a value that must not be kept: it may be
short, encoded or a part of one. The terminal and `--format json` show such lines; a record, which
stays and goes to a dashboard, has the cause, the exit code and the names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRINTED: Final = frozenset({"logs", "output"})
# What quotes programs: failures, and checks of stacks that are up.
_QUOTING: Final = frozenset({"failure", "failures", "checks"})
# Facts of a failure that are our own words.
_OWN_FACTS: Final = frozenset({"exit code", "waited on", "waits for"})


def without_printed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report's JSON form without what its failures and checks quote of programs."""
    return {key: _value(key, value) for key, value in data.items()}


def _value(key: str, value: object) -> object:
    if isinstance(value, list | tuple):
        return [_value(key, item) for item in value]
    if not isinstance(value, dict):
        return value
    return _failure(value) if key in _QUOTING else without_printed(value)


def _failure(failure: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in failure.items() if key not in _PRINTED}
    if isinstance(kept.get("facts"), dict):
        kept["facts"] = {name: fact for name, fact in kept["facts"].items() if name in _OWN_FACTS}
    return kept
