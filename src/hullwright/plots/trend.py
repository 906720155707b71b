"""A trend: figures over runs, one after the other, with what limits them.

Runs stand at even distances, for what matters is which of them changed a figure. Places across
are percentages and heights are pixels: no script is needed, and letters keep their size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from hullwright.plots.markup import Markup, element, escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# How points look: told apart by shape as well as by colour.
Mark = Literal["circle", "square", "diamond"]

_HEIGHT: Final = 240.0
_TOP: Final = 12.0
_BOTTOM: Final = 10.0
_MOST_STEPS: Final = 6
_MOST_LABELS: Final = 7
# Letters that stand below the axis of a narrow page.
_LABEL_LETTERS: Final = 100
# Points do not stand on the frame.
_SIDE: Final = 3.0
# Where figures hardly differ the axis does not begin at 0, or nothing would be seen.
_CLOSE: Final = 0.5
# A limit beyond so many times of what was measured is told, and not drawn.
_FAR: Final = 1.6
_LEAST: Final = 1e-3
_DASHES: Final = {"soft": "2 4", "hard": "8 4"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when it was, in short, and what is told of it when it is pointed at."""

    label: str
    detail: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of every run; None where a run has none, which leaves a gap."""

    name: str
    values: tuple[float | None, ...]
    mark: Mark = "circle"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure is to stay below; of kind `soft` or `hard`."""

    name: str
    value: float
    kind: Literal["soft", "hard"] = "hard"


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure of lines.

    Attributes:
        title: of the figure.
        runs: the oldest first.
        lines: a value for each run.
        text: writes a value with its unit.
        limits: drawn across.
    """

    title: str
    runs: tuple[Run, ...]
    lines: tuple[Line, ...]
    text: Callable[[float], str]
    limits: tuple[Limit, ...] = ()

    def markup(self) -> Markup:
        """Return the figure: legend, the axis of figures, the picture, the runs below it."""
        known = [value for line in self.lines for value in line.values if value is not None]
        top = max(known, default=0.0)
        near = tuple(limit for limit in self.limits if limit.value <= top * _FAR)
        far = tuple(limit for limit in self.limits if limit not in near)
        steps = axis(min(known, default=0.0), max([top, *(limit.value for limit in near)]))
        note = "; ".join(f"{limit.name} {self.text(limit.value)}" for limit in far)
        notes = [f"the axis begins at {self.text(steps[0])}"] if steps[0] else []
        notes += [f"beyond the picture: {note}"] if note else []
        told = [element("p", escaped(" · ".join(notes)), of={"class": "note"})] if notes else []
        return element(
            "figure",
            element("figcaption", escaped(self.title)),
            *told,
            self._legend(near),
            element("div", self._figures(steps), self._picture(steps, near), of={"class": "trend"}),
            element("div", element("div"), self._labels(), of={"class": "trend"}),
        )

    def _legend(self, limits: Sequence[Limit]) -> Markup:
        keys = [
            element("li", _key(line), escaped(f"{line.name}{self._last(line)}"))
            for line in self.lines
        ]
        keys += [
            element(
                "li",
                element("i", of={"class": f"key limit {limit.kind}"}),
                escaped(f"{limit.name} {self.text(limit.value)}"),
            )
            for limit in limits
        ]
        return element("ul", *keys, of={"class": "legend"})

    def _last(self, line: Line) -> str:
        known = [value for value in line.values if value is not None]
        return f" {self.text(known[-1])}" if known else ""

    def _figures(self, steps: Sequence[float]) -> Markup:
        marks = [
            element("text", escaped(self.text(step)), of={"x": "100%", "y": f"{_y(step, steps):g}"})
            for step in steps
        ]
        of = {"class": "figures", "aria-hidden": "true", "width": "100%", "height": f"{_HEIGHT:g}"}
        return element("svg", *marks, of=of)

    def _picture(self, steps: Sequence[float], limits: Sequence[Limit]) -> Markup:
        grid = [
            element("line", of={"class": "grid", "x1": "0", "x2": "100%", **_level(step, steps)})
            for step in steps
        ]
        drawn = [
            element(
                "line",
                element("title", escaped(f"{limit.name} {self.text(limit.value)}")),
                of={
                    "class": f"limit {limit.kind}",
                    "x1": "0",
                    "x2": "100%",
                    "stroke-dasharray": _DASHES[limit.kind],
                    **_level(limit.value, steps),
                },
            )
            for limit in limits
        ]
        lines = [shape for line in self.lines for shape in self._line(line, steps)]
        of = {"role": "img", "aria-label": self.title, "width": "100%", "height": f"{_HEIGHT:g}"}
        return element("svg", *grid, *drawn, *lines, of=of)

    def _line(self, line: Line, steps: Sequence[float]) -> Iterator[Markup]:
        places = [
            (i, self._x(i), _y(value, steps), value)
            for i, value in enumerate(line.values)
            if value is not None
        ]
        for (i, x, y, _), (j, to_x, to_y, _) in pairwise(places):
            if j == i + 1:
                ends = {"x1": x, "y1": f"{y:.1f}", "x2": to_x, "y2": f"{to_y:.1f}"}
                yield element("line", of={"class": f"line {line.mark}", **ends})
        for i, x, y, value in places:
            run = self.runs[i]
            told = "\n".join(
                part for part in (f"{line.name} {self.text(value)}", run.label, run.detail) if part
            )
            classes = f"dot {line.mark}{' failed' if run.failed else ''}"
            of = {"class": classes, "x": x, "y": f"{y:.1f}", "overflow": "visible"}
            yield element("svg", element("title", escaped(told)), _shape(line.mark), of=of)

    def _labels(self) -> Markup:
        longest = max((len(run.label) for run in self.runs), default=0)
        # The outer ones do not stick out, so they reach half a label further to the next.
        room = 1 + int(_LABEL_LETTERS / (1.5 * longest + 1))
        every = max(1, math.ceil(len(self.runs) / min(_MOST_LABELS, room)))
        # Counted from the newest, which is the one that is asked about.
        told = [i for i in range(len(self.runs)) if (len(self.runs) - 1 - i) % every == 0]
        texts = [
            element(
                "text",
                escaped(self.runs[i].label),
                of={"x": self._x(i), "y": "12", "text-anchor": self._anchor(i)},
            )
            for i in told
        ]
        of = {"class": "runs", "aria-hidden": "true", "width": "100%", "height": "18"}
        return element("svg", *texts, of=of)

    def _x(self, run: int) -> str:
        last = len(self.runs) - 1
        share = run / last if last else 0.5
        return f"{_SIDE + (100 - 2 * _SIDE) * share:.2f}%"

    def _anchor(self, run: int) -> str:
        last = len(self.runs) - 1
        return "middle" if 0 < run < last or not last else ("start" if run == 0 else "end")


def axis(least: float, most: float) -> tuple[float, ...]:
    """Return the round marks of an axis from below `least`, or from 0, to `most` or above.

    There are two at least; where figures hardly differ they do not begin at 0.
    """
    if most < _LEAST:
        return (0.0, 1.0)
    start = least if least > most * _CLOSE else 0.0
    # Closer marks could not be told apart in their texts.
    span = max(most - start, most * _LEAST)
    power = 10.0 ** math.floor(math.log10(span / _MOST_STEPS))
    step = next(base * power for base in (1, 2, 5, 10, 20) if span / (base * power) <= _MOST_STEPS)
    first, last = math.floor(start / step), math.ceil(most / step - 1e-9)
    return tuple(step * i for i in range(first, max(last, first + 1) + 1))


def _y(value: float, steps: Sequence[float]) -> float:
    share = (value - steps[0]) / (steps[-1] - steps[0])
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _level(value: float, steps: Sequence[float]) -> dict[str, str]:
    return {"y1": f"{_y(value, steps):.1f}", "y2": f"{_y(value, steps):.1f}"}


def _shape(mark: Mark) -> Markup:
    if mark == "circle":
        return element("circle", of={"r": "4"})
    size, turn = ("7", "0") if mark == "square" else ("7.5", "45")
    half = f"-{float(size) / 2:g}"
    of = {"x": half, "y": half, "width": size, "height": size, "transform": f"rotate({turn})"}
    return element("rect", of=of)


def _key(line: Line) -> Markup:
    shape = element("svg", _shape(line.mark), of={"x": "11", "y": "7", "overflow": "visible"})
    stroke = element("line", of={"class": f"line {line.mark}", "x2": "22", "y1": "7", "y2": "7"})
    dot = element("g", stroke, element("g", shape, of={"class": f"dot {line.mark}"}))
    return element("svg", dot, of={"class": "sample", "width": "22", "height": "14"})
