"""Ignore files of build contexts: which paths BuildKit leaves out, by its own rules.

They are not Git's. A pattern is anchored at the top of the context, the last pattern that matches
decides, what matches a folder matches all below it, and `**` is any number of folders. Some odd
ends are kept because BuildKit has them: a pattern that begins with `**` and has no other wildcard
matches the end of a path, letter for letter, so `**foo` is also `barfoo`.
Source: https://docs.docker.com/build/concepts/context/#dockerignore-files and the rules that
https://github.com/moby/patternmatcher states.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_SPECIAL: Final = frozenset(".+()|{}$")
_WILD: Final = frozenset("*?[\\")
# What Go calls white space at the ends of a line.
_SPACE: Final = "\t\n\v\f\r \u0085\u00a0"

# Whether each pattern matched a folder or one above it, in the order of the patterns.
Matched = tuple[bool, ...]


@dataclass(frozen=True)
class Pattern:
    """One line of an ignore file.

    Attributes:
        text: cleaned: no `./`, no slash at either end.
        exception: whether it began with `!`, and so takes back what earlier ones left out.
    """

    text: str
    exception: bool = False

    @cached_property
    def matches(self) -> Callable[[str], bool]:
        """Tells whether a path, relative to the context with slashes, is the pattern's own."""
        kind, expression = _translated(self.text)
        if kind == "exact":
            return self.text.__eq__
        if kind == "prefix":
            return lambda path: path.startswith(self.text[:-2])
        if kind == "suffix":
            end = self.text[2:]
            # What follows `**/` may be the whole path.
            return lambda path: path.endswith(end) or (end[:1] == "/" and path == end[1:])
        try:
            with warnings.catch_warnings():
                # Python doubts classes such as `[[^/]`, which Go's patterns may become.
                warnings.simplefilter("ignore", FutureWarning)
                found = re.compile(expression).fullmatch
        except re.error:
            # BuildKit refuses it, so there is no build; until then nothing may seem unchanged.
            return lambda _: self.exception
        return lambda path: found(path) is not None

    @property
    def literal(self) -> str:
        """What each path that it matches begins with, up to its first wildcard."""
        end = next((i for i, c in enumerate(self.text) if c in _WILD), len(self.text))
        return self.text[:end]


@dataclass(frozen=True)
class Ignore:
    """An ignore file."""

    patterns: tuple[Pattern, ...] = ()

    @cached_property
    def _exceptions(self) -> tuple[str, ...]:
        return tuple(pattern.literal for pattern in self.patterns if pattern.exception)

    def judge(self, path: str, above: Matched = ()) -> tuple[bool, Matched]:
        """Return whether a path is left out, and what its folder's entries are judged by.

        Args:
            path: relative to the context, with slashes.
            above: what this gave for its folder; empty at the top.
        """
        out, matched = False, []
        for number, pattern in enumerate(self.patterns):
            match = bool(above) and above[number]
            if not match and pattern.exception == out:
                match = pattern.matches(path)
            matched.append(match)
            if match:
                out = not pattern.exception
        return out, tuple(matched)

    def leaves_out(self, path: str) -> bool:
        """Return whether a path is left out, whether or not there is such a file."""
        matched: Matched = ()
        out = False
        for end in _ends(path):
            out, matched = self.judge(path[:end], matched)
        return out

    def may_hold(self, folder: str) -> bool:
        """Return whether something below a folder that is left out may be taken all the same."""
        inside = f"{folder}/"
        return any(
            literal.startswith(inside) or inside.startswith(literal) for literal in self._exceptions
        )


def parse(content: bytes) -> Ignore:
    """Return the rules of an ignore file."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    lines = (line for line in text.split("\n") if not line.startswith("#"))
    return Ignore(tuple(_patterns(lines)))


def ignore_file(dockerfile: Path, context: Path) -> Path | None:
    """Return the ignore file of a context: the Dockerfile's own before the context's."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    candidates = (own, context / ".dockerignore")
    return next((path for path in candidates if path.is_file()), None)


def _patterns(lines: Iterable[str]) -> Iterator[Pattern]:
    for line in lines:
        written = line.strip(_SPACE)
        exception = written.startswith("!")
        cleaned = _clean(written.removeprefix("!").strip(_SPACE))
        if cleaned:
            yield Pattern(cleaned, exception)


def _clean(written: str) -> str:
    """Return a path in its shortest form, without a slash at its beginning."""
    if not written:
        return ""
    # Two slashes at the beginning mean something of their own to `normpath`, and not to Go.
    cleaned = posixpath.normpath(re.sub(r"^/+", "/", written))
    return cleaned[1:] if len(cleaned) > 1 and cleaned[0] == "/" else cleaned


def _translated(text: str) -> tuple[str, str]:
    """Return how a pattern is matched, and the regular expression for where it is by one."""
    kind, parts, index = "exact", list[str](), 0
    while index < len(text):
        letter, first = text[index], index == 0
        index += 1
        if letter == "*" and text[index : index + 1] == "*":
            index += 2 if text[index + 1 : index + 2] == "/" else 1
            if index < len(text):
                parts.append("(?:.*/)?")
                kind = "regex"
            elif kind == "exact":
                kind = "prefix"
            else:
                parts.append(".*")
                kind = "regex"
            kind = "suffix" if first else kind
        elif letter in "*?":
            parts.append("[^/]*" if letter == "*" else "[^/]")
            kind = "regex"
        elif letter == "\\" and index < len(text):
            parts.append(_escaped(text[index]))
            index += 1
            kind = "regex"
        elif letter in "[]":
            parts.append(letter)
            kind = "regex"
        else:
            parts.append(f"\\{letter}" if letter in _SPECIAL or letter == "\\" else letter)
    return kind, "".join(parts)


def _escaped(letter: str) -> str:
    return f"\\{letter}" if not letter.isalnum() else re.escape(letter)


def _ends(path: str) -> Sequence[int]:
    return [index for index, letter in enumerate(path) if letter == "/"] + [len(path)]
