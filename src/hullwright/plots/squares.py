"""How an area is shared out: each part gets its share, in a shape as near to a square as it goes.

This is the squarified treemap of Bruls, Huizing and van Wijk (2000): rows are laid along the
shorter side of what is left, and a row takes parts for as long as its worst shape gets better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its upper left corner, its width and its height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """What it covers."""
        return self.width * self.height


def shared(weights: Sequence[float], box: Box) -> tuple[Box, ...]:
    """Return a box for each weight, in their order: they fill `box`, and none overlaps another.

    Args:
        weights: more than 0, the largest first, for the shapes to be good.
        box: what is shared out.
    """
    total = sum(weights)
    if not total:
        return ()
    areas = [weight / total * box.area for weight in weights]
    boxes: list[Box] = []
    while len(boxes) < len(areas):
        row = _row(areas, len(boxes), min(box.width, box.height))
        is_last = len(boxes) + len(row) == len(areas)
        laid, box = _laid(row, box, is_last=is_last)
        boxes += laid
    return tuple(boxes)


def _row(areas: Sequence[float], start: int, side: float) -> Sequence[float]:
    """Return the areas that go into the next row along a side."""
    total = largest = areas[start]
    worst = _worst(total, largest, areas[start], side)
    for end in range(start + 1, len(areas)):
        total += areas[end]
        largest = max(largest, areas[end])
        longer = _worst(total, largest, min(areas[start], areas[end]), side)
        if longer > worst:
            return areas[start:end]
        worst = longer
    return areas[start:]


def _worst(total: float, largest: float, smallest: float, side: float) -> float:
    """Return the ratio of sides of a row's least square part; 1 is a square."""
    thickness = total / side if side else 0.0
    if not thickness or not smallest:
        return float("inf")
    return max(largest / thickness**2, thickness**2 / smallest)


def _laid(row: Sequence[float], box: Box, *, is_last: bool) -> tuple[list[Box], Box]:
    """Return a row's boxes along the shorter side of a box, and what is left of that."""
    upright = box.width >= box.height
    side, depth = (box.height, box.width) if upright else (box.width, box.height)
    total = sum(row)
    # The last row ends where the box does, however the figures were rounded.
    thickness = depth if is_last or not side else min(depth, total / side)
    boxes = []
    at = 0.0
    for i, area in enumerate(row):
        length = side - at if i == len(row) - 1 else side * area / total if total else 0.0
        boxes.append(
            Box(box.x, box.y + at, thickness, length)
            if upright
            else Box(box.x + at, box.y, length, thickness)
        )
        at += length
    rest = depth - thickness
    if upright:
        return boxes, Box(box.x + thickness, box.y, rest, box.height)
    return boxes, Box(box.x, box.y + thickness, box.width, rest)
