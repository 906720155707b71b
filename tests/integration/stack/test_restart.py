"""A restart on the real engine comes back healthy, or says why it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright import stack
from hullwright.errors import CheckFailedError, UsageError
from hullwright.report import stack as shown

if TYPE_CHECKING:
    from composing import Made

pytestmark = pytest.mark.docker

# Its first start is good; what that leaves behind makes every later one fail.
SPOILT = """
  db:
    image: {image}
    command: sh -c "mkdir /begun || exit 9; exec httpd -f -p 5432"
    restart: unless-stopped
    stop_grace_period: 0s
    healthcheck:
      {test}
      interval: 5s
      start_period: 20s
      start_interval: 100ms
  seed:
    image: {image}
    command: "true"
    depends_on: {{db: {{condition: service_healthy}}}}
  web:
    image: {image}
    command: httpd -f -p 80
    stop_grace_period: 0s
    depends_on: {{seed: {{condition: service_completed_successfully}}}}
"""
TEST = "test: wget -q -O - http://127.0.0.1:5432/bin/sh"


def started_at(project: str, service: str) -> str:
    """Return when the container of a service was last started."""
    return docker("inspect", "--format", "{{.State.StartedAt}}", f"{project}-{service}-1")


def test_what_restarts_is_waited_for_and_what_has_completed_stays(made: Made, busybox: str) -> None:
    made.compose(SPOILT.format(image=busybox, test=TEST).replace("|| exit 9", "-p /begun"))
    ws = made.workspace()
    assert not stack.up(ws, stack.select(ws), limits=stack.Limits(20)).failed
    before = {name: started_at(made.project, name) for name in ("db", "seed", "web")}
    report = stack.restart(ws, stack.select(ws), limits=stack.Limits(20))
    assert not report.failed, shown.text(report)
    assert {each.service: each.status for each in report.services} == {
        "db": "healthy",
        "web": "unknown",
    }
    assert [each.restarts for each in report.services] == [0, 0]
    after = {name: started_at(made.project, name) for name in ("db", "seed", "web")}
    assert {name for name in after if after[name] != before[name]} == {"db", "web"}
    only = stack.restart(ws, stack.select(ws, services=["seed"]), limits=stack.Limits(20))
    assert [(each.service, each.status) for each in only.services] == [("seed", "completed")]


SLOW_TO_STOP = """
  db:
    image: {image}
    command: sh -c "trap '' TERM; httpd -p 5432; while :; do sleep 1; done"
    stop_grace_period: 4s
    healthcheck:
      {test}
      interval: 5s
      start_period: 20s
      start_interval: 100ms
"""


def test_a_limit_of_its_own_counts_from_the_new_start(made: Made, busybox: str) -> None:
    made.compose(SLOW_TO_STOP.format(image=busybox, test=TEST))
    ws = made.workspace()
    assert not stack.up(ws, stack.select(ws), limits=stack.Limits(40)).failed
    before = started_at(made.project, "db")
    limits = stack.Limits(60, {"db": 3.5})
    report = stack.restart(ws, stack.select(ws), limits=limits)
    assert not report.failed, shown.text(report)
    assert started_at(made.project, "db") != before
    (db,) = report.services
    assert db.started_s is not None
    assert db.healthy_s is not None
    assert db.healthy_s > db.started_s > 3.0, "what the old run's checks said counts no more"
    late = stack.restart(ws, stack.select(ws), limits=stack.Limits(1))
    (failure,) = late.failures
    assert failure.sentence == "db was not started anew within 1 s"
    assert failure.logs == ()
    assert "exit code" not in shown.text(late)
    assert "not started  " not in shown.text(late)


def test_what_does_not_come_back_is_explained(made: Made, busybox: str) -> None:
    made.compose(SPOILT.format(image=busybox, test=TEST))
    ws = made.workspace()
    assert not stack.up(ws, stack.select(ws), limits=stack.Limits(20)).failed
    report = stack.restart(ws, stack.select(ws, services=["db"]), limits=stack.Limits(20))
    (failure,) = report.failures
    assert (failure.service, failure.cause) == ("db", "crash-loop")
    assert "can't create directory" in " ".join(failure.logs)
    assert "✗ db crashes again and again" in shown.text(report)
    assert shown.as_json(report)["verdict"] == "failed"


def test_names_that_nothing_has_are_told_apart(made: Made, busybox: str) -> None:
    made.compose(SPOILT.format(image=busybox, test=TEST))
    ws = made.workspace()
    nothing = stack.select(ws)
    with pytest.raises(CheckFailedError, match=f"nothing of {made.project} runs"):
        stack.restart(ws, nothing)
    with pytest.raises(CheckFailedError, match=r"so there are no logs"):
        stack.logs(ws, nothing)
    assert not stack.ps(ws, stack.select(ws, services=["db"])).services
    for look in (stack.restart, stack.logs, stack.ps):
        with pytest.raises(UsageError, match='unknown service "dbb" — did you mean "db"'):
            look(ws, stack.select(ws, services=["dbb"]))
    with pytest.raises(CheckFailedError, match="db was not started"):
        stack.restart(ws, stack.select(ws, services=["db"]))
