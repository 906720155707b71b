"""How a figure moved: like runs only, and those that came to none left out of it."""

from __future__ import annotations

from typing import Any

import pytest

from hullwright.history import usual
from hullwright.history.trend import Usual, trends
from hullwright.report.history import sparkline
from recording import record


def cold(minute: int, median_s: Any = 3.0, **data: object) -> Any:
    told = {"stack": "default", "verdict": "healthy", "median_s": median_s, **data}
    return record("cold-start", minute=minute, data=told)


def test_the_newest_is_last_and_other_stacks_are_by_themselves() -> None:
    found = trends("cold-start", [cold(3, 3.3), cold(2, 9.0, stack="other"), cold(1, 3.1)])
    assert [(each.series, each.values) for each in found] == [
        ("default", (3.1, 3.3)),
        ("other", (9.0,)),
    ]


def test_other_kinds_and_runs_that_broke_off_have_no_trend() -> None:
    assert trends("build", [record("build")]) == ()
    assert trends(None, [cold(1)]) == ()
    assert trends("cold-start", [record("cold-start", data={"error": "interrupted"})]) == ()


@pytest.mark.parametrize(
    ("data", "series"),
    [
        ({}, "default"),
        ({"fast_probes": True, "warm_volumes": False, "only": []}, "default"),
        ({"warm_volumes": True}, "default, warm volumes"),
        ({"fast_probes": False}, "default, probes as configured"),
        ({"only": ["db", "cache"]}, "default, only db, cache"),
        ({"profiles": ["extra"]}, "default, profile extra"),
    ],
)
def test_what_was_started_otherwise_is_another_series(data: dict[str, Any], series: str) -> None:
    assert [each.series for each in trends("cold-start", [cold(1, **data)])] == [series]


@pytest.mark.parametrize("data", [{"verdict": "failed"}, {"median_s": None}, {"median_s": "3.0"}])
def test_a_run_that_came_to_nothing_has_no_figure(data: dict[str, Any]) -> None:
    (found,) = trends("cold-start", [cold(1, **data)])
    assert found.values == ()


def test_what_is_usual_is_the_median_of_the_newest_like_ones() -> None:
    records = [cold(60 - n, float(n)) for n in range(1, 21)]
    assert usual("cold-start", records, {"stack": "default"}) == Usual(10, 5.5)
    assert usual("cold-start", records, {"stack": "other"}) is None
    assert usual("cold-start", [cold(1, verdict="failed")], {"stack": "default"}) is None


def test_those_of_the_branch_count_where_there_are_any() -> None:
    records = [cold(3, 9.0, branch="topic"), cold(2, 3.0, branch="main"), cold(1, 9.0)]
    like = {"stack": "default"}
    assert usual("cold-start", records, like, "main") == Usual(1, 3.0, "main")
    assert usual("cold-start", records, like, "trunk") == Usual(3, 9.0)


@pytest.mark.parametrize(
    ("values", "blocks"),
    [
        ([], ""),
        ([3.0], "▁"),
        ([3.0, 3.0], "▁▁"),
        ([1.0, 2.0, None, 8.0], "▁▂✗█"),
        ([None], "✗"),
    ],
)
def test_blocks_go_from_the_lowest_to_the_highest(values: list[float | None], blocks: str) -> None:
    assert sparkline(values) == blocks
