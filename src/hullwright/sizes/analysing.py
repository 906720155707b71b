"""From layers to what an image holds: what is seen, whose it is, and what is wasted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.sizes import wasted
from hullwright.sizes.contents import Contents
from hullwright.sizes.overlay import applied
from hullwright.sizes.packages import attributed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.sizes.overlay import Overlay
    from hullwright.tools.layers import LayerContent


def analysed(layers: Sequence[LayerContent]) -> tuple[Overlay, Contents]:
    """Return an image's layers applied one over another, and what follows of their files."""
    overlay = applied(layers)
    seen, packages = attributed(overlay.seen, layers)
    waste = wasted.ordered((*wasted.noted(overlay.waste, layers), *wasted.found(seen, layers)))
    return overlay, Contents(seen, packages, waste)
