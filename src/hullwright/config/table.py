"""One table of a configuration while it is read.

Each getter returns a value of its type, or the default where the key is missing or wrong; what is
wrong is noted, so that one reading finds every problem. The keys that were asked for are the keys
that exist: `finish` notes the others, with a suggestion.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from hullwright.errors import UsageError, suggestion

if TYPE_CHECKING:
    from hullwright.config.problems import Notes

V = TypeVar("V")
D = TypeVar("D")

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# A key that TOML takes without quotes, here with an index behind it.
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+(?:\[\d+\])*$")
_KINDS: Final = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a string"),
    (Sequence, "a list"),
    (Mapping, "a table"),
)


@dataclass(slots=True)
class Table:
    """The keys of one table; `path` is its own key path, empty for the top one."""

    raw: Mapping[str, object]
    path: str
    notes: Notes
    asked: list[str] = field(default_factory=list)

    def at(self, key: str) -> str:
        """Return the key path of a key of this table."""
        return key_path(self.path, key)

    def has(self, key: str) -> bool:
        """Return whether the key is written."""
        return key in self.raw

    def problem(self, key: str, message: str) -> None:
        """Note what is wrong with a key of this table."""
        self.notes.problem(self.at(key), message)

    def text(self, key: str, default: str = "") -> str:
        """Return a string."""
        value = self._take(key)
        if value is None or isinstance(value, str):
            return default if value is None else value
        return self._wrong(key, "a string", value, default)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        return self._wrong(key, "true or false", value, default)

    def whole(self, key: str, default: D) -> int | D:
        """Return a whole number that is not negative."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong(key, "a whole number", value, default)
        if value < 0:
            self.problem(key, f"expected a figure that is not negative, got {value}")
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings."""
        return self.each(key, str)

    def one_of(self, key: str, choices: Sequence[str], default: str) -> str:
        """Return one of the words in `choices`."""
        value = self.text(key, default)
        if value in choices or value == default:
            return value
        self.problem(key, f'unknown {key} "{value}"{_near(value, choices)}')
        return default

    def parsed(self, key: str, parse: Callable[[str], V], default: D) -> V | D:
        """Return what `parse` makes of a string; a usage error that it raises is noted."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, str):
            return self._wrong(key, "a string", value, default)
        return self._parse(key, value, parse, default)

    def each(self, key: str, parse: Callable[[str], V]) -> tuple[V, ...]:
        """Return what `parse` makes of each string of a list; as `parsed` otherwise."""
        values = self._take(key)
        if values is None:
            return ()
        if not isinstance(values, list):
            return self._wrong(key, "a list of strings", values, ())
        found: list[V] = []
        for index, value in enumerate(values):
            place = f"{key}[{index}]"
            if not isinstance(value, str):
                self._wrong(place, "a string", value, None)
            elif (parsed := self._parse(place, value, parse, None)) is not None:
                found.append(parsed)
        return tuple(found)

    def command(self, key: str) -> tuple[str, ...]:
        """Return a command as an argument list: from a list, or a line split as a shell does."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, (str, list)):
            return self._wrong(key, "a command", value, ())
        words = self._words(key, value) if isinstance(value, str) else self.texts(key)
        if not words:
            self.problem(key, "expected a command, got nothing")
        return words

    def commands(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of commands, each a line split as a shell does."""
        lines = enumerate(self.texts(key))
        return tuple(self._words(f"{key}[{index}]", line) for index, line in lines)

    def mapping(self, key: str) -> dict[str, str]:
        """Return a table of strings under names of any form."""
        inner = self.table(key)
        return {name: inner.text(name) for name in inner.raw}

    def figures(self, key: str) -> dict[str, int]:
        """Return a table of whole numbers under names of any form."""
        inner = self.table(key)
        return {name: inner.whole(name, 0) for name in inner.raw}

    def table(self, key: str) -> Table:
        """Return the table under a key; an empty one where it is missing."""
        value = self._take(key)
        if value is None or isinstance(value, Mapping):
            return Table(value or {}, self.at(key), self.notes)
        return Table(self._wrong(key, "a table", value, {}), self.at(key), self.notes)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of a list."""
        values = self._take(key)
        if values is None:
            return []
        if not isinstance(values, list):
            return self._wrong(key, "a list of tables", values, [])
        found = []
        for index, value in enumerate(values):
            place = f"{key}[{index}]"
            if isinstance(value, Mapping):
                found.append(Table(value, self.at(place), self.notes))
            else:
                self._wrong(place, "a table", value, None)
        return found

    def named(self, key: str) -> dict[str, Table]:
        """Return the tables of a table, by their names, which are words."""
        outer = self.table(key)
        found = {}
        for name in outer.raw:
            if NAME.fullmatch(name):
                found[name] = outer.table(name)
            else:
                outer.problem(name, "expected a name of letters, digits, - and _")
        return found

    def finish(self) -> None:
        """Note every key that nobody asked for."""
        for key in self.raw:
            if key not in self.asked:
                self.problem(key, f"unknown key{_near(key, self.asked)}")

    def _take(self, key: str) -> object:
        if key not in self.asked:
            self.asked.append(key)
        value = self.raw.get(key)
        if value is not None and not isinstance(value, Mapping):
            self.notes.origins.setdefault(self.at(key), self.notes.source)
        return value

    def _parse(self, place: str, text: str, parse: Callable[[str], V], default: D) -> V | D:
        try:
            return parse(text)
        except UsageError as error:
            self.problem(place, f"{error.what}: {error.why}" if error.why else error.what)
            return default

    def _words(self, key: str, line: str) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(line))
        except ValueError as error:
            self.problem(key, f"cannot be split into words: {error}")
            return (line,)

    def _wrong(self, place: str, expected: str, value: object, default: D) -> D:
        got = next((name for kind, name in _KINDS if isinstance(value, kind)), "a date or time")
        self.problem(place, f"expected {expected}, got {got}")
        return default


def key_path(path: str, key: str) -> str:
    """Return the path of a key below another one, in quotes where TOML wants them."""
    word = key if _BARE.match(key) else json.dumps(key, ensure_ascii=False)
    return f"{path}.{word}" if path else word


def _near(given: str, known: Sequence[str]) -> str:
    return suggestion(given, known) or f" (known: {', '.join(sorted(known))})"
