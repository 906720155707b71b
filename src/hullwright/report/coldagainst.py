"""A cold start held against another revision's: what made the difference, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.report import failures
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.coldstart import Against, ColdRun, ColdStart

# Differences below this are those of the machine.
_TOLD_S: Final = 0.02
_MOST_ROWS: Final = 8


def text(shown: ColdStart, against: Against) -> str:
    """Return the comparison: the first line says which service made the difference."""
    rows = [[name, spread(runs)] for name, runs in _sides(shown, against)]
    rows += [[name, _signed(by_s)] for name, by_s in _told(against)]
    table = "\n".join(f"  {line}" for line in aligned(rows, gap=3).splitlines())
    return f"{sentence(shown, against)}\n{table}"


def markdown(shown: ColdStart, against: Against) -> str:
    """Return the comparison for a pull request or a job summary."""
    sides = [[name, spread(runs)] for name, runs in _sides(shown, against)]
    blocks = [f"**{sentence(shown, against)}**", markdown_table(("revision", "took"), sides)]
    services = [[name, _signed(by_s)] for name, by_s in _told(against)]
    if services:
        header = ("service", f"here, against {against.ref}")
        blocks.append(markdown_table(header, services, right=(1,)))
    return "\n\n".join(blocks)


def as_json(shown: ColdStart, against: Against) -> dict[str, Any]:
    """Return the comparison as documented values."""
    return {
        "ref": against.ref,
        "revision": against.revision,
        "totals_s": [round(run.total_s, 3) for run in against.runs],
        "median_s": round(against.median_s, 3),
        "difference_s": round(shown.median_s - against.median_s, 3),
        "slower": against.slower,
        "services": [
            {"service": name, "difference_s": round(by_s, 3)} for name, by_s in against.differences
        ],
        "failures": failures.as_json(_failures(against)),
    }


def sentence(shown: ColdStart, against: Against) -> str:
    """Return which service made the difference and by how much, or that there is none."""
    named = f"{against.ref} ({against.revision[:10]})"
    base_failed = _failures(against)
    if base_failed:
        return f"✗ {named} does not come up itself: {base_failed[0].sentence}"
    by_s = shown.median_s - against.median_s
    if against.slower:
        return f"✗ {by_s:.2f} s slower than {named}{_made_by(against, slower=True)}"
    if min(len(shown.runs), len(against.runs)) < 2:
        return f"{_signed(by_s)} against {named}: a single run says no more"
    if max(run.total_s for run in shown.runs) < min(run.total_s for run in against.runs):
        return f"{-by_s:.2f} s quicker than {named}{_made_by(against, slower=False)}"
    return f"no slower than {named}: {_signed(by_s)}"


def spread(runs: Sequence[ColdRun]) -> str:
    """Return how long some starts took: `3.02 s`, or `median 3.02 s of 5 runs, 2.91 to 3.20 s`."""
    totals = sorted(run.total_s for run in runs)
    if len(totals) == 1:
        return f"{totals[0]:.2f} s"
    middle = len(totals) // 2
    median_s = totals[middle] if len(totals) % 2 else (totals[middle - 1] + totals[middle]) / 2
    return f"median {median_s:.2f} s of {len(totals)} runs, {totals[0]:.2f} to {totals[-1]:.2f} s"


def _made_by(against: Against, *, slower: bool) -> str:
    """Return the service that made most of a difference, and by how much."""
    sign = 1 if slower else -1
    name, by_s = max(against.differences, key=lambda each: sign * each[1], default=("", 0.0))
    if sign * by_s < _TOLD_S:
        return ""
    return f": {name} takes {abs(by_s):.2f} s {'longer' if slower else 'less'}"


def _sides(
    shown: ColdStart, against: Against
) -> tuple[tuple[str, Sequence[ColdRun]], tuple[str, Sequence[ColdRun]]]:
    return ("here", shown.runs), (against.ref, against.runs)


def _told(against: Against) -> list[tuple[str, float]]:
    worth = [(name, by_s) for name, by_s in against.differences if abs(by_s) >= _TOLD_S]
    return sorted(worth, key=lambda each: -abs(each[1]))[:_MOST_ROWS]


def _failures(against: Against) -> Any:
    return next((run.failures for run in against.runs if run.failures), ())


def _signed(by_s: float) -> str:
    return f"{'+' if by_s >= 0 else '−'}{abs(by_s):.2f} s"
