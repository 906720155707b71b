"""What the wait asks for, how soon it gives up, and which limit it was."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hullwright.stack.expected import Expected, expectations
from hullwright.tools.compose import parse_model
from waiting import BEGAN, RUNTIME_ERROR, container, happen, observe, probe, waiting


def test_the_limit_that_passed_is_known() -> None:
    wait = waiting(Expected("db", timeout_s=2), Expected("app"), timeout_s=10)
    happen(wait, 1.0, "start")
    happen(wait, 1.0, "start", service="app")
    assert wait.next_s(BEGAN + 1.0) == pytest.approx(2.002, abs=0.001)
    wait.time(BEGAN + 3.1)
    wait.time(BEGAN + 10.1)
    (db,), (app,) = wait.containers("db"), wait.containers("app")
    assert (db.limit_s, db.own_limit) == (2, True)
    assert (app.limit_s, app.own_limit) == (10, False)


@pytest.mark.parametrize("how", ["compose says that it stays", "compose has ended"])
def test_the_limit_of_what_stays_as_it_ran_counts_from_when_that_is_known(how: str) -> None:
    wait = waiting(Expected("db", timeout_s=2))
    observe(wait, 0.0, container(started_at=BEGAN - 900, health="starting"))
    wait.time(BEGAN + 4.9)
    assert not wait.failed, "it may be about to be replaced or started again"
    if how == "compose has ended":
        wait.compose_ended(0)
        wait.time(BEGAN + 5.0)
    else:
        wait.kept("x-db-1", BEGAN + 5.0)
    assert wait.next_s(BEGAN + 5.0) == pytest.approx(2.002, abs=0.001)
    wait.time(BEGAN + 6.9)
    assert not wait.failed
    wait.time(BEGAN + 7.1)
    (track,) = wait.containers("db")
    assert (track.cause, track.limit_s, track.own_limit) == ("never-ready", 2, False)


def test_the_limit_of_what_restarts_counts_from_its_new_start() -> None:
    wait = waiting(Expected("db", timeout_s=2))
    observe(wait, 0.0, container(started_at=BEGAN - 900, health="healthy"))
    happen(wait, 0.1, "kill")
    happen(wait, 9.0, "health_status: unhealthy")
    wait.time(BEGAN + 10.0)
    happen(wait, 10.1, "die", code=137)
    happen(wait, 10.2, "start")
    wait.time(BEGAN + 12.1)
    assert not wait.failed, "its old run is no failure, and its new one has 2 s"
    wait.time(BEGAN + 12.3)
    (track,) = wait.containers("db")
    assert (track.limit_s, track.own_limit) == (2, True)


def test_the_end_of_all_time_is_no_failure_of_an_old_run() -> None:
    wait = waiting(Expected("db"), timeout_s=1)
    observe(wait, 0.0, container(started_at=BEGAN - 900, health="healthy"))
    happen(wait, 0.1, "kill")
    wait.time(BEGAN + 1.1)
    assert wait.over
    assert wait.status("db") == "waiting"


def test_a_start_is_when_the_process_began_and_not_when_it_was_told_of() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.2, "start")
    observe(wait, 1.3, container(started_at=BEGAN + 1.1))
    (track,) = wait.containers("db")
    assert track.first_started_at == track.started_at == BEGAN + 1.1
    happen(wait, 2.0, "die", code=1)
    happen(wait, 3.0, "start")
    observe(wait, 3.1, container(started_at=BEGAN + 2.9))
    assert (track.first_started_at, track.started_at) == (BEGAN + 1.1, BEGAN + 2.9)


def test_a_probe_that_is_long_silent_is_looked_at_twice_a_second() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    happen(wait, 2.0, "exec_start")
    at_s, looks = 2.0, []
    while at_s < 6:
        at_s += 0.01
        if wait.to_inspect(BEGAN + at_s):
            looks.append(at_s)
            observe(wait, at_s, container(health="starting"))
    pauses = [after - before for before, after in pairwise(looks)]
    assert len(looks) < 12
    assert max(pauses) <= 0.52


@pytest.mark.parametrize("code", [126, 127, -1])
def test_a_probe_that_cannot_run_is_hopeless_long_before_its_start_period_is_over(
    code: int,
) -> None:
    wait = waiting(Expected("db"), timeout_s=300)
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    happen(wait, 6.0, "exec_start")
    said = RUNTIME_ERROR if code == -1 else ""
    observe(wait, 6.3, container(health="starting", probes=(probe(6.0, 6.1, code, said),)))
    assert (wait.over, wait.containers("db")[0].failed_at) == (True, BEGAN + 6.3)


def test_a_policy_that_gives_up_is_followed() -> None:
    wait = waiting(Expected("db", policy="on-failure:1"))
    for at_s in (1.0, 2.0):
        happen(wait, at_s, "start")
        happen(wait, at_s + 0.5, "die", code=4)
        assert wait.failed == (at_s == 2.0)
    model = parse_model(
        '{"services": {"db": {"deploy": {"restart_policy": '
        '{"condition": "on-failure", "max_attempts": 1}}}}}'
    )
    assert expectations(model, ["db"])["db"].policy == "on-failure:1"


def test_what_somebody_stops_is_told_once_compose_is_done() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    happen(wait, 2.0, "kill")
    happen(wait, 2.1, "die", code=137)
    wait.time(BEGAN + 30)
    assert wait.status("db") == "waiting", "Compose may be about to replace it"
    wait.compose_ended(0)
    wait.time(BEGAN + 31)
    assert wait.containers("db")[0].cause == "stopped"


def test_what_was_created_is_asked_about_with_the_first_that_starts() -> None:
    wait = waiting(Expected("db"), Expected("app"))
    happen(wait, 0.5, "create")
    happen(wait, 0.5, "create", service="app")
    assert wait.to_inspect(BEGAN + 0.6) == []
    happen(wait, 1.0, "start")
    assert wait.to_inspect(BEGAN + 1.0) == ["id-db", "id-app"]
    observe(wait, 1.05, container(health="starting"))
    created = container("app", state="created", started_at=0.0, pid=0, probe_test=("CMD", "x"))
    observe(wait, 1.05, created)
    happen(wait, 1.2, "start", service="app")
    (app,) = wait.containers("app")
    assert app.has_probe
    app.pid = 43
    assert wait.to_inspect(BEGAN + 1.3) == [], "its process was found in its control group"


def test_what_has_no_check_is_seen_to_listen_after_it_has_settled() -> None:
    wait = waiting(Expected("db"), Expected("app"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container())
    wait.time(BEGAN + 2.5)
    assert wait.status("db") == "unknown"
    assert [track.id for track in wait.to_listen()] == ["id-db"]
    wait.listening("id-db", BEGAN + 2.6)
    assert wait.to_listen() == []
