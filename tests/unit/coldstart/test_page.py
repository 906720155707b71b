"""The page of a cold start: its lanes, its marks, and the tables that say the same in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hullwright.coldstart import Against, Checked, ColdRun, ColdStart
from hullwright.coldstart.timeline import critical_path
from hullwright.report.coldtimeline import html
from hullwright.stack import Failure, ServiceUp
from hullwright.tools.compose import Dependency, Probe

DB = ServiceUp(
    "db", "healthy", created_s=0.2, started_s=0.4, first_log_s=0.5, listening_s=1.4, ready_s=1.4,
    healthy_s=3.3, probe_lag_s=1.9, peak_memory_bytes=41_000_000, cpu_s=0.6,
    probe=Probe(test=("x",), interval_s=3.0),
)  # fmt: skip
APP = ServiceUp(
    "app", "healthy", created_s=0.3, started_s=4.0, listening_s=4.9, ready_s=4.9, healthy_s=5.0,
    probe_lag_s=0.1, awaits=(Dependency("db", "service_healthy"),),
)  # fmt: skip


def run(*services: ServiceUp, total_s: float = 5.0) -> ColdRun:
    return ColdRun(total_s, services, critical_path=critical_path(services))


def page(*runs: ColdRun, **more: Any) -> str:
    return html(replace(ColdStart("default", "x-cold-1", runs), **more), title="cold start of x")


def test_each_phase_has_its_bar_and_the_critical_ones_a_line_below() -> None:
    drawn = page(run(DB, APP))
    assert re.findall(r'class="bar (\w+)" x="([\d.]+)%" y="\d+" width="([\d.]+)%"', drawn) == [
        ("transfer", "0.00", "4.00"),
        ("transfer", "4.00", "4.00"),
        ("work", "8.00", "20.00"),
        ("foreign", "28.00", "38.00"),
        ("transfer", "66.00", "14.00"),
        ("work", "80.00", "18.00"),
        ("foreign", "98.00", "2.00"),
    ]
    assert drawn.count('class="critical" ') == 7
    assert len(re.findall(r'class="wait" x1="6.00%" x2="66.00%"', drawn)) == 1
    assert 'class="point ring" x="10.00%"' in drawn
    assert 'class="point diamond" x="28.00%"' in drawn


def test_a_failure_has_its_last_lines_and_promises_no_others() -> None:
    facts = (("exit code", "3"), ("logs", "the last 2 follow"))
    broken = Failure("app", "crash", "app crashed: it ended with 3", facts, ("first", "<last>"))
    drawn = page(replace(run(DB, APP), failures=(broken,)))
    assert "exit code: 3; last lines: first / &lt;last&gt;" in drawn
    assert "follow" not in drawn


def test_what_is_off_the_critical_path_has_no_line() -> None:
    off = replace(DB, service="off")
    assert page(run(DB, APP, off)).count('class="critical" ') == 7


def test_the_tables_say_the_shares_and_what_would_save_time() -> None:
    drawn = page(run(DB, APP))
    assert "own work 1.90 s (38 %) · probe lag 2.00 s (40 %) · Compose&#x27;s work 1.10 s" in drawn
    assert "up to 1.65 s sooner" in drawn
    assert "41.0 MB" in drawn
    assert "Checks once it was up" not in drawn
    assert "<h2>Runs" not in drawn


def test_a_failure_and_what_was_not_started_are_drawn_to_the_end() -> None:
    stuck = replace(APP, status="failed", healthy_s=None, probe_lag_s=None, reason="app crashed")
    late = ServiceUp("late", "waiting", created_s=0.4)
    drawn = page(replace(run(DB, stuck, late), failures=(Failure("app", "crash", "app crashed"),)))
    assert 'class="bar failed" x="80.00%"' in drawn
    assert 'class="bar reused" x="8.00%"' in drawn
    assert "What did not hold" in drawn
    assert "What would save time" not in drawn


def test_runs_of_both_revisions_and_checks_are_listed() -> None:
    base = run(DB, APP, total_s=4.5)
    checked = replace(run(DB, APP), checks=(Checked("app", "GET /", "held", 0.1),))
    drawn = page(checked, run(DB, APP), against=Against("main", "abc", (base, base)))
    assert "<h2>Runs" in drawn
    assert drawn.count("<td>main</td>") == 2
    assert "GET /" in drawn
    assert "quicker" not in drawn


def test_a_start_in_which_nothing_was_made_is_drawn() -> None:
    assert "db" in page(run(ServiceUp("db", "waiting", reason="it was never created")))
