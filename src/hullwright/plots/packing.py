"""Where the bars of a lane stand: what is too short to be seen is gathered, the rest gets rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.plots.axis import seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.plots.lanes import Bar

_MOST_ROWS: Final = 24
_TOLD_NAMES: Final = 8


def gathered(bars: Iterable[Bar], shortest_s: float) -> list[Bar]:
    """Return the bars by their start; those shorter than `shortest_s` that touch become one.

    Kinds are never mixed, what failed always stands by itself, and so nothing of note disappears.
    """
    kept: list[Bar] = []
    open_groups: dict[str, list[Bar]] = {}
    for bar in sorted(bars, key=lambda bar: (bar.start_s, bar.end_s)):
        if bar.kind == "failed" or bar.end_s - bar.start_s >= shortest_s:
            kept.append(bar)
            continue
        group = open_groups.setdefault(bar.kind, [])
        if group and bar.end_s - group[0].start_s > shortest_s:
            kept.append(_one(group))
            group.clear()
        group.append(bar)
    kept += [_one(group) for group in open_groups.values() if group]
    return sorted(kept, key=lambda bar: (bar.start_s, bar.end_s))


def rows(bars: Sequence[Bar], shortest_s: float) -> list[tuple[int, Bar]]:
    """Return each bar with its row, so that bars of one row do not overlap.

    Where more run at once than there are rows, the rest shares the last one.
    """
    free_s: list[float] = []
    placed = []
    for bar in bars:
        begins = bar.start_s if bar.ready_s is None else min(bar.ready_s, bar.start_s)
        row = next((i for i, free in enumerate(free_s) if free <= begins + 1e-9), len(free_s))
        if row == len(free_s) and row < _MOST_ROWS:
            free_s.append(0.0)
        row = min(row, _MOST_ROWS - 1)
        free_s[row] = max(free_s[row], bar.end_s, bar.start_s + shortest_s)
        placed.append((row, bar))
    return placed


def _one(group: Sequence[Bar]) -> Bar:
    if len(group) == 1:
        return group[0]
    names = [bar.label for bar in group[:_TOLD_NAMES]]
    more = len(group) - len(names)
    told = "\n".join([*names, f"and {more} more"] if more else names)
    seconds = sum(bar.end_s - bar.start_s for bar in group)
    return replace(
        group[0],
        end_s=max(bar.end_s for bar in group),
        label="",
        detail=f"{len(group)} together, {seconds_text(seconds)}\n{told}",
        critical=any(bar.critical for bar in group),
        ready_s=None,
    )
