"""Ends that the wait judges by what it knows of a container, and not by their code alone."""

from __future__ import annotations

from hullwright.stack.execution import service_up
from hullwright.stack.expected import Expected
from hullwright.stack.wait import SETTLE_S
from waiting import BEGAN, container, happen, observe, probe, waiting


def test_an_end_with_0_is_none_for_what_a_health_check_was_to_hold_for() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    happen(wait, 1.2, "die", code=0)
    assert wait.containers("db")[0].cause == "crash"
    late = waiting(Expected("db"))
    happen(late, 1.0, "start")
    happen(late, 1.1, "die", code=0)
    assert late.status("db") == "completed"
    observe(late, 1.2, container(health="unhealthy", state="exited", probe_test=("CMD", "x")))
    assert late.containers("db")[0].cause == "crash"


def test_a_probe_that_found_its_container_ending_is_no_missing_program() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    gone = probe(1.1, 1.2, -1, "OCI runtime exec failed: exec failed: cannot exec in a stopped one")
    observe(wait, 1.3, container(health="starting", probes=(gone,)))
    assert wait.status("db") == "waiting"


def test_what_has_died_before_takes_longer_to_settle() -> None:
    wait = waiting(Expected("db", policy="always"))
    happen(wait, 1.0, "start")
    happen(wait, 1.1, "die", code=7)
    happen(wait, 1.2, "start")
    observe(wait, 1.3, container())
    wait.time(BEGAN + 1.2 + 2 * SETTLE_S)
    assert wait.status("db") == "waiting"
    wait.time(BEGAN + 1.2 + 3 * SETTLE_S)
    assert wait.status("db") == "unknown"


def test_an_end_of_an_earlier_start_has_no_time_in_this_one() -> None:
    once = Expected("db", one_shot=True)
    wait = waiting(once)
    wait.compose_ended(1)
    before = container(state="exited", started_at=BEGAN - 9, finished_at=BEGAN - 8)
    observe(wait, 1.0, before)
    told = service_up(wait, once, (before,))
    assert (told.status, told.ended_s, told.reason) == ("completed", None, "in an earlier start")
