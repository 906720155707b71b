"""Treemaps and trends: shares add up, nothing overlaps, what has no room is gathered."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.images import size_text
from hullwright.plots.page import Page, html
from hullwright.plots.squares import Box, shared
from hullwright.plots.treemap import Part, Treemap
from hullwright.plots.trend import Limit, Line, Run, Trend, axis

HOSTILE = "<script>alert('x')</script>"
weights = st.lists(st.integers(1, 10**9), min_size=1, max_size=40).map(
    lambda found: sorted(found, reverse=True)
)
sides = st.floats(min_value=1, max_value=5000)


def overlap(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(width, 0) * max(height, 0)


@given(weights, sides, sides)
def test_each_part_gets_its_share(found: list[int], width: float, height: float) -> None:
    whole = Box(3, 5, width, height)
    boxes = shared(found, whole)
    assert len(boxes) == len(found)
    for weight, box in zip(found, boxes, strict=True):
        expected = weight / sum(found) * whole.area
        assert box.area == pytest.approx(expected, rel=1e-3, abs=whole.area * 1e-6)


@given(weights, sides, sides)
def test_parts_fill_the_box_and_none_overlaps(
    found: list[int], width: float, height: float
) -> None:
    whole = Box(3, 5, width, height)
    boxes = shared(found, whole)
    slack = whole.area * 1e-6
    assert sum(box.area for box in boxes) == pytest.approx(whole.area, rel=1e-6)
    assert sum(overlap(*pair) for pair in combinations(boxes, 2)) <= slack
    assert all(overlap(box, whole) == pytest.approx(box.area, abs=slack) for box in boxes)


def test_equal_parts_of_a_square_are_squares() -> None:
    assert {(box.width, box.height) for box in shared([1] * 4, Box(0, 0, 10, 10))} == {(5.0, 5.0)}


def test_nothing_gets_no_box() -> None:
    assert shared([], Box(0, 0, 10, 10)) == ()


def folder(name: str, *parts: Part) -> Part:
    weight = sum(part.weight for part in parts)
    return Part(name, weight, size_text(int(weight)), parts=parts)


def drawn(*parts: Part) -> str:
    return str(Treemap("files of shop/api:1", parts, (("blue", "programs"),), "to scale").markup())


def test_a_part_tells_its_path_and_size_when_it_is_pointed_at() -> None:
    shown = drawn(
        folder("usr", Part("ls", 9000, "9.0 kB", "blue", detail="layer 2: COPY ls /usr/")),
        Part("etc", 1000, "1.0 kB"),
    )
    assert "<title>usr/ls\n9.0 kB\nlayer 2: COPY ls /usr/</title>" in shown
    assert ">usr  9.0 kB</text>" in shown
    assert 'class="tile blue"' in shown


def test_what_cannot_be_pointed_at_is_gathered() -> None:
    shown = drawn(Part("large", 10**9, "1.0 GB"), *(Part(f"f{i}", 1, "1 B") for i in range(5000)))
    assert shown.count("<rect") == 2
    assert "5000 smaller ones" in shown


def test_a_label_without_room_is_cut_or_left_out() -> None:
    shown = drawn(*(Part("a-very-long-name-of-a-file" * 4, 1, "1 B") for _ in range(300)))
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", shown)
    assert labels
    assert all(label.endswith("…") or label == "1 B" for label in labels)


def test_an_empty_image_is_an_empty_picture() -> None:
    assert "<rect" not in drawn()


def test_what_names_say_stays_text() -> None:
    shown = html(Page("page", figures=(Treemap("map", (Part(HOSTILE, 1, "1 B"),)),)))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_an_axis_holds_what_it_is_made_for_in_few_steps(one: float, other: float) -> None:
    least, most = sorted((one, other))
    steps = axis(least, most)
    assert 2 <= len(steps) <= 9
    assert steps[0] <= least + 1e-6 * most
    assert steps[-1] >= most * (1 - 1e-6)
    assert steps == tuple(sorted(set(steps)))


def trend(*values: float | None, limits: tuple[Limit, ...] = ()) -> str:
    runs = tuple(Run(f"1.{i}", "done", failed=i == 1) for i in range(len(values)))
    line = Line("unpacked", values)
    return str(Trend("api", runs, (line,), lambda value: size_text(round(value)), limits).markup())


def test_each_run_is_a_point_that_tells_its_figure() -> None:
    shown = trend(1_000_000, 2_000_000, 1_500_000)
    assert shown.count('class="dot circle') == 4  # three and the legend's
    assert shown.count('class="line circle"') == 3  # two and the legend's
    assert "<title>unpacked 2.0 MB\n1.1\ndone</title>" in shown
    assert 'class="dot circle failed"' in shown


def test_a_run_without_a_figure_leaves_a_gap() -> None:
    shown = trend(1_000_000, None, 1_500_000)
    assert shown.count('class="dot circle') == 3
    assert shown.count('class="line circle"') == 1


def test_long_names_of_runs_stand_apart() -> None:
    line = Line("unpacked", (1,) * 7)
    told = []
    for name in ("1.{}", "0.0.0-0.dev.43{}"):
        runs = tuple(Run(name.format(i)) for i in range(7))
        shown = str(Trend("api", runs, (line,), str).markup())
        told.append(re.findall(r'text-anchor="\w+">([^<]*)</text>', shown[shown.index("runs") :]))
    assert len(told[0]) == 7
    assert told[1] == [f"0.0.0-0.dev.43{i}" for i in (0, 2, 4, 6)]


def test_a_near_limit_is_drawn_and_a_far_one_told() -> None:
    shown = trend(
        1_000_000,
        limits=(Limit("soft", 1_200_000, "soft"), Limit("hard", 9_000_000)),
    )
    assert '<line class="limit soft"' in shown
    assert '<line class="limit hard"' not in shown
    assert "beyond the picture: hard 9.0 MB" in shown


def test_an_axis_that_does_not_begin_at_zero_says_so() -> None:
    assert "the axis begins at 199.0 MB" in trend(199_000_000, 201_000_000)
    assert "the axis begins at" not in trend(1_000_000, 201_000_000)


def test_no_runs_are_no_failure() -> None:
    assert "<figure>" in trend()
