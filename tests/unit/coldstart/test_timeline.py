"""The critical path: which services made a start as long as it was."""

from __future__ import annotations

from hullwright.coldstart.timeline import critical_path
from hullwright.stack import ServiceUp


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
