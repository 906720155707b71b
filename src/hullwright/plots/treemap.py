"""A treemap: what something consists of, each part as large as its share, folders in folders.

Places across are percentages and heights are pixels, as in lanes: the picture follows the window
without a script, and its letters keep their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hullwright.plots.markup import Markup, element, escaped
from hullwright.plots.squares import Box, shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# How a part looks; what it means is told by the legend.
Hue = Literal["blue", "green", "orange", "purple", "red", "yellow", "teal", "grey"]

# The width that labels are fitted to; a narrower window cuts them off.
_WIDTH: Final = 1120.0
_HEIGHT: Final = 560.0
_HEAD: Final = 17.0
_EDGE: Final = 2.0
# A folder of less room than this is one part.
_NESTED_WIDTH: Final = 56.0
_NESTED_HEIGHT: Final = 44.0
# What has less room cannot be pointed at, and is gathered with its like.
_LEAST_AREA: Final = 24.0
_LETTER: Final = 6.7
_LABEL_HEIGHT: Final = 15.0
_LEAST_LETTERS: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the whole: a folder of further parts, or something that has none.

    Attributes:
        name: its label.
        weight: how large it is; that of a folder is what its parts add up to.
        told: the weight with its unit.
        hue: how it looks; of a folder, where it is too small for its parts to be shown.
        pale: whether it is drawn paler.
        parts: the largest first.
        detail: what else is told of it when it is pointed at, lines.
    """

    name: str
    weight: float
    told: str
    hue: Hue = "grey"
    pale: bool = False
    parts: tuple[Part, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Treemap:
    """A figure of parts.

    Attributes:
        title: of the figure.
        parts: of the whole, the largest first.
        legend: what each hue means here; `pale` too.
        note: how it is meant; below the title.
    """

    title: str
    parts: tuple[Part, ...]
    legend: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def markup(self) -> Markup:
        """Return the figure: legend, and a picture in which each part tells of itself."""
        drawn = _drawn(self.parts, Box(0, 0, _WIDTH, _HEIGHT), "")
        note = [element("p", escaped(self.note), of={"class": "note"})] if self.note else []
        return element(
            "figure",
            element("figcaption", escaped(self.title)),
            *note,
            _legend(self.legend),
            element(
                "svg",
                *drawn,
                of={
                    "class": "treemap",
                    "role": "img",
                    "aria-label": self.title,
                    "width": "100%",
                    "height": f"{_HEIGHT:g}",
                },
            ),
        )


def leading(parts: Sequence[Part]) -> tuple[Hue, bool]:
    """Return the look that most of the weight of some parts has: hue, and whether it is pale."""
    weights: dict[tuple[Hue, bool], float] = {}
    for part in parts:
        look = part.hue, part.pale
        weights[look] = weights.get(look, 0) + part.weight
    return max(weights, key=lambda look: weights[look], default=("grey", False))


def _legend(legend: Sequence[tuple[str, str]]) -> Markup:
    keys = [
        element("li", element("i", of={"class": f"key tile {hue}"}), escaped(text))
        for hue, text in legend
    ]
    return element("ul", *keys, of={"class": "legend"})


def _drawn(parts: Sequence[Part], box: Box, above: str) -> Iterator[Markup]:
    whole = sum(part.weight for part in parts)
    if not whole:
        return
    shown = _gathered(parts, _LEAST_AREA * whole / box.area)
    for part, its in zip(shown, shared([part.weight for part in shown], box), strict=True):
        path = f"{above}/{part.name}" if above else part.name
        if part.parts and its.width >= _NESTED_WIDTH and its.height >= _NESTED_HEIGHT:
            yield _folder(part, its, path)
            inner = Box(
                its.x + _EDGE,
                its.y + _HEAD,
                its.width - 2 * _EDGE,
                its.height - _HEAD - _EDGE,
            )
            yield from _drawn(part.parts, inner, path)
        else:
            yield _tile(part, its, path)


def _gathered(parts: Sequence[Part], least: float) -> list[Part]:
    """Return the parts, the largest first; those of less than `least` become one."""
    kept = [part for part in parts if part.weight >= least]
    small = [part for part in parts if 0 < part.weight < least]
    if len(small) > 1:
        weight = sum(part.weight for part in small)
        hue, pale = leading(small)
        small = [Part(f"{len(small)} smaller ones", weight, "", hue, pale)]
    return sorted(kept + small, key=lambda part: -part.weight)


def _folder(part: Part, box: Box, path: str) -> Markup:
    label = _fitting(part.name, part.told, box.width - 8)
    letters = element("text", escaped(label), of={"x": "5", "y": "12.5"})
    frame = element("rect", of={"class": "folder", **_place(box)})
    head = element("svg", letters, of={**_place(Box(box.x, box.y, box.width, _HEAD))})
    return element("g", _title(part, path), frame, head)


def _tile(part: Part, box: Box, path: str) -> Markup:
    classes = " ".join(["tile", part.hue, *(["pale"] if part.pale else [])])
    shapes = [element("rect", of={"class": classes, **_place(box)})]
    label = _fitting(part.name, "", box.width - 8) if box.height >= _LABEL_HEIGHT else ""
    if label:
        lines = [element("text", escaped(label), of={"x": "4", "y": "12"})]
        if part.told and box.height >= 2 * _LABEL_HEIGHT and _fits(part.told, box.width - 8):
            lines.append(
                element("text", escaped(part.told), of={"class": "told", "x": "4", "y": "26"})
            )
        # A picture in the picture cuts off what has no room in a narrower window.
        shapes.append(element("svg", *lines, of={**_place(box)}))
    return element("g", _title(part, path), *shapes)


def _title(part: Part, path: str) -> Markup:
    return element("title", escaped("\n".join(t for t in (path, part.told, part.detail) if t)))


def _fits(text: str, width: float) -> bool:
    return len(text) * _LETTER <= width


def _fitting(name: str, told: str, width: float) -> str:
    """Return the label that has room: name and weight, the name, its beginning, or nothing."""
    both = f"{name}  {told}" if told else name
    if _fits(both, width):
        return both
    if _fits(name, width):
        return name
    letters = int(width / _LETTER) - 1
    return f"{name[:letters]}…" if letters >= _LEAST_LETTERS else ""


def _place(box: Box) -> dict[str, str]:
    return {
        "x": f"{100 * box.x / _WIDTH:.3f}%",
        "y": f"{box.y:.2f}",
        "width": f"{100 * box.width / _WIDTH:.3f}%",
        "height": f"{max(box.height, 0):.2f}",
    }
