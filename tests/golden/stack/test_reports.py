"""What people see of a start: the texts that stand beside this file, to the character."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.report import stack
from hullwright.stack import DownPlan, Failure, ServiceState, ServiceUp, StackState, UpReport
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
LATE: Final = ServiceUp("worker", "waiting", created_s=0.3, depends_on=("dashboard",))


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
            "1.4.1",
            DASHBOARD.published,
        ),
        ServiceState(
            "migrate", "hullwright-migrate-1", "exited", "none", 0, None, 0, "h:1", "1.4.1"
        ),
        ServiceState("plain", "hullwright-plain-1", "running", "none", 0, 190_000, 0, "p:2", ""),
    ),
)
SHOWN: Final[dict[str, tuple[ModuleType, object]]] = {
    "up": (
        stack,
        UpReport(
            "default", "hullwright", 3.02, (DB, MIGRATE, DASHBOARD),
            images={"dashboard": "hullwright:1.4.1@sha256:0123456789ab"},
        ),
    ),
    "up-failed": (
        stack,
        UpReport("default", "hullwright", 4.2, (DB, STUCK, LATE), (NO_PROGRAM,)),
    ),
    "ps": (stack, STATE),
    "ps-nothing": (stack, StackState("default", "hullwright", ())),
    "down": (stack, DownPlan("hullwright", ("hullwright-db-1",), ("a", "b"), (), ("db/password",))),
    "down-nothing": (stack, DownPlan("hullwright", (), ())),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("form", ["txt", "md", "json"])
def test_it_reads_as_agreed(name: str, form: str) -> None:
    report, shown = SHOWN[name]
    if form == "json":
        text = json.dumps(report.as_json(shown), indent=2, ensure_ascii=False)
    else:
        text = report.text(shown) if form == "txt" else report.markdown(shown)
    assert f"{text}\n" == (HERE / f"{name}.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"), (42, "42 s"), (60, "1 min"), (185, "3 min 5 s"), (3600, "1 h"),
        (7500, "2 h 5 min"), (190_000, "2 d 4 h"), (3605, "1 h"),
    ],
)  # fmt: skip
def test_lengths_of_time_have_the_two_units_that_matter(seconds: float, text: str) -> None:
    assert stack.duration(seconds) == text
