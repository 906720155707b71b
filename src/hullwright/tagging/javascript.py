"""Regular expressions of JavaScript, as those of Python that find the same.

Where no such expression exists the pattern is refused, with what it was that has none.
Source: https://tc39.es/ecma262/#sec-patterns
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hullwright.errors import UsageError

_FLAGS: Final = frozenset("dgimsuvy")
_SPACES: Final = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NO_SPACES: Final = (
    r"\x00-\x08\x0e-\x1f!-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e"
    r"\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\U0010ffff"
)
_SETS: Final = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010ffff",
    "w": "A-Za-z0-9_",
    "W": r"\x00-/:-@\[-\^`{-\U0010ffff",
    "s": _SPACES,
    "S": _NO_SPACES,
}
_CONTROLS: Final = {"t": r"\t", "n": r"\n", "v": r"\v", "f": r"\f", "r": r"\r"}
_GROUPS: Final = re.compile(r"\(\?(?P<open>:|=|!|<=|<!|<(?P<name>[A-Za-z_$][\w$]*)>)")
_HEX: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")
_QUANTIFIER: Final = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}")
_BESIDE_SET: Final = re.compile(r"(?<!\\)(?:\\\\)*\\[dDwWsS]\Z")
# `(a+)+` finds what `a+` does, and takes for ever where it finds nothing.
_ENDLESS: Final = re.compile(
    r"(?<!\\)\((?:\?:)?(?:\\.|\[[^\]]*\]|[^()\\\[\]])(?:[*+]|\{\d+,\})\)(?:[*+]|\{\d+,\})"
)
_LITERAL: Final = re.compile(r"/(.+)/(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Matcher:
    """A translated pattern.

    Attributes:
        compiled: the pattern of Python.
        every: whether all matches are the answer (flag `g`), else the groups of the first.
        at_start: whether only the start is looked at (flag `y`).
    """

    compiled: re.Pattern[str]
    every: bool = False
    at_start: bool = False

    def groups(self, text: str) -> list[str | None] | None:
        """Return what JavaScript's `match` gives for `text`; None where nothing matches."""
        if self.every:
            found: list[str | None] = [match[0] for match in self.compiled.finditer(text)]
            return found or None
        match = self.compiled.match(text) if self.at_start else self.compiled.search(text)
        return [match[0], *match.groups()] if match else None


@lru_cache(maxsize=64)
def matcher(written: str) -> Matcher:
    """Return what finds the same as a pattern of JavaScript, bare or as `/pattern/flags`.

    Raises:
        UsageError: JavaScript would refuse it, or Python has nothing that finds the same.
    """
    literal = _LITERAL.fullmatch(written)
    source, flags = (literal[1], literal[2]) if literal else (written, "")
    odd = sorted(set(flags) - _FLAGS)
    if odd or len(set(flags)) < len(flags):
        raise _refused(written, f'"{flags}" are no flags of a regular expression')
    endless = _ENDLESS.search(source)
    if endless:
        raise _refused(written, f"{endless[0]} repeats a repetition, which may never end")
    python = re.IGNORECASE if "i" in flags else re.RegexFlag(0)
    translated = _Translation(written, source, flags).whole()
    try:
        compiled = re.compile(translated, python)
    except (re.error, OverflowError, FutureWarning) as error:
        raise _refused(written, f"Python has no expression that finds the same: {error}") from None
    return Matcher(compiled, every="g" in flags, at_start="y" in flags)


@dataclass
class _Translation:
    """One pattern while it is read from left to right."""

    written: str
    source: str
    flags: str
    at: int = 0
    groups: int = 0
    after_atom: bool = False

    def whole(self) -> str:
        parts = []
        while self.at < len(self.source):
            parts.append(self._step(self.source[self.at]))
        return "".join(parts)

    def _step(self, letter: str) -> str:
        quantifier = _QUANTIFIER.match(self.source, self.at)
        if quantifier:
            return self._quantified(quantifier[0])
        if letter == "(":
            return self._group()
        self.at += 1
        self.after_atom = letter not in "^|"
        if letter == "[":
            return self._set()
        return self._escape() if letter == "\\" else self._single(letter)

    def _single(self, letter: str) -> str:
        lines = "m" in self.flags
        plain = {
            ".": r"[\s\S]" if "s" in self.flags else r"[^\n\r\u2028\u2029]",
            "^": r"(?:(?<=[\n\r\u2028\u2029])|\A)" if lines else r"\A",
            "$": r"(?=[\n\r\u2028\u2029]|\Z)" if lines else r"\Z",
            ")": ")",
            "|": "|",
        }
        return plain.get(letter) or re.escape(letter)

    def _quantified(self, sign: str) -> str:
        if not self.after_atom:
            raise _refused(self.written, f'nothing stands before "{sign}" that could repeat')
        self.at += len(sign)
        self.after_atom = False
        if self.source.startswith("?", self.at):
            self.at += 1
            return f"{sign}?"
        return sign

    def _group(self) -> str:
        self.after_atom = False
        if not self.source.startswith("(?", self.at):
            self.at += 1
            self.groups += 1
            return "("
        known = _GROUPS.match(self.source, self.at)
        if not known:
            found = self.source[self.at : self.at + 4]
            raise _refused(self.written, f'"{found}" opens no group that both languages have')
        self.at = known.end()
        if known["name"]:
            self.groups += 1
            return f"(?P<{known['name'].replace('$', '_')}>"
        return f"(?{known['open']}"

    def _escape(self) -> str:
        letter = self.source[self.at : self.at + 1]
        if letter in _SETS and letter:
            self.at += 1
            return f"[{_SETS[letter]}]"
        if letter in {"b", "B"}:
            self.at += 1
            self.after_atom = False
            return rf"(?a:\{letter})"
        if letter == "k" and (named := re.compile(r"k<([\w$]+)>").match(self.source, self.at)):
            self.at = named.end()
            return _back(named[1].replace("$", "_"))
        number = re.compile(r"[1-9]\d*").match(self.source, self.at)
        if number:
            self.at = number.end()
            if int(number[0]) > self.groups:
                raise _refused(self.written, f"\\{number[0]} refers to no group before it")
            return _back(number[0])
        return self._character()

    def _character(self) -> str:
        """Return the one character that stands behind a backslash, in a set or out of one."""
        known = _HEX.match(self.source, self.at)
        if known and (known[3] is None or {"u", "v"} & set(self.flags)):
            self.at = known.end()
            code = int(known[1] or known[2] or known[3], 16)
            return re.escape(chr(code))
        letter = self.source[self.at : self.at + 1]
        self.at += 1
        if not letter:
            raise _refused(self.written, "it ends with a backslash")
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "0" and not self.source[self.at : self.at + 1].isdigit():
            return r"\x00"
        if letter in {"p", "P"} and {"u", "v"} & set(self.flags):
            raise _refused(self.written, f"\\{letter}{{…}} has no counterpart in Python")
        if letter == "c" or letter.isdigit():
            raise _refused(self.written, f"\\{letter} has no counterpart in Python")
        return re.escape(letter)

    def _set(self) -> str:
        negated = self.source.startswith("^", self.at)
        self.at += negated
        parts: list[str] = []
        while not self.source.startswith("]", self.at):
            if self.at >= len(self.source):
                raise _refused(self.written, "a set of characters is not closed")
            parts.append(self._member())
        self.at += 1
        if not parts:
            return r"[\s\S]" if negated else r"(?!)"
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _member(self) -> str:
        letter = self.source[self.at]
        self.at += 1
        if letter == "-":
            # Between two characters it is a range; else, and beside \d and the like, itself.
            edge = self.source[self.at - 2] in "[^" or self.source.startswith("]", self.at)
            beside = _BESIDE_SET.search(self.source[: self.at - 1]) or re.match(
                r"\\[dDwWsS]", self.source[self.at : self.at + 2]
            )
            return r"\-" if edge or beside else "-"
        if letter != "\\":
            return re.escape(letter)
        following = self.source[self.at : self.at + 1]
        if following in _SETS and following:
            self.at += 1
            return _SETS[following]
        if following == "b":
            self.at += 1
            return r"\x08"
        return self._character()


def _back(group: str) -> str:
    """Return a reference to a group; in JavaScript one that took no part is empty text."""
    return rf"(?({group})\{group})" if group.isdigit() else f"(?({group})(?P={group}))"


def _refused(written: str, why: str) -> UsageError:
    return UsageError(
        f'the pattern "{written}" cannot be used',
        why=why,
        next_step="write it with what both JavaScript and Python have",
    )
