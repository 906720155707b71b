"""Which targets go into which bake run, so that everything that can be built is built.

By default one run builds all; where a builder has several nodes, one on each at the same time. Bake
cancels all others when one target fails (https://github.com/docker/buildx/issues/3297): those that
were cancelled go again in a further run, in which finished steps come from the cache. With a limit
on builds in flight each target has a run of its own, started in the plan's order as what it needs
is done.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.build.nodes import gone
from hullwright.build.present import other_builder
from hullwright.build.results import CANCELLED, lost

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.build.models import PlannedTarget
    from hullwright.build.outcome import TargetResult
    from hullwright.build.results import Judge
    from hullwright.build.running import Baker, Ran

INTERRUPTED: Final = "interrupted"
_FAIL_FAST: Final = "stopped by --fail-fast"
# How long interrupted builds may take to end before they are killed.
_GRACE_S: Final = 10.0
# How often a run that was just starting is looked for, to be interrupted too.
_LOOK_S: Final = 0.2


@dataclass
class Schedule:
    """Builds what a plan decided to build.

    Attributes:
        settled: what became of targets, by bake's name.
        rans: the bake runs, in the order in which they ended.
        interrupted: whether Ctrl-C ended it.
    """

    baker: Baker
    judge: Judge
    settled: dict[str, TargetResult]
    rans: list[Ran] = field(default_factory=list)
    interrupted: bool = False
    _stopped: bool = False
    _again: set[str] = field(default_factory=set)
    _flying: dict[Future[Ran], Sequence[PlannedTarget]] = field(default_factory=dict)

    def run(self) -> None:
        """Build until everything is built, failed or cannot be built.

        Raises:
            UnavailableError: there is no engine or no usable buildx.
        """
        plan = self.baker.plan
        waiting = [planned for planned in plan.building if planned.name not in self.settled]
        count = len(waiting)
        pooled = 0 < plan.jobs < count
        nodes = len({planned.node for planned in waiting})
        with ThreadPoolExecutor(max_workers=plan.jobs if pooled else max(1, nodes)) as pool:
            try:
                while self._flying or (waiting and not self._stopped):
                    if not self._stopped:
                        self._start(pool, waiting, pooled=pooled)
                    wait(self._flying, return_when=FIRST_COMPLETED)
                    self._land()
                    waiting = [t for t in waiting if t.name not in self.settled]
            except KeyboardInterrupt:
                self.interrupted = self._stopped = True
                self._end()
        self._skip_rest(plan.building)

    def _start(
        self, pool: ThreadPoolExecutor, waiting: Sequence[PlannedTarget], *, pooled: bool
    ) -> None:
        """Start what can be started now, as far as there is room for it."""
        flying = {planned.name for run in self._flying.values() for planned in run}
        if not pooled:
            self._start_nodes(pool, waiting)
            return
        undone = {planned.name for planned in waiting}
        ready = [t for t in waiting if undone.isdisjoint(t.links.values()) and t.name not in flying]
        for planned in ready[: self.baker.plan.jobs - len(flying)]:
            self._fly(pool, [planned])

    def _start_nodes(self, pool: ThreadPoolExecutor, waiting: Sequence[PlannedTarget]) -> None:
        """Start one run on each node that has none; without nodes there is one run for all."""
        busy = {planned.node for run in self._flying.values() for planned in run}
        for node in dict.fromkeys(planned.node for planned in waiting):
            if node not in busy:
                self._fly(pool, [planned for planned in waiting if planned.node == node])

    def _fly(self, pool: ThreadPoolExecutor, targets: Sequence[PlannedTarget]) -> None:
        self._flying[pool.submit(self.baker.bake, targets, self._there())] = targets

    def _land(self) -> None:
        """Take what came of the runs that ended."""
        for future in [future for future in self._flying if future.done()]:
            del self._flying[future]
            self._settle(future.result())

    def _end(self) -> None:
        """Let interrupted runs end, and take what they had built by then.

        Ctrl-C is passed on, for it may have reached this process only. A second one kills.
        """
        began_s = time.monotonic()
        kill = False
        while not all(future.done() for future in self._flying):
            try:
                self.baker.ws.runner.interrupt(kill=kill)
                wait(self._flying, timeout=_LOOK_S)
            except KeyboardInterrupt:
                kill = True
            kill = kill or time.monotonic() - began_s > _GRACE_S
        self._land()

    def _settle(self, ran: Ran) -> None:
        """Keep what a run built and what failed in it; what needs a failed one is skipped."""
        self.rans.append(ran)
        results = self._results(ran)
        done = {name: result for name, result in results.items() if result.reason != CANCELLED}
        for name in self._unexported(done):
            del done[name]
        self.settled.update(done)
        self._skip_dependents()
        failed = any(result.status == "failed" for result in done.values())
        if failed and self.baker.plan.fail_fast:
            self._stopped = True
            # What runs beside it ends too, as it does where bake builds all together.
            self.baker.ws.runner.interrupt()

    def _results(self, ran: Ran) -> dict[str, TargetResult]:
        """Return what a run means; where its node went away, that is why all of it failed."""
        results = self.judge.of(ran, interrupted=self._stopped)
        place, node = self.baker.plan.place, ran.targets[0].node
        if place is None or ran.result.ok or self._stopped:
            return results
        why = gone(self.baker.ws, place, node)
        return lost(results, ran, why) if why else results

    def _unexported(self, results: Mapping[str, TargetResult]) -> set[str]:
        """Return what was made and failed to be stored for the first time: it goes once more.

        A store that another run or a cleaning uses at the same moment can lose a snapshot under an
        export; its steps are in the cache, so a second try costs little.
        """
        unstored = {
            n for n, result in results.items() if result.failure and result.failure.exporting
        }
        unstored -= self._again
        self._again |= unstored
        return unstored

    def _skip_dependents(self) -> None:
        """Skip what is built on what failed, directly or by way of others."""
        # Each target stands after those that it is built on, so one look is enough.
        blame: dict[str, str] = {}
        for planned in self.baker.plan.targets:
            result = self.settled.get(planned.name)
            if result and result.status == "failed":
                blame[planned.name] = f"{planned.service} {planned.target}".strip()
            for sibling in planned.links.values():
                if sibling in blame and (result is None or result.status == "skipped"):
                    blame[planned.name] = blame[sibling]
                    reason = f"needs {blame[sibling]}, which failed"
                    self.settled[planned.name] = self.judge.skipped(planned, reason)
                    break

    def _skip_rest(self, planned: Iterable[PlannedTarget]) -> None:
        reason = INTERRUPTED if self.interrupted else _FAIL_FAST
        for target in planned:
            if target.name not in self.settled:
                self.settled[target.name] = self.judge.skipped(target, reason)

    def _there(self) -> Mapping[str, str]:
        """Return the images of siblings that were built, as contexts have them."""
        # Another builder than the engine's own does not see the local store.
        if other_builder(self.baker.ws):
            return {}
        # With its tag: BuildKit does not find it in the local store by the digest alone.
        return {
            name: f"docker-image://{result.reference}@{result.digest}"
            for name, result in self.settled.items()
            if result.stored and result.status in {"built", "current"}
        }
