"""A page of figures as one HTML file that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.plots.chartstyle import CHARTS
from hullwright.plots.markup import Markup, element, escaped, joined
from hullwright.plots.style import PATTERNS, STYLE

if TYPE_CHECKING:
    from hullwright.plots.markup import Figure

# Whoever opens a page from a CI job's files need not trust what stands in it: nothing is loaded,
# and no script runs.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows.

    Attributes:
        title: its heading.
        facts: what stands below it, name and value.
        figures: from top to bottom.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    figures: tuple[Figure, ...] = ()


def html(page: Page) -> str:
    """Return the whole document of a page; it ends with a line end."""
    facts = [
        element("div", element("dt", escaped(name)), element("dd", escaped(value)))
        for name, value in page.facts
    ]
    head = joined(
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        element("title", escaped(page.title)),
        element("style", Markup(STYLE + CHARTS)),
    )
    body = joined(
        Markup(PATTERNS),
        element("h1", escaped(page.title)),
        *([element("dl", *facts)] if facts else []),
        *(figure.markup() for figure in page.figures),
    )
    main = element("main", Markup(f"\n{body}\n"))
    shown = joined(element("head", Markup(f"\n{head}\n")), element("body", Markup(f"\n{main}\n")))
    return f'<!doctype html>\n<html lang="en">\n{shown}\n</html>\n'
