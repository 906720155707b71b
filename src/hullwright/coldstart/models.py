"""What is asked of a cold start, and what came of it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hullwright.stack.checks import Checked
from hullwright.stack.expected import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.stack import ServiceUp
    from hullwright.stack.explain import Failure
    from hullwright.tools.compose import Probe

__all__ = ["Against", "Checked", "ColdRun", "ColdStart", "Request", "Usual"]

Verdict = Literal["healthy", "failed", "over budget", "slower"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a cold start.

    Attributes:
        project: name of the throwaway project; None for a new one.
        keep: whether it is left running; of several runs, the last.
        limits: longest waits; where they say none, the stack's own.
        budget_s: longest start that is accepted; None for the stack's own.
        fast_probes: whether health checks that leave `start_interval` out get 250 ms.
        runs: how often it is measured.
        warm_volumes: whether the volumes are those of a first start, which is not counted.
        kill_test: whether each service with a restart policy is killed, and must come back.
    """

    project: str | None = None
    keep: bool = False
    limits: Limits = field(default_factory=Limits)
    budget_s: float | None = None
    fast_probes: bool = True
    runs: int = 1
    warm_volumes: bool = False
    kill_test: bool = False


@dataclass(frozen=True, slots=True)
class ColdRun:
    """One start of a cold start.

    Attributes:
        total_s: from the start of the first container's making to the verdict.
        services: in the model's order.
        failures: why it did not come up, or what did not hold then; empty where all is well.
        critical_path: services that made it as long as it was, first to last.
        checks: what was looked at once it was up.
    """

    total_s: float
    services: tuple[ServiceUp, ...]
    failures: tuple[Failure, ...] = ()
    critical_path: tuple[str, ...] = ()
    checks: tuple[Checked, ...] = ()


@dataclass(frozen=True, slots=True)
class Against:
    """The same stack as another revision has it, started in turn with this one.

    Attributes:
        ref: the revision as it was asked for.
        revision: its commit.
        runs: its starts, in the order in which they took turns with ours.
        slower: whether ours is slower beyond what the runs differ among themselves.
        differences: (service, seconds) by which each service on either critical path takes
            longer in ours from the end of what it waits for to its own, largest first.
    """

    ref: str
    revision: str
    runs: tuple[ColdRun, ...]
    slower: bool = False
    differences: tuple[tuple[str, float], ...] = ()

    @property
    def median_s(self) -> float:
        """The median of its totals."""
        return statistics.median(run.total_s for run in self.runs)


@dataclass(frozen=True, slots=True)
class Usual:
    """What earlier cold starts of the same stack, started in the same way, took.

    Attributes:
        runs: how many of them.
        median_s: the median of their medians.
        branch: the branch that they were of; empty where they were of any.
    """

    runs: int
    median_s: float
    branch: str = ""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """A cold start, measured once or several times.

    Attributes:
        images_present: whether every image was in the local store before.
        images: what each service ran, for people.
        budget_s: longest that is accepted; None for no limit.
        kept: the throwaway project was left running.
        warm_volumes: the volumes were those of an earlier start.
        notes: what was other than in the developer's own stack.
        against: the other revision that it was compared with.
        usual: what earlier ones took; None where there are none.
        written_probes: health checks as the files have them, where this one probed faster.
    """

    stack: str
    project: str
    runs: tuple[ColdRun, ...]
    images_present: bool = True
    images: Mapping[str, str] = field(default_factory=dict)
    budget_s: float | None = None
    kept: bool = False
    fast_probes: bool = True
    warm_volumes: bool = False
    notes: tuple[str, ...] = ()
    against: Against | None = None
    usual: Usual | None = None
    written_probes: Mapping[str, Probe] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why the first run failed that did; empty where all held."""
        return next((run.failures for run in self.runs if run.failures), ())

    @property
    def median_s(self) -> float:
        """The median of the totals, seconds."""
        return statistics.median(run.total_s for run in self.runs)

    @property
    def typical(self) -> ColdRun:
        """The run that is shown: one that failed, else the one that is nearest the median."""
        failed = [run for run in self.runs if run.failures]
        return min(failed or self.runs, key=lambda run: abs(run.total_s - self.median_s))

    @property
    def verdict(self) -> Verdict:
        """Whether it came up, within its budget, and no slower than what it is compared with."""
        if self.failures:
            return "failed"
        if self.budget_s is not None and self.median_s > self.budget_s:
            return "over budget"
        return "slower" if self.against is not None and self.against.slower else "healthy"

    @property
    def failed(self) -> bool:
        """Whether the check did not hold."""
        return self.verdict != "healthy"
