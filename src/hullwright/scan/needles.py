"""What is searched for: each secret value in each form in which it could lie somewhere."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from hullwright.secret import MASK
from hullwright.tools import dotenv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullwright.secret import Secret

# Shorter values would be found by chance in any image.
SHORTEST: Final = 6
# Of a longer value its middle is searched for: files begin and end in ways that many share.
_LONGEST: Final = 2048
# A form that is broken into lines is found by one of its halves, which must be long enough.
_SHORTEST_HALF: Final = 7
_LONGEST_PIECE: Final = 32
_BLANK: Final = b" \t\r\n"
# The first characters of base64 that depend on the value alone, by how many bytes stand before it.
_FIRST_SURE: Final = (0, 2, 3)
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
# What encodeURIComponent of JavaScript leaves as it is, and Python does not.
_SCRIPT_SAFE: Final = "!~*'()"


@dataclass(frozen=True, slots=True)
class Needle:
    """One form of one value.

    Attributes:
        keys: names of the secrets that have this value.
        encoding: the form, as it is told.
        whole: its bytes; without blanks and line ends where `loose`.
        anchors: pieces of `whole`; where it lies, one of them lies unbroken.
        loose: whether blanks and line ends may stand in between, as in wrapped base64.
    """

    keys: str
    encoding: str
    whole: bytes
    anchors: tuple[bytes, ...]
    loose: bool = False

    def __repr__(self) -> str:
        return f"Needle({self.keys!r}, {self.encoding!r}, {MASK})"

    @property
    def reach(self) -> int:
        """How many bytes it may take up at most, as far as it is recognised."""
        return len(self.whole) * (2 if self.loose else 1)


def needles(values: Mapping[str, Secret]) -> tuple[Needle, ...]:
    """Return every form of the values that are long enough; the same bytes are there once.

    Args:
        values: by the name under which each is told of.
    """
    found: dict[tuple[bytes, bool], Needle] = {}
    for value, keys in _by_value(values).items():
        for encoding, whole, loose in _forms(value):
            anchors = _anchors(whole, value) if loose else (whole,)
            if anchors:
                needle = Needle(keys, encoding, whole, anchors, loose)
                found.setdefault((whole, loose), needle)
    return tuple(found.values())


def too_short(values: Mapping[str, Secret]) -> tuple[str, ...]:
    """Return the names of those whose values are not searched for."""
    return tuple(name for name, value in values.items() if len(value.reveal().strip()) < SHORTEST)


def squeezed(data: bytes) -> bytes:
    """Return bytes without blanks and line ends."""
    return data.translate(None, _BLANK)


def _by_value(values: Mapping[str, Secret]) -> dict[str, str]:
    """Return the names of each value; blanks around a value do not count."""
    named: dict[str, list[str]] = {}
    for name, value in values.items():
        text = value.reveal().strip()
        if len(text) >= SHORTEST:
            named.setdefault(_middle(text), []).append(name)
    return {text: ", ".join(names) for text, names in named.items()}


def _middle(text: str) -> str:
    start = max(0, (len(text) - _LONGEST) // 2)
    return text[start : start + _LONGEST]


def _forms(value: str) -> Iterator[tuple[str, bytes, bool]]:
    raw = value.encode("utf-8", "surrogateescape")
    yield "as it is", raw, False
    if any(blank in raw for blank in (b"\n", b"\r")):
        yield "as it is", squeezed(raw), True
    yield from (
        ("escaped", form.encode("utf-8", "surrogateescape"), False) for form in _escaped(value)
    )
    yield from (("URL-encoded", form.encode(), False) for form in _url_encoded(raw))
    for digits in (raw.hex(), raw.hex().upper()):
        yield "hexadecimal", digits.encode(), _breakable(digits.encode())
    for form in _base64(raw):
        yield "base64", form, _breakable(form)
        safe = form.translate(_URL_SAFE)
        yield "URL-safe base64", safe, _breakable(safe)


def _escaped(value: str) -> Iterator[str]:
    """Yield how JSON, YAML, dotenv and compose files, and shells write it."""
    for ascii_only in (True, False):
        form = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (form, form.replace("/", "\\/"))
    yield dotenv.line("", value)[2:-1]
    yield value.replace("$", "$$")
    yield value.replace("'", "''")
    yield value.replace("'", "'\\''")


def _url_encoded(raw: bytes) -> Iterator[str]:
    for form in (quote(raw, safe=""), quote(raw), quote_plus(raw), quote(raw, safe=_SCRIPT_SAFE)):
        yield form
        # `%2F` may be written `%2f`, and only there letters are of either case.
        head, *rest = form.split("%")
        yield "%".join((head, *(part[:2].lower() + part[2:] for part in rest)))


def _base64(raw: bytes) -> Iterator[bytes]:
    """Yield what base64 of anything that holds the value has of it, wherever in it that begins."""
    for before, first in enumerate(_FIRST_SURE):
        sure = (before + len(raw)) * 8 // 6
        yield b64encode(bytes(before) + raw)[first:sure]


def _breakable(form: bytes) -> bool:
    return len(form) >= 2 * _SHORTEST_HALF


def _anchors(whole: bytes, value: str) -> tuple[bytes, ...]:
    """Return pieces of which one is unbroken where lines have 64 characters or more."""
    if whole == squeezed(value.encode("utf-8", "surrogateescape")) and len(value.split()) > 1:
        # Its own lines are what it is broken into.
        longest = max(value.split(), key=len).encode("utf-8", "surrogateescape")
        return (longest,) if len(longest) >= _SHORTEST_HALF else ()
    middle = len(whole) // 2
    return (
        whole[max(0, middle - _LONGEST_PIECE) : middle],
        whole[middle : middle + _LONGEST_PIECE],
    )
