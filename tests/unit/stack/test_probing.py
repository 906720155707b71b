"""Which health checks get fast probes, and which told so late that it is worth a line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hullwright.stack import ServiceUp
from hullwright.stack.override import Override
from hullwright.stack.probing import SlowProbe, add_fast_probes, fast_probes, slow_probes
from hullwright.tools.compose import Model, Probe, parse_model


def model(**checks: Any) -> Model:
    services = {
        name: {"image": name, **({"healthcheck": check} if check else {})}
        for name, check in checks.items()
    }
    return parse_model(json.dumps({"name": "shop", "services": services}))


def test_only_checks_that_leave_it_out_get_fast_probes() -> None:
    shop = model(
        db={"test": ["CMD", "x"], "interval": "10s", "retries": 2},
        web={"test": ["CMD", "x"], "start_interval": "1s", "start_period": "9s"},
        off={"disable": True},
        image=None,
        plain=None,
    )
    found = fast_probes(shop, {"image"})
    assert found == {
        "db": {"start_interval": "250ms", "start_period": "20000ms"},
        "image": {"start_interval": "250ms", "start_period": "90000ms"},
    }
    override = Override()
    add_fast_probes(override, {"db": found["db"]})
    assert override.services == {"db": {"healthcheck": found["db"]}}


def up(**more: Any) -> ServiceUp:
    given = {"status": "healthy", "probe_lag_s": 4.2, **more}
    return ServiceUp("db", **given)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (up(probe=Probe(interval_s=5.0)), SlowProbe("db", 4.2, "250ms", "15s")),
        (up(probe=Probe(start_period_s=60)), SlowProbe("db", 4.2, "250ms", "1m")),
        # The image's own check.
        (up(), SlowProbe("db", 4.2, "250ms", "1m30s")),
        (up(probe_lag_s=1.0), SlowProbe("db", 1.0, "250ms", "1m30s")),
        (up(probe_lag_s=0.99), None),
        (up(probe_lag_s=None), None),
        (up(status="failed"), None),
        (up(probe=Probe(start_interval_s=2.0)), None),
        (up(probe=Probe(interval_s=0.2)), None),
    ],
)
def test_a_check_that_told_a_second_late_is_worth_a_line(
    service: ServiceUp, expected: SlowProbe | None
) -> None:
    assert slow_probes([service]) == ((expected,) if expected else ())
