"""The wait's verdicts, from events as the engine gives them, with times that the test says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.stack.expected import Expected, expectations
from hullwright.stack.wait import SETTLE_S
from hullwright.tools.compose import Dependency, Probe, parse_model
from hullwright.tools.engine import Event
from waiting import BEGAN, RUNTIME_ERROR, container, happen, is_over, observe, probe, waiting

if TYPE_CHECKING:
    from hullwright.stack.wait import Status


def test_a_checked_service_is_done_when_it_is_healthy() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 0.5, "create")
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    wait.listening("id-db", BEGAN + 1.3)
    assert not wait.done
    happen(wait, 1.5, "health_status: healthy")
    assert wait.status("db") == "healthy"
    assert not is_over(wait), "Compose may still have something to start"
    wait.compose_ended(0)
    assert is_over(wait)
    assert not wait.failed
    track = wait.containers("db")[0]
    assert (track.created_at, track.started_at, track.listening_at, track.healthy_at) == (
        BEGAN + 0.5, BEGAN + 1.0, BEGAN + 1.3, BEGAN + 1.5,
    )  # fmt: skip


def test_a_service_without_a_check_is_unknown_once_it_has_settled() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container())
    wait.time(BEGAN + 1.0 + SETTLE_S - 0.01)
    assert wait.status("db") == "waiting"
    assert wait.next_s(BEGAN + 1.5) == pytest.approx(0.502, abs=0.001)
    wait.time(BEGAN + 1.0 + SETTLE_S)
    assert wait.status("db") == "unknown"


@pytest.mark.parametrize(
    ("expected", "code", "status", "cause"),
    [
        (Expected("db", one_shot=True), 0, "completed", None),
        (Expected("db"), 0, "completed", None),
        (Expected("db", one_shot=True), 1, "failed", "one-shot-failed"),
        (Expected("db"), 137, "failed", "crash"),
        (Expected("db", policy="on-failure"), 0, "completed", None),
        (Expected("db", policy="on-failure"), 1, "waiting", None),
        (Expected("db", policy="always"), 0, "waiting", None),
        (Expected("db", policy="unless-stopped"), 1, "waiting", None),
    ],
)
def test_an_end_is_judged_by_what_was_expected(
    expected: Expected, code: int, status: Status, cause: str | None
) -> None:
    wait = waiting(expected)
    happen(wait, 1.0, "start")
    happen(wait, 1.2, "die", code=code)
    assert wait.status("db") == status
    assert wait.containers("db")[0].cause == cause


def test_a_one_shot_is_never_settled_while_it_runs() -> None:
    wait = waiting(Expected("db", one_shot=True))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container())
    wait.time(BEGAN + 30)
    assert wait.status("db") == "waiting"


def test_three_deaths_are_a_crash_loop_and_two_are_not() -> None:
    wait = waiting(Expected("db", policy="always"))
    for turn in range(2):
        happen(wait, 1.0 + turn, "start")
        happen(wait, 1.5 + turn, "die", code=7)
    assert wait.status("db") == "waiting"
    happen(wait, 4.0, "start")
    happen(wait, 4.5, "die", code=7)
    track = wait.containers("db")[0]
    assert (track.status, track.cause, track.deaths) == ("failed", "crash-loop", 3)


def test_a_container_that_compose_replaces_has_not_crashed() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "kill")
    happen(wait, 1.1, "die", code=143)
    happen(wait, 1.2, "destroy")
    assert not wait.failed
    wait.feed(Event(BEGAN + 1.3, "start", "id-new", "x-db-1", "db"))
    wait.feed(Event(BEGAN + 1.4, "health_status: healthy", "id-new", "x-db-1", "db"))
    assert wait.status("db") == "healthy"


def test_what_ran_before_is_judged_only_once_compose_is_done() -> None:
    wait = waiting(Expected("db"))
    before = container(started_at=BEGAN - 50, state="exited", finished_at=BEGAN - 20, exit_code=1)
    observe(wait, 0.1, before)
    assert not wait.failed, "Compose may start it again"
    wait.compose_ended(0)
    observe(wait, 0.5, before)
    assert wait.containers("db")[0].cause == "crash"


def test_what_is_restarted_is_judged_by_its_new_start_alone() -> None:
    wait = waiting(Expected("db", policy="always"))
    observe(wait, 0.0, container(started_at=BEGAN - 90, pid=7))
    wait.time(BEGAN + 5)
    assert wait.status("db") == "waiting"
    wait.listening("id-db", BEGAN + 5)
    happen(wait, 6.0, "kill")
    happen(wait, 6.1, "die", code=137)
    happen(wait, 6.2, "start")
    (track,) = wait.containers("db")
    assert (track.deaths, track.listening_at, track.first_started_at) == (0, None, BEGAN + 6.2)


def test_a_container_between_two_starts_is_not_unhealthy() -> None:
    wait = waiting(Expected("db", policy="always"))
    wait.compose_ended(0)
    observe(wait, 1.0, container(state="restarting", health="unhealthy"))
    assert wait.status("db") == "waiting"
    observe(wait, 2.0, container(state="running", health="unhealthy"))
    assert wait.status("db") == "failed"


def test_the_kernel_ending_it_is_out_of_memory() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    happen(wait, 1.5, "oom")
    happen(wait, 1.5, "die", code=137)
    assert wait.containers("db")[0].cause == "out-of-memory"


def test_a_probe_that_tells_of_no_end_is_looked_at() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    assert wait.to_inspect(BEGAN + 2) == []
    happen(wait, 2.0, "exec_start")
    assert wait.to_inspect(BEGAN + 2.1) == []
    assert wait.to_inspect(BEGAN + 2.16) == ["id-db"]
    # It is still running: the next look is later.
    observe(wait, 2.2, container(health="starting"))
    assert wait.to_inspect(BEGAN + 2.25) == []
    assert wait.to_inspect(BEGAN + 2.31) == ["id-db"]
    failed = probe(2.0, 2.05, -1, RUNTIME_ERROR)
    observe(wait, 2.35, container(health="starting", probes=(failed,)))
    assert wait.containers("db")[0].cause == "probe-cannot-run"


def test_a_shell_that_found_no_program_is_looked_at_at_once() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    happen(wait, 2.0, "exec_start")
    happen(wait, 2.1, "exec_die", code=127)
    assert wait.to_inspect(BEGAN + 2.1) == ["id-db"]
    observe(wait, 2.12, container(health="starting", probes=(probe(2.0, 2.1, 127),)))
    assert wait.containers("db")[0].cause == "probe-cannot-run"


def test_the_first_probe_of_a_shell_is_read_and_later_ones_are_not() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    shell = container(health="starting", probe_test=("CMD-SHELL", "curl x || exit 1"))
    observe(wait, 1.1, shell)
    happen(wait, 2.0, "exec_start")
    happen(wait, 2.1, "exec_die", code=1)
    assert wait.to_inspect(BEGAN + 2.1) == ["id-db"]
    # The engine writes down what was printed only after it tells of the end.
    observe(wait, 2.11, shell)
    assert wait.to_inspect(BEGAN + 2.5) == ["id-db"]
    observe(wait, 2.51, replace(shell, probes=(probe(2.0, 2.1, 1, "curl: (7) refused"),)))
    assert wait.status("db") == "waiting"
    happen(wait, 3.0, "exec_start")
    happen(wait, 3.1, "exec_die", code=1)
    assert wait.to_inspect(BEGAN + 3.1) == [], "each look is a process beside what starts"
    said = probe(3.0, 3.1, 1, "/bin/sh: curl: not found")
    observe(wait, 3.2, replace(shell, probes=(said,)))
    assert wait.containers("db")[0].cause == "probe-cannot-run"


def test_the_first_probe_without_a_shell_is_not_read() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting", probe_test=("CMD", "check")))
    happen(wait, 2.0, "exec_start")
    happen(wait, 2.1, "exec_die", code=1)
    assert wait.to_inspect(BEGAN + 2.1) == []


def test_a_command_that_a_person_runs_is_no_probe() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting", probes=(probe(1.0, 1.05, 1),)))
    happen(wait, 2.0, "exec_start")
    happen(wait, 2.1, "exec_die", code=127)
    observe(wait, 2.12, container(health="starting", probes=(probe(1.0, 1.05, 1),)))
    assert wait.status("db") == "waiting"


def test_a_probe_over_its_timeout_is_not_a_missing_program() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    slow = probe(1.0, 4.0, -1, "Health check exceeded timeout (3s)")
    observe(wait, 4.1, container(health="starting", probes=(slow,)))
    assert wait.status("db") == "waiting"


def test_time_runs_out_for_what_runs() -> None:
    wait = waiting(Expected("db"), Expected("app", depends_on=("db",)), timeout_s=5)
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    wait.time(BEGAN + 5)
    assert not is_over(wait)
    wait.time(BEGAN + 5.1)
    assert is_over(wait)
    assert wait.containers("db")[0].cause == "never-ready"
    assert wait.status("app") == "waiting"


def test_a_service_has_a_limit_of_its_own() -> None:
    wait = waiting(Expected("db", timeout_s=2))
    happen(wait, 1.0, "start")
    wait.time(BEGAN + 3.0)
    assert not wait.failed
    wait.time(BEGAN + 3.1)
    assert wait.containers("db")[0].cause == "never-ready"


def test_every_container_of_a_scaled_service_counts() -> None:
    wait = waiting(Expected("db", scale=2))
    for number in (1, 2):
        assert wait.status("db") == "waiting"
        name = f"x-db-{number}"
        wait.feed(Event(BEGAN + number, "start", name, name, "db"))
        wait.feed(Event(BEGAN + number, "health_status: healthy", name, name, "db"))
    assert wait.status("db") == "healthy"
    assert waiting(Expected("none", scale=0)).done


def test_a_service_that_recovers_is_healthy_after_all() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    happen(wait, 2.0, "health_status: unhealthy")
    assert wait.containers("db")[0].cause == "unhealthy"
    happen(wait, 2.5, "health_status: healthy")
    assert wait.status("db") == "healthy"


def test_compose_giving_up_is_the_end() -> None:
    wait = waiting(Expected("db"))
    wait.compose_ended(1)
    assert wait.over
    assert wait.failed


def test_what_is_not_expected_is_left_alone() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "die", service="other", code=1)
    observe(wait, 1.0, container("other", state="exited", exit_code=1))
    assert wait.tracks == {}


def test_sockets_are_looked_at_only_while_they_are_waited_for() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    assert wait.to_listen() == [], "its process is not known yet"
    assert wait.to_inspect(BEGAN + 1.1) == ["id-db"]
    observe(wait, 1.1, container(health="starting"))
    assert [track.id for track in wait.to_listen()] == ["id-db"]
    wait.looked("id-db")
    happen(wait, 1.5, "health_status: healthy")
    assert [track.id for track in wait.to_listen()] == ["id-db"], "nobody saw it listen"
    wait.looked("id-db")
    assert wait.to_listen() == []


def test_what_is_healthy_has_listened_before() -> None:
    wait = waiting(Expected("db"))
    happen(wait, 1.0, "start")
    observe(wait, 1.1, container(health="starting"))
    happen(wait, 1.5, "health_status: healthy")
    wait.listening("id-db", BEGAN + 1.52)
    assert wait.containers("db")[0].listening_at == BEGAN + 1.5


def test_the_wait_ends_where_a_provider_makes_a_service() -> None:
    model = parse_model(
        """{"name": "x", "services": {
          "db": {"provider": {"type": "x"}},
          "app": {"healthcheck": {"test": "true"},
                  "depends_on": {"db": {"condition": "service_started"}}}}}"""
    )
    expected = expectations(model, ["db", "app"])
    assert list(expected) == ["app"]
    wait = waiting(*expected.values())
    happen(wait, 1.0, "start", service="app")
    happen(wait, 1.5, "health_status: healthy", service="app")
    wait.compose_ended(0)
    assert wait.over
    assert not wait.failed


MODEL = """{"name": "x", "services": {
  "db": {"restart": "always", "healthcheck": {"test": ["CMD", "true"]}},
  "migrate": {"depends_on": {"db": {"condition": "service_healthy"}}},
  "seed": {"restart": "no", "healthcheck": {"disable": true}},
  "tool": {"restart": "no", "healthcheck": {"test": "true"}},
  "app": {"deploy": {"replicas": 3, "restart_policy": {"condition": "on-failure"}},
          "depends_on": {"migrate": {"condition": "service_completed_successfully"}}}
}}"""


def test_what_is_expected_follows_from_the_model() -> None:
    model = parse_model(MODEL)
    found = expectations(model, ["db", "migrate", "seed", "tool", "app"])
    assert found["migrate"].awaits == (Dependency("db", "service_healthy"),)
    assert found["db"].probe == Probe(test=("CMD", "true"))
    assert {name: replace(each, awaits=(), probe=None) for name, each in found.items()} == {
        "db": Expected("db", policy="always"),
        "migrate": Expected("migrate", one_shot=True, depends_on=("db",)),
        "seed": Expected("seed", one_shot=True, policy="no"),
        "tool": Expected("tool", policy="no"),
        "app": Expected("app", scale=3, policy="on-failure", depends_on=("migrate",)),
    }
    assert expectations(model, ["db"], one_shots=["db"])["db"].one_shot
