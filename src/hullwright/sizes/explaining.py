"""What is said of an image beyond its figures: whose its layers are, and what would make it less.

None of it is kept with the figures: it follows from the Dockerfile as it is now, and from what the
store has of the base.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullwright.sizes.origin import marked
from hullwright.tools.layersteps import instructions

if TYPE_CHECKING:
    from hullwright.sizes.choosing import Place
    from hullwright.sizes.models import ImageSizes
    from hullwright.sizes.standing import Bases


def explained(row: ImageSizes, bases: Bases, place: Place) -> ImageSizes:
    """Return a row with each layer's step and origin, and with advice where its files are known."""
    base = bases.of(row.subject, row.figures, place)
    written = bases.written(row.subject)
    words = instructions(written.line) if written else {}
    figures = replace(row.figures, layers=marked(row.figures.layers, base.diff_ids, words))
    contents = row.contents
    if contents is not None:
        # Imported where files were looked at.
        from hullwright.sizes.advice import given

        contents = replace(contents, advice=given(figures.layers, contents, written))
    return replace(row, figures=figures, contents=contents, origin_problem=base.problem)
