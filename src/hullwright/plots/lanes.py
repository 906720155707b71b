"""Lanes of bars over one time axis: builds, cold starts, whatever happens beside each other.

A lane is a name and its own small SVG whose places are percentages and whose heights are pixels: so
the picture follows the width of the window without a script, and its letters keep their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hullwright.plots.axis import marks, seconds_text
from hullwright.plots.markup import Markup, element, escaped
from hullwright.plots.packing import gathered, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What a bar means is told by its legend; how it looks, by its kind, and never by colour alone.
Kind = Literal["work", "reused", "transfer", "foreign", "failed", "ended"]

# A moment within a lane: a ring and a diamond, so that they are told apart without colour.
PointKind = Literal["ring", "diamond"]

# Narrower bars cannot be told apart on a usual screen; nor does a page of tens of thousands load.
_PARTS: Final = 500
_CROWDED_PARTS: Final = 200
_CROWDED_BARS: Final = 4000
_NARROWEST: Final = 0.2
# From here on a bar has room for a few letters.
_LABELLED: Final = 0.06
_CROWDED_ROWS: Final = 90
# Height of the strip that holds points.
_POINTS: Final = 13


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that took time.

    Attributes:
        start_s, end_s: seconds on the axis.
        label: its name, which stands in the bar where there is room.
        detail: what else is told of it, lines; shown when it is pointed at.
        kind: how it looks.
        critical: whether the end depended on it.
        ready_s: since when it could have begun; None where it did not wait.
    """

    start_s: float
    end_s: float
    label: str
    detail: str = ""
    kind: Kind = "work"
    critical: bool = False
    ready_s: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """Something that happened at one moment: its seconds, what it was, and how it looks."""

    at_s: float
    label: str
    kind: PointKind = "ring"


@dataclass(frozen=True, slots=True)
class Lane:
    """Bars that belong together, and moments above them; `note` stands below the name."""

    name: str
    bars: tuple[Bar, ...]
    note: str = ""
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Lanes:
    """A figure of lanes.

    Attributes:
        lanes: from top to bottom.
        total_s: end of the axis.
        legend: what each kind means here; also of `critical`, `wait` and points.
        title: of the figure.
    """

    lanes: tuple[Lane, ...]
    total_s: float
    legend: tuple[tuple[str, str], ...] = ()
    title: str = "Timeline"

    def markup(self) -> Markup:
        """Return the figure: legend, axis, and a row for each lane."""
        crowd = sum(len(lane.bars) for lane in self.lanes) > _CROWDED_BARS
        shortest_s = self.total_s / (_CROWDED_PARTS if crowd else _PARTS)
        drawn = [rows(gathered(lane.bars, shortest_s), shortest_s) for lane in self.lanes]
        crowded = sum(1 + max((row for row, _ in bars), default=0) for bars in drawn)
        height = 9 if crowded > _CROWDED_ROWS else 17
        return element(
            "figure",
            element("figcaption", escaped(self.title)),
            _legend(self.legend),
            element(
                "div",
                _axis(self.total_s),
                *(
                    _lane(lane, bars, self.total_s, height)
                    for lane, bars in zip(self.lanes, drawn, strict=True)
                ),
                of={"class": "lanes"},
            ),
        )


def _legend(legend: Sequence[tuple[str, str]]) -> Markup:
    return element(
        "ul",
        *(
            element("li", element("i", of={"class": f"key {kind}"}), escaped(text))
            for kind, text in legend
        ),
        of={"class": "legend"},
    )


def _axis(total_s: float) -> Markup:
    drawn = [
        element(
            "span",
            escaped(mark.text),
            # Every other one goes where the window is narrow.
            of={"class": "odd" if i % 2 else "even", "style": f"left:{_part(mark.at_s, total_s)}"},
        )
        for i, mark in enumerate(marks(total_s))
    ]
    # It stands in the table below in words.
    scale = element("div", *drawn, of={"class": "scale", "aria-hidden": "true"})
    return element("div", element("div"), scale, of={"class": "lane axis"})


def _lane(lane: Lane, bars: Sequence[tuple[int, Bar]], total_s: float, height: int) -> Markup:
    pitch = height + 4
    # Points stand above the bars, where they hide no letters.
    above = _POINTS if lane.points else 2
    whole = pitch * (1 + max((row for row, _ in bars), default=0)) + above
    told = ", ".join(part for part in (lane.name, lane.note) if part)
    grid = [
        element("line", of={"class": "grid", "x1": x, "x2": x, "y2": f"{whole}"})
        for x in (_part(mark.at_s, total_s) for mark in marks(total_s))
    ]
    drawn = [_bar(bar, row * pitch + above, height, total_s) for row, bar in bars]
    picture = element(
        "svg",
        *grid,
        *drawn,
        *(_point(point, above / 2, total_s) for point in lane.points),
        of={"role": "img", "aria-label": told, "width": "100%", "height": f"{whole}"},
    )
    name = element(
        "div",
        element("b", escaped(lane.name)),
        element("small", escaped(lane.note)),
        of={"class": "name", "title": lane.name},
    )
    return element("div", name, picture, of={"class": "lane"})


def _point(point: Point, middle: float, total_s: float) -> Markup:
    """Return a point: a picture in the picture, for only its place goes with the window's width."""
    if point.kind == "diamond":
        shape = element("rect", of={"x": "-4", "y": "-4", "width": "8", "height": "8",
                                    "transform": "rotate(45)"})  # fmt: skip
    else:
        shape = element("circle", of={"r": "4"})
    title = element("title", escaped(f"{point.label}\n{seconds_text(point.at_s)}"))
    place = {"x": _part(point.at_s, total_s), "y": f"{middle:g}", "overflow": "visible"}
    return element("svg", title, shape, of={"class": f"point {point.kind}", **place})


def _bar(bar: Bar, top: int, height: int, total_s: float) -> Markup:
    """Return a bar with its waiting before it, its name in it, and its details on pointing."""
    return element("g", element("title", escaped(_title(bar))), *_shapes(bar, top, height, total_s))


def _shapes(bar: Bar, top: int, height: int, total_s: float) -> Iterator[Markup]:
    x = _part(bar.start_s, total_s)
    share = max(100 * (bar.end_s - bar.start_s) / total_s if total_s else 100.0, _NARROWEST)
    width = f"{share:.2f}%"
    if bar.ready_s is not None and bar.ready_s < bar.start_s:
        middle = f"{top + height / 2:g}"
        ends = {"x1": _part(bar.ready_s, total_s), "x2": x, "y1": middle, "y2": middle}
        yield element("line", of={"class": "wait", **ends})
    place = {"x": x, "y": f"{top}", "width": width, "height": f"{height}"}
    yield element("rect", of={"class": f"bar {bar.kind}", **place})
    if bar.critical:
        below = {"x": x, "y": f"{top + height}", "width": width, "height": "3"}
        yield element("rect", of={"class": "critical", **below})
    if bar.label and share >= 100 * _LABELLED and height >= 12:
        label = escaped(("✗ " if bar.kind == "failed" else "") + bar.label)
        letters = element("text", label, of={"x": "4", "y": f"{height - 4.5:g}"})
        # A picture in the picture cuts off what has no room.
        yield element("svg", letters, of={"class": f"in {bar.kind}", **place})


def _title(bar: Bar) -> str:
    took = seconds_text(bar.end_s - bar.start_s)
    when = f"{took}, from {seconds_text(bar.start_s)} to {seconds_text(bar.end_s)}"
    return "\n".join(part for part in (bar.label, when, bar.detail) if part)


def _part(at_s: float, total_s: float) -> str:
    return f"{100 * at_s / total_s if total_s else 0:.2f}%"
