"""Leaf type of secrets: a value that no text form of it ever shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK: Final = "***"
# Shorter values would turn ordinary words of a log into stars.
_SHORTEST_REDACTED: Final = 6


class Secret:
    """A secret text; `repr`, `str`, f-strings and `%s` give `***`, and only `reveal` gives it.

    It refuses to be pickled or copied into JSON, so that it cannot reach a record by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for a child's environment, its standard input or tmpfs."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, format_spec: str) -> str:
        return format(MASK, format_spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Return `text` with each secret of six characters or more replaced by `***`.

    A value of several lines is also replaced line by line, because output is read line by line.
    """
    values = {
        piece
        for secret in secrets
        for piece in (secret.reveal(), *secret.reveal().splitlines())
        if len(piece) >= _SHORTEST_REDACTED
    }
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text
