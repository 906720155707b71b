"""The one way to write markup here: everything that is said is escaped, elements are nested."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final, NewType, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

# Markup that is finished; plain text becomes it by `escaped` only.
Markup = NewType("Markup", str)

# Control characters are not allowed in HTML, and those of writing direction would let a name show
# as another one; halves of surrogate pairs cannot be written as UTF-8.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Figure(Protocol):
    """What a page shows."""

    def markup(self) -> Markup: ...


def escaped(text: str) -> Markup:
    """Return text as markup that shows just that text, in elements and in attributes."""
    return Markup(html.escape(_UNPRINTABLE.sub("\ufffd", text)))


def element(name: str, *children: Markup, of: Mapping[str, str] | None = None) -> Markup:
    """Return an element of these attributes and children.

    Args:
        name: such as `rect`.
        children: what stands in it; none gives an empty element.
        of: its attributes, as text.
    """
    attributes = "".join(f' {key}="{escaped(value)}"' for key, value in (of or {}).items())
    return Markup(f"<{name}{attributes}>{''.join(children)}</{name}>")


def joined(*parts: Markup) -> Markup:
    """Return pieces of markup one after the other, a line each."""
    return Markup("\n".join(parts))
