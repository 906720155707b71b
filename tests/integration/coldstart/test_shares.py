"""Where the time of a real cold start went: the path by its conditions, and shares that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright import coldstart, stack
from hullwright.coldstart.analysis import analysed
from hullwright.report import coldstart as shown
from hullwright.report.coldtimeline import html

if TYPE_CHECKING:
    from composing import Made

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_thrown_away_is_left")]

# `late` is done last, and waits for `web` only until that is started.
CHAIN = """
  db: &served
    image: {image}
    command: httpd -f -p 80
    stop_grace_period: 0s
    expose: ["80"]
    healthcheck: {{test: "wget -q -O - http://127.0.0.1/bin/sh", interval: 60s}}
  aside:
    <<: *served
  seed:
    image: {image}
    command: sh -c "exit 0"
    restart: "no"
    depends_on: {{db: {{condition: service_healthy}}}}
  web:
    <<: *served
    scale: 2
    depends_on: {{seed: {{condition: service_completed_successfully}}}}
  late:
    <<: *served
    command: sh -c "sleep 2; exec httpd -f -p 80"
    depends_on: [web, aside]
"""


def test_the_path_goes_by_conditions_and_its_shares_make_up_the_total(
    made: Made, busybox: str
) -> None:
    made.compose(CHAIN.format(image=busybox))
    ws = made.workspace()
    report = coldstart.run(ws, stack.select(ws), coldstart.Request(limits=stack.Limits(60)))
    assert report.verdict == "healthy", shown.text(report)
    run = report.typical
    assert run.critical_path == ("db", "seed", "web", "late")
    found = analysed(run, report.written_probes)
    assert [part.service for part in found.parts] == ["db", "seed", "web", "late"]
    assert found.own_s + found.probe_lag_s + found.compose_s == pytest.approx(run.total_s)
    web, late = found.parts[2:]
    # It was waited for until its containers ran, and no longer.
    assert web.own_s == 0.0
    assert late.own_s >= 1.9
    # As the files have it, the first probe comes a minute after the start.
    told = {each.service: each for each in found.suggestions}
    assert told["db"].saves_s > 30
    assert not told["db"].here
    assert "seed" not in told
    assert html(report, title="x").count('class="bar ') >= 10
