"""Tables: aligned for people, escaped for Markdown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hullwright.report.table import aligned, markdown


def test_columns_are_aligned_and_figures_end_together() -> None:
    rows = [("web", "9.5 MB", "built"), ("websocket", "148.0 MB", ""), ("db",)]
    assert aligned(rows, right=[1], gap=2) == (
        "web          9.5 MB  built\nwebsocket  148.0 MB\ndb"
    )


def test_no_rows_are_no_lines() -> None:
    assert aligned([]) == ""


@given(st.lists(st.lists(st.text(alphabet="ab c", max_size=5), max_size=4), max_size=5))
def test_no_line_ends_with_a_blank(rows: list[list[str]]) -> None:
    lines = aligned(rows).split("\n")
    assert all(line == line.rstrip() for line in lines)
    assert len(lines) == max(len(rows), 1)


def test_a_bar_in_a_cell_stays_in_its_cell() -> None:
    assert markdown(("what", "bytes"), [("a|b", "7")], right=[1]) == (
        "| what | bytes |\n| --- | ---: |\n| a\\|b | 7 |"
    )
