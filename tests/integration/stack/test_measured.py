"""What is measured of a start, on the real engine and the real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright import stack
from hullwright.report import stack as shown

if TYPE_CHECKING:
    from composing import Made

pytestmark = pytest.mark.docker

# `late` listens after it has settled, `seed` is gone before anybody could ask for its process
# twice, and `quiet` has a log that cannot be read.
SERVICES = """
  web:
    image: {image}
    command: sh -c "echo one; echo two >&2; exec httpd -f -p 80"
    stop_grace_period: 0s
    scale: 3
    expose: ["80"]
    healthcheck:
      test: wget -q -O - http://127.0.0.1/bin/sh
      interval: 5s
      start_period: 60s
      start_interval: 100ms
  late:
    image: {image}
    command: sh -c "sleep 1.6; exec httpd -f -p 8080"
    stop_grace_period: 0s
  slow:
    image: {image}
    command: sleep 60
    stop_grace_period: 0s
    healthcheck: {{test: "true", interval: 3s}}
  seed:
    image: {image}
    command: sh -c "echo seeding; i=0; while [ $$i -lt 60000 ]; do i=$$((i+1)); done"
    restart: "no"
  quiet:
    image: {image}
    command: sh -c "echo nobody reads this; sleep 60"
    stop_grace_period: 0s
    logging: {{driver: none}}
"""


def test_lines_sockets_memory_and_processor_are_measured(made: Made, busybox: str) -> None:
    made.compose(SERVICES.format(image=busybox))
    ws = made.workspace()
    report = stack.up(ws, stack.select(ws), limits=stack.Limits(40))
    assert not report.failed, shown.text(report)
    by_name = {each.service: each for each in report.services}
    assert {name: each.status for name, each in by_name.items()} == {
        "web": "healthy",
        "late": "unknown",
        "slow": "healthy",
        "seed": "completed",
        "quiet": "unknown",
    }
    web, late, seed, quiet = (by_name[name] for name in ("web", "late", "seed", "quiet"))
    for each in by_name.values():
        assert each.peak_memory_bytes is not None, each
        assert each.peak_memory_bytes > 50_000
        assert each.cpu_s is not None
        assert 0 < each.cpu_s < report.total_s * 2
    assert web.first_log_s is not None
    assert web.started_s is not None
    assert web.healthy_s is not None
    assert web.started_s <= web.first_log_s + 1
    assert seed.first_log_s is not None
    assert quiet.first_log_s is None
    # Three containers of it use more than one.
    assert late.peak_memory_bytes is not None
    assert web.peak_memory_bytes is not None
    assert web.peak_memory_bytes > late.peak_memory_bytes
    # `slow` holds the wait open for three seconds, so what listens meanwhile is seen.
    assert late.started_s is not None
    assert late.ready_s is not None
    assert late.ready_s - late.started_s > 1.5


def test_the_services_own_limit_is_the_one_that_is_told(made: Made, busybox: str) -> None:
    made.compose(f"""
  app:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    healthcheck: {{test: "false", interval: 60s, start_period: 60s}}
""")
    ws = made.workspace()
    report = stack.up(ws, stack.select(ws), limits=stack.Limits(60, {"app": 0.5}))
    (failure,) = report.failures
    assert failure.cause == "never-ready"
    assert "0.5 s" in failure.sentence or "of its start" in failure.sentence
    assert report.total_s < 20
