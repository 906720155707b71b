"""The search itself: many patterns over a stream of bytes, at the speed of one hash look-up.

A regular expression of a few hundred alternatives runs at 25 MB a second, and one search for each
at 70 MB divided by their number. Here every eighth byte position is looked at once: the four bytes
there are a number, and any occurrence of eleven bytes or more covers one such number wholly, so a
set of the numbers that the patterns have at eight neighbouring places tells where it is worth
comparing. That is one call into the interpreter's set for each 64 KiB.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from itertools import compress, count, pairwise
from typing import TYPE_CHECKING, Final

from hullwright.scan.needles import squeezed
from hullwright.secret import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullwright.scan.needles import Needle

_GRAM: Final = 4
# Places that are looked at, in words of four bytes, for long patterns and for short ones.
_WIDE: Final = 2
_NARROW: Final = 1
_BLOCK_WORDS: Final = 8192
# So many searches of one pattern each take as long as looking at every word.
_FEW: Final = 12
_KINDS: Final = (str.isdigit, str.isupper, str.islower)


@dataclass(frozen=True, slots=True)
class _Look:
    """Where a number points at: a piece of a needle, and how far into the piece it stands."""

    needle: Needle
    anchor: bytes
    at: int


class Haystack:
    """Finds needles in bytes; made once, used for everything that is searched."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.needles = tuple(needles)
        self.reach = max((needle.reach for needle in self.needles), default=0)
        self._looks: dict[int, dict[int, list[_Look]]] = {}
        pieces = [(needle, anchor) for needle in self.needles for anchor in needle.anchors]
        short = [_Look(*piece, 0) for piece in pieces if len(piece[1]) < _window(_WIDE)]
        # One after the other they are found faster, as long as they are few.
        self._few = [
            look for look in short if len(short) <= _FEW or len(look.anchor) < _window(_NARROW)
        ]
        searched = {look.anchor for look in self._few}
        for needle, anchor in pieces:
            if anchor not in searched:
                self._add(needle, anchor)
        # A set is asked in half the time that the keys of a dictionary take.
        self._numbers = {stride: frozenset(looks) for stride, looks in self._looks.items()}

    def search(self, data: bytes) -> set[Needle]:
        """Return the needles that lie wholly in `data`."""
        found = {look.needle for look in self._few if _holds(data, look)}
        words = memoryview(data)[: len(data) // _GRAM * _GRAM].cast("I")
        for stride, looks in self._looks.items():
            seen, numbers = words[::stride], self._numbers[stride]
            for start in range(0, len(seen), _BLOCK_WORDS):
                block = seen[start : start + _BLOCK_WORDS]
                if not numbers.isdisjoint(block):
                    found.update(self._compared(data, looks, block, start, stride))
        return found

    def masked(self, text: str) -> str:
        """Return a text, such as a file's name, in which no needle lies."""
        data = text.encode("utf-8", "surrogateescape")
        for needle in sorted(self.needles, key=lambda needle: len(needle.whole), reverse=True):
            data = data.replace(needle.whole, MASK.encode())
        return data.decode("utf-8", "replace")

    def _compared(
        self,
        data: bytes,
        looks: dict[int, list[_Look]],
        block: memoryview[int],
        start: int,
        stride: int,
    ) -> Iterator[Needle]:
        for index in compress(count(), map(looks.__contains__, block)):
            place = (start + index) * stride * _GRAM
            for look in looks[block[index]]:
                begin = place - look.at
                if begin >= 0 and data.startswith(look.anchor, begin) and _whole(data, look, begin):
                    yield look.needle

    def _add(self, needle: Needle, anchor: bytes) -> None:
        stride = _WIDE if len(anchor) >= _window(_WIDE) else _NARROW
        first = _rarest(anchor, _window(stride))
        looks = self._looks.setdefault(stride, {})
        for at in range(first, first + stride * _GRAM):
            number = int.from_bytes(anchor[at : at + _GRAM], sys.byteorder)
            looks.setdefault(number, []).append(_Look(needle, anchor, at))


@dataclass
class Stream:
    """Searches bytes that come in pieces, across the borders of the pieces too."""

    haystack: Haystack
    found: set[Needle] = field(default_factory=set)
    searched_bytes: int = 0
    _end: bytes = b""

    def feed(self, piece: bytes) -> None:
        """Search the next piece."""
        if not piece:
            return
        self.searched_bytes += len(piece)
        data = self._end + piece if self._end else piece
        self.found |= self.haystack.search(data)
        reach = self.haystack.reach
        self._end = data[-reach:] if reach else b""


def _window(stride: int) -> int:
    """Return the shortest piece that holds, wherever it lies, a word that is looked at."""
    return _GRAM + stride * _GRAM - 1


def _holds(data: bytes, look: _Look) -> bool:
    begin = data.find(look.anchor)
    while begin >= 0 and not _whole(data, look, begin):
        begin = data.find(look.anchor, begin + 1)
    return begin >= 0


def _whole(data: bytes, look: _Look, begin: int) -> bool:
    if not look.needle.loose:
        return True
    around = data[max(0, begin - look.needle.reach) : begin + look.needle.reach]
    return look.needle.whole in squeezed(around)


def _rarest(anchor: bytes, window: int) -> int:
    """Return where the piece begins that looks least like a word, which would be met everywhere."""
    kinds = [_kind(chr(byte)) for byte in anchor]
    changes = [one != other for one, other in pairwise(kinds)]
    starts = range(len(anchor) - window + 1)
    return max(starts, key=lambda start: sum(changes[start : start + window - 1]))


def _kind(character: str) -> int:
    return next((number for number, holds in enumerate(_KINDS) if holds(character)), len(_KINDS))
