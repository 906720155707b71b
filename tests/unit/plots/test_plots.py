"""Pictures: escaped, gathered below a pixel, packed without overlap, on a readable axis."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.plots.axis import marks, seconds_text
from hullwright.plots.lanes import Bar, Lane, Lanes, Point
from hullwright.plots.markup import element, escaped
from hullwright.plots.packing import gathered, rows
from hullwright.plots.page import Page, html
from hullwright.plots.table import Table

HOSTILE = "<script>alert('x')</script> & \"quoted\" \x1b[31mred\u202e\ud800"


@pytest.mark.parametrize(
    ("total_s", "texts"),
    [
        (0.0, ["0 s"]),
        (0.0042, ["0.000 s", "0.001 s", "0.002 s", "0.003 s", "0.004 s"]),
        (2.64, ["0.0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s", "2.5 s"]),
        (69.0, ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "1:00 min"]),
        (400.0, ["0 min", "1 min", "2 min", "3 min", "4 min", "5 min", "6 min"]),
        (11000.0, ["0 min", "30 min", "1:00 h", "1:30 h", "2:00 h", "2:30 h", "3:00 h"]),
    ],
)
def test_marks_of_an_axis_are_round_and_even(total_s: float, texts: list[str]) -> None:
    assert [mark.text for mark in marks(total_s)] == texts


@given(st.floats(min_value=0, max_value=1e8))
def test_an_axis_has_two_to_eight_marks_within_it(total_s: float) -> None:
    found = marks(total_s)
    assert found[0].at_s == 0
    assert len(found) <= 8
    assert all(mark.at_s <= total_s * (1 + 1e-6) for mark in found)
    assert len(found) >= 2 or total_s < 0.001


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "<1 ms"),
        (0.0042, "4 ms"),
        (0.99949, "999 ms"),
        (0.9996, "1.00 s"),
        (9.994, "9.99 s"),
        (12.44, "12.4 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (3720, "1 h 02 min"),
    ],
)
def test_seconds_are_written_with_the_unit_that_fits(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_whatever_is_said_is_shown_and_never_markup() -> None:
    page = html(
        Page(
            HOSTILE,
            ((HOSTILE, HOSTILE),),
            (
                Lanes((Lane(HOSTILE, (Bar(0, 9, HOSTILE, HOSTILE),), HOSTILE),), 9.0),
                Table(HOSTILE, (HOSTILE,), ((HOSTILE,),), note=HOSTILE),
            ),
        )
    )
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;quoted&quot;" in page
    assert not re.search("[\x00-\x08\x1b\u202e\ud800]", page)
    assert page.encode()


def test_attributes_cannot_be_left() -> None:
    made = element("rect", of={"title": '" onload="alert(1)'})
    assert made == '<rect title="&quot; onload=&quot;alert(1)"></rect>'
    assert escaped("a\nb") == "a\nb"


def test_what_is_below_a_pixel_is_gathered_by_kind_and_named() -> None:
    tiny = [Bar(i * 0.001, i * 0.001 + 0.0005, f"step {i}", kind="reused") for i in range(400)]
    ran = Bar(0.2, 0.2004, "RUN x", kind="work", critical=True)
    long = Bar(0.0, 3.0, "RUN y")
    kept = gathered([*tiny, ran, long], 0.5)
    assert [bar.kind for bar in kept].count("reused") == 1
    one = next(bar for bar in kept if bar.kind == "reused")
    assert one.start_s == 0.0
    assert one.end_s == pytest.approx(0.3995)
    assert one.detail.startswith("400 together, 200 ms\nstep 0\nstep 1\n")
    assert one.detail.endswith("and 392 more")
    assert ran in kept
    assert long in kept


def test_what_failed_is_never_gathered() -> None:
    bars = [Bar(0.1, 0.1001, "a"), Bar(0.1, 0.1002, "b", kind="failed"), Bar(0.1, 0.1003, "c")]
    kept = gathered(bars, 1.0)
    assert [bar.label for bar in kept if bar.kind == "failed"] == ["b"]
    assert len(kept) == 2


def test_a_gathered_bar_is_critical_where_one_of_it_is() -> None:
    bars = [Bar(0.1, 0.1001, "a"), Bar(0.1002, 0.1003, "b", critical=True)]
    assert gathered(bars, 1.0)[0].critical


spans = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 20)).map(lambda s: Bar(s[0], s[0] + s[1], "x")),
    max_size=60,
)


@given(spans)
def test_bars_of_one_row_do_not_overlap(bars: list[Bar]) -> None:
    placed = rows(gathered(bars, 0.2), 0.2)
    for row in range(23):
        own = sorted((bar for at, bar in placed if at == row), key=lambda bar: bar.start_s)
        assert all(one.end_s <= other.start_s + 1e-6 for one, other in pairwise(own))


def test_waiting_is_drawn_in_the_row_of_its_bar() -> None:
    placed = rows([Bar(0, 2, "a"), Bar(3, 4, "b", ready_s=1)], 0.01)
    assert [row for row, _ in placed] == [0, 1]


def test_more_at_once_than_there_are_rows_share_the_last() -> None:
    placed = rows([Bar(0, 1, f"{i}") for i in range(40)], 0.01)
    assert max(row for row, _ in placed) == 23


def test_a_picture_of_nothing_is_drawn() -> None:
    page = html(Page("nothing", (), (Lanes((Lane("empty", ()),), 0.0),)))
    assert "<title>nothing</title>" in page


def test_points_stand_above_the_bars_and_are_told_by_their_form() -> None:
    points = (Point(1.0, "wrote", "ring"), Point(2.0, "<listens>", "diamond"))
    page = html(Page("x", (), (Lanes((Lane("db", (Bar(0, 4, "b"),), points=points),), 4.0),)))
    assert page.count('class="point ring" x="25.00%"') == 1
    assert page.count('class="point diamond" x="50.00%"') == 1
    assert "&lt;listens&gt;\n2.00 s" in page
    top = re.search(r'class="bar work" x="0.00%" y="(\d+)"', page)
    place = re.search(r'class="point ring" x="25.00%" y="([\d.]+)"', page)
    assert top is not None
    assert place is not None
    assert float(place[1]) + 5 < float(top[1])


def test_many_lanes_of_many_steps_stay_a_page_that_can_be_opened() -> None:
    lanes = tuple(
        Lane(f"lane {n}", tuple(Bar(i * 0.1, i * 0.1 + 0.09, f"step {i}") for i in range(400)))
        for n in range(60)
    )
    page = html(Page("large", (), (Lanes(lanes, 40.0),)))
    assert len(page) < 4_000_000
    assert page.count("<g>") <= 60 * 201


def test_a_table_ends_its_figures_together() -> None:
    made = Table("t", ("a", "b"), (("x", "1"),), right=(1,), folded=True).markup()
    assert '<td>x</td><td class="r">1</td>' in made
    assert '<th scope="col">a</th>' in made
    assert made.startswith("<section><details><summary>")


def test_a_column_in_which_nothing_is_said_is_left_out() -> None:
    made = Table("t", ("a", "b", "c"), (("x", "", "1"), ("y", "", "2")), right=(2,)).markup()
    assert made.count("<th") - made.count("<thead") == 2
    assert '<td>y</td><td class="r">2</td>' in made
