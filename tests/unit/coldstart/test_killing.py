"""Whether what was killed came back, by what the engine tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hullwright.coldstart import killing
from hullwright.coldstart.killing import Return
from hullwright.errors import HullwrightError
from hullwright.outcome import Result
from hullwright.tools import engine
from hullwright.tools.engine import Container, Event
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path


def killed(*, probed: bool = True) -> Return:
    return Return("c1", 100.0, probed, limit_s=30.0)


def event(action: str, at: float, *, container: str = "c1", code: int | None = None) -> Event:
    return Event(at, action, container, "shop-app-1", "app", code)


def container(state: str = "running", **more: Any) -> Container:
    given: dict[str, Any] = {
        "id": "c1", "name": "shop-app-1", "service": "app", "number": 1, "project": "shop",
        "image": "app", "image_id": "", "state": state, "pid": 0, "exit_code": 0,
        "oom_killed": False, "error": "", "restarts": 0, "restart_policy": "always",
        "created_at": 1.0, "started_at": 2.0, "finished_at": 0.0,
    }  # fmt: skip
    return Container(**{**given, **more})


def test_it_is_back_when_it_was_started_anew_and_is_healthy() -> None:
    back = killed()
    back.feed(event("die", 100.1, code=137))
    back.feed(event("start", 100.4))
    assert not back.over
    back.feed(event("health_status: healthy", 101.2))
    assert (back.over, back.back_at, back.failed) == (True, 101.2, "")


def test_a_verdict_of_its_last_life_does_not_count() -> None:
    back = killed()
    back.feed(event("health_status: healthy", 100.05))
    back.feed(event("start", 99.0))
    back.observe(container(health="healthy", started_at=50.0), 100.2)
    assert not back.over


def test_events_of_other_containers_do_not_count() -> None:
    back = killed()
    back.feed(event("start", 100.2, container="c2"))
    back.feed(event("health_status: healthy", 100.3, container="c2"))
    assert not back.over


def test_an_inspection_knows_what_no_event_told() -> None:
    back = killed()
    back.observe(container(health="healthy", started_at=100.4), 101.0)
    assert back.back_at == 101.0


def test_without_a_health_check_it_is_back_once_it_has_run_for_a_second() -> None:
    back = killed(probed=False)
    back.feed(event("die", 100.1))
    back.feed(event("start", 100.4))
    back.time(101.0)
    assert not back.over
    back.time(101.5)
    # The second of its settling is ours, not its.
    assert back.back_at == 100.4


def test_what_dies_before_it_settled_is_not_back() -> None:
    back = killed(probed=False)
    back.feed(event("die", 100.1))
    back.feed(event("start", 100.4))
    back.feed(event("die", 100.6, code=1))
    back.time(110.0)
    assert not back.over


def test_what_crashes_again_and_again_will_not_come_back() -> None:
    back = killed()
    for number in range(4):
        assert not back.over
        back.feed(event("die", 100.1 + number, code=1))
        back.feed(event("start", 100.5 + number))
    assert back.failed == "it crashed 3 times more, last with 1"


def test_what_the_engine_leaves_as_it_is_will_not_come_back() -> None:
    back = killed()
    back.feed(event("die", 100.1, code=137))
    back.observe(container("exited", finished_at=100.1, exit_code=137), 100.2)
    assert not back.over
    back.observe(container("exited", finished_at=100.1, exit_code=137), 100.8)
    assert back.failed == "the engine did not start it again: it is exited, with 137"


def test_what_is_about_to_be_started_again_is_waited_for() -> None:
    back = killed()
    for at in (100.2, 100.9, 105.0):
        back.observe(container("restarting", finished_at=100.1), at)
    assert not back.over


def test_what_is_unhealthy_or_removed_will_not_come_back() -> None:
    back = killed()
    back.feed(event("start", 100.4))
    back.feed(event("health_status: unhealthy", 103.0))
    assert back.failed == "it was started again, and its health check fails"
    gone = killed()
    gone.feed(event("destroy", 100.4))
    assert gone.failed == "its container was removed"


def test_its_time_is_over_at_its_limit() -> None:
    back = killed()
    back.feed(event("start", 100.4))
    back.time(129.0)
    assert not back.over
    back.time(130.1)
    assert back.failed == "it was running, and not healthy 30 s later"
    never = killed()
    never.time(130.1)
    assert never.failed == "it was not running 30 s later"


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {engine.PROJECT: "shop-cold-1"},
        {engine.PROJECT: "shop-cold-1", engine.KIND: "test"},
        {engine.PROJECT: "another", engine.KIND: "throwaway"},
    ],
)
def test_what_is_no_throwaway_is_refused_before_anything_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: dict[str, str]
) -> None:
    monkeypatch.setattr(engine, "of_project", lambda *_: (container(labels=labels, pid=1),))
    runner = Replay({}, results={("docker",): Result((), 0)})
    with pytest.raises(HullwrightError, match="shop-app-1 is not a part of the throwaway project"):
        killing.kill_test(workspace(tmp_path, runner=runner), "shop-cold-1", ["app"], 30.0, {})
    assert runner.calls == []
