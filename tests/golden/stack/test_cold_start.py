"""What people see of a cold start: the texts that stand beside this file, to the character."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from hullwright.coldstart import Against, Checked, ColdRun, ColdStart, Usual
from hullwright.coldstart.timeline import critical_path
from hullwright.report import coldstart
from hullwright.stack import Failure, ServiceUp
from hullwright.tools.compose import Dependency, Probe
from hullwright.tools.engine import Published

HERE: Final = Path(__file__).parent
AS_DOCUMENTED: Final = Probe(test=("CMD", "x"), interval_s=10.0)
DB: Final = ServiceUp(
    "db", "healthy", created_s=0.21, started_s=0.4, listening_s=1.41, ready_s=1.41,
    healthy_s=1.62, probe_lag_s=0.21, first_log_s=0.44, peak_memory_bytes=41_300_000, cpu_s=0.61,
    probe=replace(AS_DOCUMENTED, start_period_s=30.0, start_interval_s=0.25),
)  # fmt: skip
MIGRATE: Final = ServiceUp(
    "migrate", "completed", created_s=0.24, started_s=1.95, ended_s=2.48, exit_code=0,
    depends_on=("db",), awaits=(Dependency("db", "service_healthy"),), cpu_s=0.4,
)  # fmt: skip
DASHBOARD: Final = ServiceUp(
    "dashboard", "healthy", created_s=0.25, started_s=2.71, listening_s=2.98, ready_s=2.98,
    healthy_s=3.02, probe_lag_s=0.04, depends_on=("db", "migrate"), restarts=1,
    awaits=(
        Dependency("db", "service_healthy"), Dependency("migrate", "service_completed_successfully")
    ),
    published=(Published(8080, "tcp", "127.0.0.1", 8080), Published(8080, "tcp", "::1", 8080)),
    peak_memory_bytes=62_000_000, cpu_s=0.35,
)  # fmt: skip
CACHE: Final = ServiceUp("cache", "healthy", created_s=0.2, started_s=0.41, listening_s=0.43,
                         ready_s=0.43, healthy_s=0.7, probe_lag_s=0.27)  # fmt: skip
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
    "to run", awaits=(Dependency("db"),),
)  # fmt: skip
LATE: Final = ServiceUp(
    "worker", "waiting", created_s=0.3, depends_on=("dashboard",),
    awaits=(Dependency("dashboard", "service_healthy"),),
)  # fmt: skip
CHECKS: Final = (
    Checked("dashboard", "GET /healthz", "held", 0.012),
    Checked("dashboard", "killed", "held", 1.4),
    Checked("db", "killed", "not testable", told="its host process is not to be seen from here"),
)


def once(*services: ServiceUp, total_s: float = 3.02, **more: Any) -> ColdRun:
    return ColdRun(total_s, services, critical_path=critical_path(services), **more)


def cold(*runs: ColdRun, **more: Any) -> ColdStart:
    return ColdStart("default", "hullwright-cold-7f3a", runs, **more)


def later(by_s: float) -> ColdRun:
    """Return the usual run in which the migration, and what comes after it, took longer."""
    late = {
        f"{what}_s": getattr(DASHBOARD, f"{what}_s") + by_s
        for what in ("started", "listening", "ready", "healthy")
    }
    migrate = replace(MIGRATE, ended_s=2.48 + by_s)
    return once(DB, migrate, replace(DASHBOARD, **late), total_s=3.02 + by_s)


def base(*totals_s: float) -> tuple[ColdRun, ...]:
    return tuple(later(total_s - 3.02) for total_s in totals_s)


WRITTEN: Final = replace(DB, listening_s=1.41, healthy_s=3.3, ready_s=1.41, probe_lag_s=1.89,
                         probe=AS_DOCUMENTED)  # fmt: skip
SHOWN: Final = {
    "cold-start": cold(
        once(DASHBOARD, DB, MIGRATE, CACHE), budget_s=20.0, usual=Usual(10, 3.1, "main")
    ),
    "cold-start-runs": cold(
        later(0.1), once(DB, MIGRATE, DASHBOARD, checks=CHECKS), later(-0.11), usual=Usual(1, 3.2),
        written_probes={"db": AS_DOCUMENTED}, warm_volumes=True,
    ),
    "cold-start-slower": cold(
        *base(3.8, 3.86, 3.95),
        against=Against("main", "1a2b3c4d5e6f7a8b", base(2.91, 3.02, 3.2), slower=True,
                        differences=(("migrate", 0.8), ("dashboard", 0.05), ("db", -0.01))),
    ),
    "cold-start-no-slower": cold(
        *base(2.95, 3.05),
        against=Against("v1.4", "1a2b3c4d5e6f7a8b", base(2.91, 3.02), differences=(("db", 0.04),)),
    ),
    "cold-start-quicker": cold(
        *base(2.5, 2.6),
        against=Against("main", "1a2b3c4d5e6f7a8b", base(3.0, 3.1),
                        differences=(("migrate", -0.5),)),
    ),
    "cold-start-advice": cold(
        once(WRITTEN, total_s=3.4), fast_probes=False,
    ),
    "cold-start-over-budget": cold(
        once(DB, total_s=1.65), budget_s=1.0, images_present=False, fast_probes=False, kept=True,
        notes=("db: a fresh volume in place of data",),
    ),
    "cold-start-failed": cold(once(DB, STUCK, LATE, total_s=4.2, failures=(NO_PROGRAM,))),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("form", ["txt", "md", "json"])
def test_it_reads_as_agreed(name: str, form: str) -> None:
    shown = SHOWN[name]
    if form == "json":
        text = json.dumps(coldstart.as_json(shown), indent=2, ensure_ascii=False)
    else:
        text = coldstart.text(shown) if form == "txt" else coldstart.markdown(shown)
    golden = HERE / f"{name}.{form}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == golden.read_text(encoding="utf-8")
