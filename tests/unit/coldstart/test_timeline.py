"""The critical path: which services made a start as long as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.coldstart.timeline import critical_path, done_s, released_s
from hullwright.stack import ServiceUp
from hullwright.tools.compose import Dependency

if TYPE_CHECKING:
    from hullwright.tools.compose import Condition


def healthy(name: str, at_s: float, *depends_on: str) -> ServiceUp:
    return ServiceUp(name, "healthy", healthy_s=at_s, depends_on=depends_on)


DB = healthy("db", 1.6)
CACHE = healthy("cache", 0.4)
MIGRATE = ServiceUp("migrate", "completed", started_s=1.7, ended_s=2.5, depends_on=("db",))
APP = healthy("app", 3.0, "cache", "migrate")


def test_it_goes_by_what_let_the_next_one_wait_longest() -> None:
    assert critical_path([APP, CACHE, DB, MIGRATE]) == ("db", "migrate", "app")


def test_it_ends_with_what_was_done_last() -> None:
    slow = healthy("slow", 9.0)
    assert critical_path([APP, CACHE, DB, MIGRATE, slow]) == ("slow",)
    assert critical_path([]) == ()
    assert critical_path([ServiceUp("a", "waiting")]) == ()


def test_what_runs_without_a_check_counts_by_its_socket() -> None:
    runs = ServiceUp("runs", "unknown", started_s=0.3, listening_s=5.0)
    assert critical_path([DB, runs]) == ("runs",)


def test_what_runs_without_a_check_is_done_after_its_first_second_at_the_earliest() -> None:
    assert done_s(ServiceUp("runs", "unknown", started_s=0.3, listening_s=0.4)) == 1.3
    assert done_s(ServiceUp("runs", "unknown", started_s=0.3, listening_s=5.0)) == 5.0


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ("service_started", ("cache", "app")),
        ("service_healthy", ("db", "app")),
        ("service_completed_successfully", ("db", "app")),
    ],
)
def test_a_dependency_counts_from_when_its_condition_held(
    condition: Condition, path: tuple[str, ...]
) -> None:
    db = ServiceUp("db", "healthy", started_s=0.3, healthy_s=1.6, ended_s=1.6)
    app = ServiceUp(
        "app", "healthy", started_s=1.7, healthy_s=3.0,
        awaits=(Dependency("db", condition), Dependency("cache", "service_healthy")),
    )  # fmt: skip
    assert critical_path([app, db, CACHE]) == path


def test_a_service_of_several_containers_lets_go_once_all_of_them_run() -> None:
    web = ServiceUp("web", "healthy", started_s=0.3, all_started_s=0.9, healthy_s=2.0)
    assert released_s(web, "service_started") == 0.9
    app = ServiceUp("app", "healthy", started_s=1.0, healthy_s=2.5,
                    awaits=(Dependency("web"), Dependency("cache", "service_healthy")))  # fmt: skip
    assert critical_path([app, web, healthy("cache", 0.8)]) == ("web", "app")


def test_what_was_done_after_a_service_was_started_did_not_hold_it_up() -> None:
    app = ServiceUp("app", "healthy", started_s=0.5, healthy_s=3.0,
                    awaits=(Dependency("db", "service_healthy", required=False),))  # fmt: skip
    assert critical_path([app, DB]) == ("app",)


def test_a_start_that_failed_ends_with_what_it_waited_for() -> None:
    stuck = ServiceUp("app", "failed", started_s=1.7, depends_on=("db",))
    late = ServiceUp("worker", "waiting", created_s=0.1, depends_on=("app",))
    assert critical_path([DB, CACHE, stuck, late]) == ("db", "app")
    slow = ServiceUp("slow", "waiting", started_s=0.2)
    assert critical_path([DB, slow]) == ("slow",)


def test_a_dependency_that_is_not_there_is_passed_over() -> None:
    app = healthy("app", 3.0, "elsewhere")
    assert critical_path([app]) == ("app",)
