"""Whether one stack starts slower than another one, and which services make the difference."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Final

from hullwright.coldstart.analysis import analysed, takes_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.coldstart.models import ColdRun, ColdStart

# Less than this nobody minds, however surely it was measured.
LEAST_PART: Final = 0.10
LEAST_S: Final = 0.3
# So many runs have a spread that is their whole range; with more, medians are known better.
_RUNS: Final = 3


def is_slower(base_s: Sequence[float], head_s: Sequence[float]) -> bool:
    """Return whether ours is slower than the base, beyond what starts differ by chance.

    It is where the median of ours exceeds the base's by more than 10 %, and by more than 0.3 s,
    and by more than `spread_s` of either side. The totals are of runs that took turns in one job:
    those of different jobs cannot be compared.

    Of equal stacks whose times are nothing but noise this calls 3 in 100 slower with three runs
    of each, 2 with five, 1 with seven; less where the noise is small beside 10 %. A difference of
    twice the standard deviation is found every second time with three runs, and two times in
    three with seven. (Simulated with normal and with one-sided noise.)
    """
    if min(len(base_s), len(head_s)) < 2:
        return False
    base_median_s = statistics.median(base_s)
    more_s = statistics.median(head_s) - base_median_s
    least_s = max(LEAST_S, LEAST_PART * base_median_s)
    return more_s > max(least_s, spread_s(base_s), spread_s(head_s))


def spread_s(totals_s: Sequence[float]) -> float:
    """Return by how much medians of so many runs may differ by chance, of two runs or more.

    It is twice the distance between their quartiles, times the root of 3 / n: of three runs
    exactly their range. A single run that was held up does not widen that of five or more, and
    it shrinks with further runs as the error of a median does.
    """
    low_s, _, high_s = statistics.quantiles(totals_s, n=4, method="inclusive")
    return 2 * (high_s - low_s) * math.sqrt(_RUNS / len(totals_s))


def differences(base: Sequence[ColdRun], head: Sequence[ColdRun]) -> tuple[tuple[str, float], ...]:
    """Return by how many seconds each service takes longer in ours, largest first.

    A service takes from the end of what it waits for to its own end; medians of the runs are
    compared. Those count that are on the critical path of any run; one that only a side has
    counts with all its time.
    """
    before, now = _usual_s(base), _usual_s(head)
    on_path = dict.fromkeys(name for run in (*head, *base) for name in run.critical_path)
    found = [
        (name, round(now.get(name, 0.0) - before.get(name, 0.0), 3))
        for name in on_path
        if name in before or name in now
    ]
    return tuple(sorted(found, key=lambda each: -each[1]))


def longest(run: ColdRun) -> tuple[str, float] | None:
    """Return the service of the critical path that took longest by itself, and its seconds."""
    parts = analysed(run).parts
    if not parts:
        return None
    most = max(parts, key=lambda part: part.own_s)
    return most.service, most.own_s


def told(shown: ColdStart) -> str:
    """Return in one line what came of a cold start, with the service that made the difference."""
    start = f"cold start of {shown.stack}"
    if shown.failures:
        return f"{start}: {shown.failures[0].sentence}"
    most = longest(shown.typical)
    if shown.verdict == "over budget":
        part = f"; longest was {most[0]}, {most[1]:.2f} s by itself" if most else ""
        return f"{start}: {shown.median_s:.2f} s, over its budget of {shown.budget_s:g} s{part}"
    if shown.verdict == "slower" and shown.against is not None:
        more_s = shown.median_s - shown.against.median_s
        by = next(iter(shown.against.differences), None)
        part = f"; {by[0]} takes {by[1]:.2f} s longer" if by and by[1] > 0 else ""
        return f"{start}: {more_s:.2f} s slower than {shown.against.ref}{part}"
    return f"{start}: {shown.median_s:.2f} s"


def _usual_s(runs: Sequence[ColdRun]) -> dict[str, float]:
    taken: dict[str, list[float]] = {}
    for run in runs:
        for name, seconds in takes_s(run.services).items():
            taken.setdefault(name, []).append(seconds)
    return {name: statistics.median(each) for name, each in taken.items()}
