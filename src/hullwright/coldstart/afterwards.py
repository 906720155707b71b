"""What is done with a throwaway stack once it is up: its checks, and the kill test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.coldstart import killing
from hullwright.stack import checks, execution
from hullwright.tools import engine

if TYPE_CHECKING:
    from hullwright.coldstart.models import Request
    from hullwright.stack import Failure, UpPlan, UpReport
    from hullwright.stack.checks import Checked
    from hullwright.workspace import Workspace


def afterwards(
    ws: Workspace, plan: UpPlan, report: UpReport, request: Request
) -> tuple[tuple[Checked, ...], tuple[Failure, ...]]:
    """Return what came of the checks and the kill test of a stack, and why one failed.

    Of a stack that did not come up nothing is looked at.

    Raises:
        UsageError: a check names no port, and its service has several.
    """
    if report.failures:
        return (), ()
    checked, failures = checks.of_stack(ws, plan)
    if not request.kill_test:
        return checked, failures
    selection = plan.selection
    with ws.console.step("kill what restarts"):
        killed = killing.kill_test(
            ws,
            plan.project,
            plan.services,
            execution.limit_s(selection, request.limits),
            execution.timeouts_s(selection, request.limits),
        )
    there = engine.of_project(ws.runner, plan.project)
    return (*checked, *killed), (*failures, *killing.failures(ws, killed, there))
