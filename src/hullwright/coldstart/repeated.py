"""Starts from nothing, one after another, in one throwaway that is empty before each."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hullwright.coldstart import lifetime, teardown, throwaway
from hullwright.coldstart.afterwards import afterwards
from hullwright.coldstart.models import ColdRun, ColdStart, Request
from hullwright.coldstart.timeline import critical_path
from hullwright.errors import UsageError
from hullwright.stack import execution
from hullwright.stack import plan as stack_plan
from hullwright.stack.unchecked import unchecked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.coldstart.throwaway import ColdPlan
    from hullwright.config.models import Stack
    from hullwright.stack import Selection, UpReport
    from hullwright.stack.explain import Failure
    from hullwright.workspace import Workspace

_REQUEST: Final = Request()
_UNNAMED: Final = "a volume without a name is new in each start: nothing can find it again"


def run(ws: Workspace, selection: Selection, request: Request = _REQUEST) -> ColdStart:
    """Start a stack from nothing in a throwaway project as often as is asked, and remove it.

    It is removed however this ends, unless it is to be kept; then it is the last one. A start
    that fails is the last one too.

    Args:
        ws: the repository.
        selection: the stack with its values (`hullwright.stack.select`).
        request: what is asked of it.

    Raises:
        UsageError: the stack cannot be isolated (each reason is listed), variables are missing,
            or the project's name belongs to something that is no throwaway.
        LockedError: another run uses that project; it is named.
    """
    check_runs(request.runs)
    with lifetime.interruptible(), opened(ws, selection, request) as series:
        while not series.over:
            series.measure()
        return series.result()


def check_runs(runs: int) -> None:
    """Refuse a number of runs that measures nothing.

    Raises:
        UsageError: it is below 1.
    """
    if runs < 1:
        raise UsageError(
            f"a cold start cannot be measured {runs} times",
            next_step="--runs 1 or more; 3 or more tell how much the runs differ",
        )


@dataclass
class Series:
    """Starts of one stack in a throwaway project of its own.

    Attributes:
        cold: the start as it was planned, once for all of them.
        started: the stack with the override that was written for it.
        title: whose starts these are, for progress; empty where there are no others.
        runs: what came of those that were measured.
    """

    ws: Workspace
    cold: ColdPlan
    started: Selection
    request: Request
    title: str = ""
    runs: list[ColdRun] = field(default_factory=list)
    _there: bool = False
    _warmed: bool = False
    _images: dict[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to measure: all was, or a start failed."""
        return len(self.runs) >= self.request.runs or any(run.failures for run in self.runs)

    def measure(self) -> None:
        """Start it from nothing once more; from the volumes of a first start, where that is asked.

        What was made is removed again, but for what is to be kept.
        """
        if self.request.warm_volumes and not self._warmed:
            first = self._start("make the volumes")
            self._warmed = True
            if first.failures:
                self.runs.append(first)
                return
            self._empty(volumes=False)
        self.runs.append(self._start(self._name))
        if not (self.over and self.request.keep):
            self._empty(volumes=self.over or not self.request.warm_volumes)

    def close(self) -> None:
        """Remove all that is still there, unless it is to be kept; then say how to end it."""
        if not self.request.keep:
            lifetime.remove(self.ws, self.started)
        elif not self.over:
            # No result tells of it: it was interrupted, or a start came to none.
            compose = f"docker compose -p {self.cold.up.project}"
            self.ws.console.note(
                f"left running; look: {compose} ps · remove: {compose} down --volumes"
            )

    def result(self) -> ColdStart:
        """Return what came of all of it."""
        cold, stack = self.cold, self.cold.up.selection.stack
        budget_s = self.request.budget_s
        if budget_s is None and stack.cold_start_budget is not None:
            budget_s = stack.cold_start_budget.total_seconds()
        unnamed = self.request.warm_volumes and _has_unnamed_volumes(cold)
        return ColdStart(
            stack=stack.name,
            project=cold.up.project,
            runs=tuple(self.runs),
            images_present=not (cold.up.missing or cold.up.composed),
            images=dict(self._images),
            budget_s=budget_s,
            kept=self.request.keep,
            fast_probes=cold.fast_probes,
            warm_volumes=self.request.warm_volumes,
            written_probes=cold.written_probes,
            notes=(*cold.isolation.notes, *([_UNNAMED] if unnamed else [])),
        )

    @property
    def _name(self) -> str:
        count = self.request.runs
        which = f"run {len(self.runs) + 1} of {count}" if count > 1 or self.title else ""
        return " ".join(part for part in (which, self.title) if part)

    def _start(self, name: str) -> ColdRun:
        """Return what came of one start; nothing but named volumes is there before it."""
        # What had to be fetched is there from the first start on.
        up = replace(self.cold.up, missing=()) if self._there else self.cold.up
        self._there = True
        report = execution.start(self.ws, up, self.started, limits=self.request.limits)
        self._images.update(report.images)
        # All of it is up and nothing is removed yet: whatever must hold of it is looked at here.
        checked, unheld = afterwards(self.ws, up, report, self.request)
        failures = report.failures or _unchecked(report, up.selection.stack)
        run = ColdRun(
            report.total_s,
            report.services,
            (*failures, *unheld),
            critical_path(report.services),
            checked,
        )
        if name:
            mark = "✗" if run.failures else "✓"
            failed = f"   {run.failures[0].sentence}" if run.failures else ""
            self.ws.console.note(f"{mark} {name}  {run.total_s:.2f} s{failed}")
        return run

    def _empty(self, *, volumes: bool) -> None:
        """Remove what a start made, and let the volumes stay where the next one needs them."""
        if not volumes:
            # In order, and with the time that each has: what it wrote is to be whole.
            argv = self.started.call.argv("--progress", "plain", "stop")
            self.ws.runner.run(*argv, cwd=self.ws.root, env=self.started.environment, check=False)
        with lifetime.uninterrupted():
            teardown.remove(self.ws.runner, self.cold.up.project, volumes=volumes)


@contextmanager
def opened(
    ws: Workspace, selection: Selection, request: Request, *, title: str = ""
) -> Iterator[Series]:
    """Yield a series that was planned and did not start yet; what it makes is removed at the end.

    Raises:
        UsageError, LockedError: as `run`.
    """
    with lifetime.reserved(ws, request.project) as name:
        cold = throwaway.plan(ws, selection, name, fast_probes=request.fast_probes)
        started = stack_plan.applied(ws, cold.up, name)
        series = Series(ws, cold, started, request, title)
        try:
            yield series
        finally:
            series.close()


def _unchecked(report: UpReport, stack: Stack) -> tuple[Failure, ...]:
    """Return a failure for each service that nothing checks, where every one is to be checked."""
    if not stack.require_healthcheck:
        return ()
    accepted = f"require-healthcheck = false in [tool.hullwright.stacks.{stack.name}]"
    return unchecked(report.services, accepted)


def _has_unnamed_volumes(cold: ColdPlan) -> bool:
    return any(
        mount["type"] == "volume" and not mount.get("source")
        for name in cold.up.services
        for mount in cold.up.model.services[name].raw.get("volumes") or ()
    )
