"""Where the time of a cold start went, and what would save some of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.coldstart import ColdRun
from hullwright.coldstart.analysis import Analysis, analysed, takes_s
from hullwright.stack import Failure, ServiceUp
from hullwright.tools.compose import Dependency, Probe

if TYPE_CHECKING:
    from hullwright.stack.wait import Status
    from hullwright.tools.compose import Condition

AS_DOCUMENTED = Probe(test=("CMD", "x"), interval_s=10.0)
DB = ServiceUp(
    "db", "healthy", created_s=0.2, started_s=0.4, listening_s=1.4, ready_s=1.4, healthy_s=3.3,
    probe_lag_s=1.9,
)  # fmt: skip
MIGRATE = ServiceUp(
    "migrate", "completed", created_s=0.2, started_s=3.6, ended_s=4.0,
    awaits=(Dependency("db", "service_healthy"),),
)  # fmt: skip
APP = ServiceUp(
    "app", "healthy", created_s=0.3, started_s=4.3, listening_s=4.9, ready_s=4.9, healthy_s=5.0,
    probe_lag_s=0.1, awaits=(Dependency("migrate", "service_completed_successfully"),),
)  # fmt: skip


def run(*services: ServiceUp, total_s: float = 5.1, **more: Any) -> ColdRun:
    return ColdRun(total_s, services, **more)


def shares(found: Analysis) -> tuple[float, float, float]:
    return round(found.own_s, 6), round(found.probe_lag_s, 6), round(found.compose_s, 6)


def test_each_service_of_the_path_has_its_three_shares() -> None:
    found = analysed(run(DB, MIGRATE, APP))
    told = [
        (part.service, *(round(each, 3) for each in (part.compose_s, part.own_s, part.probe_lag_s)))
        for part in found.parts
    ]
    assert told == [
        ("db", 0.4, 1.0, 1.9), ("migrate", 0.3, 0.4, 0.0), ("app", 0.3, 0.6, 0.1),
    ]  # fmt: skip
    assert found.verdict_s == pytest.approx(0.1)
    assert shares(found) == (2.0, 2.0, 1.1)


def test_what_was_only_to_be_started_has_no_work_of_its_own() -> None:
    app = replace(APP, started_s=0.7, ready_s=4.9, awaits=(Dependency("db"),))
    found = analysed(run(DB, app))
    assert [part.service for part in found.parts] == ["db", "app"]
    assert found.parts[0].own_s == 0.0
    assert shares(found) == (4.2, 0.1, 0.8)


def test_a_start_in_which_nothing_ran_was_the_work_of_compose() -> None:
    found = analysed(run(ServiceUp("a", "waiting"), total_s=2.0))
    assert found.parts == ()
    assert shares(found) == (0.0, 0.0, 2.0)


def test_a_failed_service_was_at_work_until_the_verdict_and_gives_no_advice() -> None:
    stuck = ServiceUp("db", "failed", started_s=0.4)
    failed = Failure("db", "crash", "db crashed")
    found = analysed(run(stuck, total_s=3.0, failures=(failed,)))
    assert shares(found) == (2.6, 0.0, 0.4)
    lagging = replace(DB, probe=AS_DOCUMENTED)
    assert analysed(run(lagging, failures=(failed,))).suggestions == ()


times = st.none() | st.floats(0, 10)
conditions: st.SearchStrategy[Condition] = st.sampled_from(
    ["service_started", "service_healthy", "service_completed_successfully"]
)
statuses: st.SearchStrategy[Status] = st.sampled_from(
    ["healthy", "completed", "unknown", "failed", "waiting"]
)


@st.composite
def starts(draw: st.DrawFn) -> ColdRun:
    """Draw a run whose times may even contradict each other, without circles of dependencies."""
    names = [f"s{number}" for number in range(draw(st.integers(0, 7)))]
    services = []
    for position, name in enumerate(names):
        waits = draw(st.lists(st.sampled_from(names[:position]), unique=True)) if position else []
        services.append(
            ServiceUp(
                name,
                draw(statuses),
                created_s=draw(times),
                started_s=draw(times),
                listening_s=draw(times),
                ready_s=draw(times),
                healthy_s=draw(times),
                ended_s=draw(times),
                all_started_s=draw(times),
                probe=draw(st.none() | st.builds(Probe, start_interval_s=times)),
                awaits=tuple(Dependency(other, draw(conditions)) for other in waits),
            )
        )
    return ColdRun(draw(st.floats(0, 12)), tuple(services))


@given(starts())
def test_own_work_and_probe_lag_and_the_work_of_compose_make_up_the_total(cold: ColdRun) -> None:
    found = analysed(cold)
    assert found.own_s + found.probe_lag_s + found.compose_s == pytest.approx(cold.total_s)
    assert min(found.own_s, found.probe_lag_s, found.compose_s) >= -1e-9
    for before, after in zip(found.parts, found.parts[1:], strict=False):
        assert before.end_s == pytest.approx(after.from_s)


@given(starts())
def test_nothing_saves_more_than_the_whole(cold: ColdRun) -> None:
    for suggestion in analysed(cold).suggestions:
        assert 0.1 <= suggestion.saves_s <= cold.total_s + 0.001


def test_probes_far_apart_are_suggested_against_with_what_it_saves_on_the_path() -> None:
    found = analysed(run(replace(DB, probe=AS_DOCUMENTED), MIGRATE, APP)).suggestions
    assert [(each.service, each.seen, each.write, each.saves_s) for each in found] == [
        (
            "db",
            "listened 1.90 s before its check said so",
            "start_interval: 250ms with start_period: 30s in its healthcheck",
            1.65,
        )
    ]


def test_it_saves_no_more_than_another_branch_leaves() -> None:
    other = ServiceUp("other", "healthy", started_s=0.4, ready_s=4.6, healthy_s=4.6)
    found = analysed(run(replace(DB, probe=AS_DOCUMENTED), MIGRATE, APP, other)).suggestions
    assert [each.saves_s for each in found] == [0.4]


def test_nothing_starts_before_compose_has_made_all_containers() -> None:
    late = ServiceUp("late", "healthy", created_s=3.0, started_s=3.5, healthy_s=4.0)
    found = analysed(run(replace(DB, probe=AS_DOCUMENTED), MIGRATE, APP, late)).suggestions
    assert [each.saves_s for each in found] == [0.3]


def test_off_the_critical_path_nothing_is_to_be_saved() -> None:
    off = replace(DB, service="off", probe=AS_DOCUMENTED)
    db = replace(DB, probe=Probe(test=("CMD", "x"), start_period_s=9.0, start_interval_s=0.25))
    assert analysed(run(off, db, MIGRATE, APP)).suggestions == ()
    lone = ServiceUp("lone", "healthy", started_s=0.1, ready_s=9.0, healthy_s=9.0)
    assert analysed(run(off, lone, total_s=9.1)).suggestions == ()


@pytest.mark.parametrize(
    ("probe", "saves_s"),
    [
        # Asked every 250 ms, it said no until then: that was the service's own.
        (Probe(test=("x",), start_period_s=30.0, start_interval_s=0.25), None),
        (Probe(test=("x",), interval_s=0.2), None),
        # At most the time between two probes is theirs.
        (Probe(test=("x",), start_period_s=30.0, start_interval_s=1.0), 0.75),
        (Probe(test=("x",), interval_s=1.5), 1.25),
        # Docker's own: 5 s within the start period, 30 s beyond it.
        (Probe(test=("x",), start_period_s=30.0), 1.65),
        # The start period was over when it got ready.
        (Probe(test=("x",), start_period_s=0.5, start_interval_s=0.25), 1.65),
        # What the image says of it is not known.
        (Probe(interval_s=None), 1.65),
        (None, 1.65),
    ],
)
def test_what_is_saved_follows_from_how_far_apart_the_probes_were(
    probe: Probe | None, saves_s: float | None
) -> None:
    found = analysed(run(replace(DB, probe=probe), MIGRATE, APP)).suggestions
    assert [each.saves_s for each in found if each.service == "db"] == (
        [] if saves_s is None else [saves_s]
    )


def test_the_start_period_that_is_suggested_is_long_enough() -> None:
    probe = Probe(test=("x",), start_period_s=60.0)
    assert "start_period: 60s" in analysed(run(replace(DB, probe=probe))).suggestions[0].write
    slow = ServiceUp(
        "db", "healthy", started_s=1.0, listening_s=33.0, ready_s=33.0, healthy_s=61.0,
        probe=Probe(test=("x",), start_period_s=5.0),
    )  # fmt: skip
    found = analysed(run(slow, total_s=61.1)).suggestions
    assert found[0].write == "start_interval: 250ms with start_period: 70s in its healthcheck"


def test_a_service_without_a_check_is_told_what_one_would_save() -> None:
    plain = ServiceUp("web", "unknown", started_s=0.4, listening_s=0.5, ready_s=0.5)
    found = analysed(run(plain, total_s=1.45)).suggestions
    assert [(each.service, each.saves_s) for each in found] == [("web", 0.65)]
    assert "has no check" in found[0].seen
    silent = ServiceUp("web", "unknown", started_s=0.4)
    assert analysed(run(silent, total_s=1.45)).suggestions == ()


@pytest.mark.parametrize(
    ("written", "saves_s"),
    [
        # Asked 10 and 20 s after its start; and 5 s after it, in a start period.
        (AS_DOCUMENTED, 8.75),
        (Probe(test=("x",), interval_s=10.0, start_period_s=30.0), 3.75),
        (Probe(test=("x",), interval_s=0.5), None),
        # The image may say more.
        (Probe(), None),
    ],
)
def test_what_faster_probes_hid_is_told_too(written: Probe, saves_s: float | None) -> None:
    fast = Probe(test=("x",), start_period_s=30.0, start_interval_s=0.25)
    db = replace(DB, healthy_s=1.65, probe=fast)
    app = replace(APP, started_s=2.0, listening_s=2.5, ready_s=2.5, healthy_s=2.6,
                  awaits=(Dependency("db", "service_healthy"),))  # fmt: skip
    found = analysed(run(db, app, total_s=2.7), {"db": written}).suggestions
    assert [(each.here, each.saves_s) for each in found] == (
        [] if saves_s is None else [(False, saves_s)]
    )


def test_a_probe_that_failed_is_not_taken_for_one_that_came_late() -> None:
    fast = Probe(test=("x",), start_period_s=30.0, start_interval_s=0.25)
    found = analysed(run(replace(DB, probe=fast)), {"db": Probe(test=("x",), interval_s=4.0)})
    assert [(each.here, each.saves_s) for each in found.suggestions] == [(False, 1.1)]


def test_how_long_a_service_takes_is_counted_from_what_it_waits_for() -> None:
    found = takes_s([DB, MIGRATE, APP, ServiceUp("late", "waiting")])
    assert found == {
        "db": pytest.approx(3.3), "migrate": pytest.approx(0.7), "app": pytest.approx(1.0),
    }  # fmt: skip
