"""When one stack counts as slower than another one, and which services are named for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.coldstart.judging import differences, is_slower, longest, spread_s, told
from hullwright.coldstart.models import Against, ColdRun, ColdStart
from hullwright.coldstart.timeline import critical_path
from hullwright.stack import ServiceUp
from hullwright.stack.explain import Failure

TOTALS = st.lists(st.floats(0.1, 60), min_size=2, max_size=9)


def run(db_s: float, app_s: float, *more: ServiceUp) -> ColdRun:
    """Return a run in which `app` waits for `db`, each with its own seconds."""
    total_s = db_s + app_s
    services = (
        ServiceUp("db", "healthy", 0.0, 0.0, healthy_s=db_s),
        ServiceUp("app", "healthy", 0.0, db_s, healthy_s=total_s, depends_on=("db",)),
        *more,
    )
    return ColdRun(total_s, services, (), critical_path(services))


@pytest.mark.parametrize(
    ("base_s", "head_s", "slower"),
    [
        # More than 10 %, more than 0.3 s, and more than three runs of a side differ.
        ((3.0, 3.1, 3.0), (4.0, 4.1, 4.0), True),
        ((3.0, 3.1, 3.0), (3.3, 3.3, 3.3), False),
        ((1.0, 1.0, 1.0), (1.29, 1.29, 1.29), False),
        ((60.0, 60.0, 60.0), (65.0, 65.0, 65.0), False),
        ((60.0, 60.0, 60.0), (67.0, 67.0, 67.0), True),
        # It is 1 s slower, and runs of the base differ by 2 s.
        ((3.0, 4.0, 5.0), (5.0, 5.0, 5.0), False),
        ((4.0, 4.0, 4.0), (4.0, 5.0, 7.0), False),
        # Quicker is never slower.
        ((5.0, 5.0, 5.0), (3.0, 3.0, 3.0), False),
        # One run has no spread, so nothing is known of chance.
        ((3.0,), (9.0,), False),
        # One of five that was held up says nothing of the others.
        ((3.0, 3.0, 3.1, 3.0, 9.0), (4.0, 4.0, 4.1, 4.0, 4.0), True),
    ],
)
def test_slower_is_more_than_chance(
    base_s: tuple[float, ...], head_s: tuple[float, ...], *, slower: bool
) -> None:
    assert is_slower(base_s, head_s) is slower


@given(TOTALS, TOTALS)
def test_no_two_stacks_are_slower_than_each_other(base: list[float], head: list[float]) -> None:
    assert not (is_slower(base, head) and is_slower(head, base))
    assert not is_slower(base, base)


def test_the_spread_of_three_runs_is_their_range_and_shrinks_with_more() -> None:
    assert spread_s((3.0, 4.0, 5.5)) == pytest.approx(2.5)
    assert spread_s((3.0, 3.5, 3.9, 4.0, 4.2, 4.5, 5.5)) < 1.5


def test_differences_are_medians_of_each_services_own_time_largest_first() -> None:
    base = [run(1.0, 1.0), run(1.1, 1.0), run(9.0, 1.0)]
    head = [run(1.2, 3.0), run(1.2, 3.1), run(1.2, 3.0)]
    assert differences(base, head) == (("app", 2.0), ("db", 0.1))


def test_a_service_that_only_one_side_has_counts_with_all_its_time() -> None:
    late = ServiceUp("seed", "completed", 0.0, 0.0, ended_s=5.0)
    assert differences([run(1.0, 1.0)], [run(1.0, 1.0, late)])[0] == ("seed", 5.0)
    assert differences([run(1.0, 1.0, late)], [run(1.0, 1.0)])[-1] == ("seed", -5.0)


def test_a_service_beside_the_critical_path_is_not_named() -> None:
    beside = ServiceUp("mail", "healthy", 0.0, 0.0, healthy_s=0.9)
    named = dict(differences([run(1.0, 1.0)], [run(1.0, 1.0, beside)]))
    assert set(named) == {"db", "app"}


def test_the_line_names_the_service_that_made_the_difference() -> None:
    over = ColdStart("shop", "p", (run(1.0, 3.0),), budget_s=2.0)
    assert longest(over.typical) == ("app", 3.0)
    assert told(over) == (
        "cold start of shop: 4.00 s, over its budget of 2 s; longest was app, 3.00 s by itself"
    )
    against = Against("main", "a" * 40, (run(1.0, 1.0),), slower=True, differences=(("app", 2.0),))
    slower = ColdStart("shop", "p", (run(1.0, 3.0),), against=against)
    assert told(slower) == "cold start of shop: 2.00 s slower than main; app takes 2.00 s longer"
    failed = ColdRun(1.0, (), (Failure("db", "crash", "db crashed"),))
    assert told(ColdStart("shop", "p", (failed,))) == "cold start of shop: db crashed"
