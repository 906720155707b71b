"""Dotenv files: `NAME=value` lines as Compose reads them.

What is written stands in double quotes, with backslashes, quotes, dollar signs, line ends and
tabs escaped: the one form that Compose gives back byte for byte for every text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT: Final = re.compile(
    r"[ \t]*(?P<off>#[ \t]?)?(?P<export>export[ \t]+)?"
    rf"(?P<name>{NAME.pattern})[ \t]*=[ \t]*(?P<rest>.*)"
)
_QUOTED: Final = re.compile(r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)')""", re.DOTALL)
_ESCAPES: Final = str.maketrans(
    {"\\": r"\\", '"': r"\"", "$": r"\$", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One variable of a file.

    Attributes:
        name: its name.
        value: what stands after `=`, without quotes and comment; escapes are left as they are.
        commented: whether it only stands there as a comment, to tell of an optional variable.
        start: offset of its line in the text.
        span: where its value stands in the text, quotes included.
    """

    name: str
    value: str
    commented: bool
    start: int
    span: tuple[int, int]


def line(name: str, value: str) -> str:
    """Return the line of one variable; the value must not contain NUL, which no file can say."""
    return f'{name}="{value.translate(_ESCAPES)}"'


def entries(text: str) -> Iterator[Entry]:
    """Yield the variables of a file in their order; a quoted value may go over several lines."""
    at = 0
    while at < len(text):
        end = _line_end(text, at)
        match = _ASSIGNMENT.match(text, at, end)
        if match:
            value, span = _value(text, match.start("rest"), end)
            commented = match["off"] is not None
            yield Entry(match["name"], value, commented, at, span)
            # Only a live value can go over several lines: a comment ends with its line.
            end = end if commented else _line_end(text, span[1])
        at = end + 1


def variable_name(path: tuple[str, ...]) -> str:
    """Return the name of a value in a tree: `db.password` becomes `DB_PASSWORD`.

    A top-level key that is a name already stays as it is written.
    """
    if len(path) == 1 and NAME.fullmatch(path[0]):
        return path[0]
    return re.sub(r"[^A-Z0-9_]", "_", "_".join(path).upper())


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _value(text: str, start: int, end: int) -> tuple[str, tuple[int, int]]:
    quoted = _QUOTED.match(text, start)
    if quoted:
        inside = quoted["double"] if quoted["double"] is not None else quoted["single"]
        return inside, quoted.span()
    bare = re.split(r"(?:^|[ \t])#", text[start:end], maxsplit=1)[0].rstrip()
    return bare, (start, start + len(bare))
