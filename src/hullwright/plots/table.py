"""A table as a figure: what a picture shows, in words and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.plots.markup import Markup, element, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a header; columns in which no row says anything are left out.

    Attributes:
        title: what it lists.
        header: names of the columns.
        rows: cells as text.
        right: columns of figures, which end together.
        note: what is left out, or how it is meant; below the title.
        folded: whether it is opened by a click; what is printed is open.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    note: str = ""
    folded: bool = False

    def markup(self) -> Markup:
        """Return the table in a block that scrolls by itself where the window is narrow."""
        said = [i for i in range(len(self.header)) if any(row[i] for row in self.rows)]
        head = element("thead", self._row("th", self.header, said))
        body = element("tbody", *(self._row("td", row, said) for row in self.rows))
        scrolled = element("div", element("table", head, body), of={"class": "scroll"})
        note = [element("p", escaped(self.note), of={"class": "note"})] if self.note else []
        if self.folded:
            title = element("summary", element("h2", escaped(self.title)))
            return element("section", element("details", title, *note, scrolled))
        return element("section", element("h2", escaped(self.title)), *note, scrolled)

    def _row(self, cell: str, texts: tuple[str, ...], said: Sequence[int]) -> Markup:
        scope = {"scope": "col"} if cell == "th" else {}
        return element(
            "tr",
            *(
                element(
                    cell, escaped(texts[i]), of=scope | ({"class": "r"} if i in self.right else {})
                )
                for i in said
            ),
        )
