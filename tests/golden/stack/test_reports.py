"""What people see of a start: the texts that stand beside this file, to the character."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.report import ending, stack, stats
from hullwright.report.several import Several
from hullwright.stack import (
    ContainerStats,
    DownPlan,
    Failure,
    ServiceState,
    ServiceUp,
    SlowProbe,
    StackState,
    StackStats,
    StopPlan,
    UpReport,
)
from hullwright.tools.containerstats import Usage
from hullwright.tools.engine import Published

if TYPE_CHECKING:
    from types import ModuleType

HERE: Final = Path(__file__).parent
DB: Final = ServiceUp(
    "db", "healthy", created_s=0.21, started_s=0.4, listening_s=1.41, ready_s=1.41,
    healthy_s=1.62, probe_lag_s=0.21,
)  # fmt: skip
MIGRATE: Final = ServiceUp(
    "migrate", "completed", created_s=0.24, started_s=1.95, ended_s=2.48, exit_code=0,
    depends_on=("db",),
)  # fmt: skip
DASHBOARD: Final = ServiceUp(
    "dashboard", "healthy", created_s=0.25, started_s=2.71, listening_s=2.98, ready_s=2.98,
    healthy_s=3.02, probe_lag_s=0.04, depends_on=("db", "migrate"),
    published=(Published(8080, "tcp", "127.0.0.1", 8080), Published(8080, "tcp", "::1", 8080)),
)  # fmt: skip
NO_PROGRAM: Final = Failure(
    "dashboard",
    "probe-cannot-run",
    "dashboard cannot become healthy: its health check has no program to run",
    (
        ("check", "CMD curl -f http://127.0.0.1:8080/healthz"),
        ("result", 'could not start: "curl": executable file not found in $PATH'),
        ("note", "the service itself has been listening on 8080 since 1.2 s"),
        ("try", 'a check that the image contains, e.g. test: ["CMD", "myprogram", "ping"]'),
        ("logs", "invoke logs --service dashboard   (the last 2 follow)"),
    ),
    ("INFO started", "INFO listening on 8080"),
)
STUCK: Final = ServiceUp(
    "dashboard", "failed", created_s=0.25, started_s=1.0, listening_s=1.2, ready_s=1.2,
    depends_on=("db",), reason="dashboard cannot become healthy: its health check has no program "
    "to run",
)  # fmt: skip
LATE: Final = ServiceUp(
    "worker", "waiting", created_s=0.3, depends_on=("dashboard",),
    reason="worker was not started: it depends on dashboard",
)  # fmt: skip
SLOW: Final = ServiceUp("cache", "waiting", created_s=0.3, started_s=0.6, shows="starting")


STATE: Final = StackState(
    "default",
    "hullwright",
    (
        ServiceState("db", "hullwright-db-1", "running", "healthy", 0, 7500, 0, "postgres:17", ""),
        ServiceState(
            "dashboard",
            "hullwright-dashboard-1",
            "running",
            "starting",
            0,
            42,
            2,
            "hullwright:1.4.1",
            "1.4.1-0.dev.11+g1a2b3c4",
            DASHBOARD.published,
            "1a2b3c4",
            "hullwright",
            "behind",
            3,
        ),
        ServiceState(
            "migrate",
            "hullwright-migrate-1",
            "exited",
            "none",
            0,
            None,
            0,
            "h:1",
            "1.4.1",
            revision="5d6e7f8",
            built_service="hullwright",
            standing="current",
            commits_behind=0,
        ),
        ServiceState("plain", "hullwright-plain-1", "running", "none", 0, 190_000, 0, "p:2", ""),
    ),
)
BEGUN: Final = ServiceUp("dashboard", "waiting", created_s=0.25, started_s=0.5)
MIB: Final = 2**20
STATS: Final = StackStats(
    "default",
    "hullwright",
    (
        ContainerStats(
            "db",
            "hullwright-db-1",
            Usage("1a", 12.34, 48 * MIB, 64 * MIB, 103_000, 75_200, 0, 12_300_000, 6),
            64 * MIB,
        ),
        ContainerStats("web", "hullwright-web-1", Usage("2b", None, 356_352, 25_000_000_000)),
    ),
)
SHOWN: Final[dict[str, tuple[ModuleType | Several, object]]] = {
    "up": (
        stack,
        UpReport(
            "default", "hullwright", 3.02, (DB, MIGRATE, DASHBOARD),
            images={"dashboard": "hullwright:1.4.1@sha256:0123456789ab"},
        ),
    ),
    "up-failed": (
        stack,
        UpReport("default", "hullwright", 4.2, (DB, STUCK, SLOW, LATE), (NO_PROGRAM,)),
    ),
    "ps": (stack, STATE),
    "ps-scaled": (
        stack,
        StackState(
            "default",
            "shop",
            (
                *(
                    ServiceState(
                        "web", f"shop-web-{n}", "running", "healthy", 0, 60, 0, "w:1", "", number=n
                    )
                    for n in (1, 2, 3)
                ),
                ServiceState("db", "shop-db-1", "running", "healthy", 0, 60, 0, "db:1", ""),
            ),
        ),
    ),
    "ps-nothing": (stack, StackState("default", "hullwright", ())),
    "up-started": (
        stack,
        UpReport("default", "hullwright", 0.6, (DB, BEGUN, LATE), waited=False),
    ),
    "up-slow-probes": (
        stack,
        UpReport(
            "default", "hullwright", 5.3, (DB,),
            slow_probes=(
                SlowProbe("db", 3.58, "250ms", "15s"),
                SlowProbe("cache", 4.9, "250ms", "15s"),
                SlowProbe("web", 2.04, "250ms", "1m30s"),
            ),
        ),
    ),
    "down": (
        ending, DownPlan("hullwright", ("hullwright-db-1",), ("a", "b"), (), ("db/password",))
    ),
    "down-all": (
        ending,
        DownPlan(
            "hullwright", ("hullwright-db-1",), ("a",), ("hullwright_data",), (),
            ("hullwright:1.4.1",), (("postgres:17", "other-db-1"),),
        ),
    ),
    "down-no-volumes": (
        ending, DownPlan("hullwright", ("hullwright-db-1",), ("a",), keeps_volumes=False)
    ),
    "down-nothing": (ending, DownPlan("hullwright", (), ())),
    "stop": (
        ending,
        StopPlan(
            "default", "hullwright", ("hullwright-db-1", "hullwright-web-1"), ("db", "web"),
            (("hullwright-migrate-1", "has ended with 0"),),
        ),
    ),
    "stop-nothing": (ending, StopPlan("default", "hullwright", ())),
    "stats": (stats, STATS),
    "stats-nothing": (stats, StackStats("default", "hullwright", ())),
    "several": (
        Several(stats, "not looked at", ("web", "jobs")),
        (STATS, StackStats("tools", "tools", ())),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("form", ["txt", "md", "json"])
def test_it_reads_as_agreed(name: str, form: str) -> None:
    report: Any
    report, shown = SHOWN[name]
    if form == "json":
        text = json.dumps(report.as_json(shown), indent=2, ensure_ascii=False)
    else:
        text = report.text(shown) if form == "txt" else report.markdown(shown)
    path = HERE / f"{name}.{form}"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"), (42, "42 s"), (60, "1 min"), (185, "3 min 5 s"), (3600, "1 h"),
        (7500, "2 h 5 min"), (190_000, "2 d 4 h"), (3605, "1 h"),
    ],
)  # fmt: skip
def test_lengths_of_time_have_the_two_units_that_matter(seconds: float, text: str) -> None:
    assert stack.duration(seconds) == text
