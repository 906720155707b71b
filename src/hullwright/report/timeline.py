"""A build's timeline as one HTML page: lanes, the critical path, and the same in tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hullwright.plots.axis import seconds_text
from hullwright.plots.lanes import Bar, Lane, Lanes
from hullwright.plots.page import Page
from hullwright.plots.page import html as page_html
from hullwright.plots.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.build.timeline import StepKind, Timeline, TimelineLane, TimelineStep
    from hullwright.plots.lanes import Kind

_KINDS: Final[Mapping[StepKind, Kind]] = {
    "run": "work",
    "cached": "reused",
    "source": "transfer",
    "export": "transfer",
    "failed": "failed",
    "cancelled": "ended",
}
_LEGEND: Final[Sequence[tuple[str, str]]] = (
    ("work", "ran"),
    ("reused", "from the cache"),
    ("transfer", "sources and exports"),
    ("foreign", "ran by emulation"),
    ("failed", "failed"),
    ("ended", "ended by another failure"),
    ("critical", "critical path: the end waited for it"),
    ("wait", "could have run, and waited"),
)
_WORDS: Final[Mapping[StepKind, str]] = {
    "run": "ran",
    "cached": "cached",
    "source": "source",
    "export": "export",
    "failed": "✗ failed",
    "cancelled": "ended by another failure",
}
# Beyond this a table is not read any more; what failed and what took longest stays.
_MOST_ROWS: Final = 400
_NAME_LETTERS: Final = 300
_DIGEST: Final = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
# What is shorter than this part of the whole says nothing of where the time went.
_TOLD_PART: Final = 0.002


def html(timeline: Timeline, *, title: str, facts: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page of a build's timeline.

    Args:
        timeline: when each step ran.
        title: heading of the page, such as `build of shop 1.4.1`.
        facts: name and value of what else stands at the top; total and critical path are added.
    """
    return page_html(
        Page(
            title,
            (*facts, *_facts(timeline)),
            (_lanes(timeline), _critical_table(timeline), _lane_table(timeline), _steps(timeline)),
        )
    )


def _facts(timeline: Timeline) -> list[tuple[str, str]]:
    steps = [step for lane in timeline.lanes for step in lane.steps if step.place]
    cached = sum(step.kind == "cached" for step in steps)
    facts = [("total", seconds_text(timeline.total_s))]
    if steps:
        facts.append(("steps", f"{len(steps)}, {cached} of them cached"))
    longest = max(timeline.critical_path, key=lambda step: step.seconds, default=None)
    if longest and longest.seconds:
        told = f"{_brief(longest)}, {seconds_text(longest.seconds)}"
        facts.append(("longest on the critical path", f"{told}, {_lane_name(longest)}"))
    return facts


def _lanes(timeline: Timeline) -> Lanes:
    lanes = tuple(
        Lane(lane.name, tuple(_bar(step) for step in lane.steps), _note(lane))
        for lane in timeline.lanes
        # What a run does before its targets is hardly ever worth a lane.
        if lane.target or lane.steps[-1].end_s >= timeline.total_s * _TOLD_PART
    )
    bars = [bar for lane in lanes for bar in lane.bars]
    shown = {bar.kind for bar in bars} | {"critical"}
    shown |= {"wait"} if any(bar.ready_s is not None for bar in bars) else set()
    legend = tuple((kind, text) for kind, text in _LEGEND if kind in shown)
    return Lanes(lanes, timeline.total_s, legend, "Steps by target and platform")


def _bar(step: TimelineStep) -> Bar:
    details = [step.place]
    if step.waited_s:
        details.append(f"waited {seconds_text(step.waited_s)} after all that it needs was there")
    details += ["by emulation"] if step.emulated else []
    details.append(step.error or ("" if step.kind == "run" else _WORDS[step.kind]))
    kind = _KINDS[step.kind]
    return Bar(
        step.start_s,
        step.end_s,
        _brief(step),
        "\n".join(detail for detail in details if detail),
        "foreign" if step.emulated and kind == "work" else kind,
        step.critical,
        step.ready_s if step.waited_s else None,
    )


def _note(lane: TimelineLane) -> str:
    steps = [step for step in lane.steps if step.place]
    cached = sum(step.kind == "cached" for step in steps)
    took_s = max(step.end_s for step in lane.steps) - lane.steps[0].start_s
    told = [seconds_text(took_s), f"{cached} of {len(steps)} cached" if steps else ""]
    return " · ".join(part for part in told if part)


def _under(seconds: float) -> str:
    text = seconds_text(seconds)
    return text if text.startswith("<") else f"under {text}"


def _critical_table(timeline: Timeline) -> Table:
    least_s = timeline.total_s * _TOLD_PART
    path = timeline.critical_path
    told = [step for step in path if step.seconds + step.waited_s >= least_s]
    left_out = len(path) - len(told)
    note = "the chain of steps that the end waited for"
    if left_out:
        note += f"; {left_out} more took {_under(least_s)} each"
    rows = [
        (
            seconds_text(step.start_s),
            seconds_text(step.seconds),
            seconds_text(step.waited_s) if step.waited_s else "",
            f"{100 * step.seconds / timeline.total_s:.0f} %" if timeline.total_s else "",
            _lane_name(step),
            _brief(step),
        )
        for step in told
    ]
    header = ("begins", "takes", "waited", "of total", "for", "step")
    return Table("Critical path", header, tuple(rows), (0, 1, 2, 3), note)


def _lane_table(timeline: Timeline) -> Table:
    rows = []
    for lane in timeline.lanes:
        longest = max(lane.steps, key=lambda step: step.seconds)
        steps = [step for step in lane.steps if step.place]
        rows.append(
            (
                lane.name,
                seconds_text(lane.steps[0].start_s),
                seconds_text(max(step.end_s for step in lane.steps)),
                f"{sum(step.kind == 'cached' for step in steps)} of {len(steps)}",
                f"{_brief(longest)}, {seconds_text(longest.seconds)}",
            )
        )
    header = ("target and platform", "begins", "ends", "cached steps", "longest")
    return Table("Targets and platforms", header, tuple(rows), (1, 2, 3))


def _steps(timeline: Timeline) -> Table:
    steps = [step for lane in timeline.lanes for step in lane.steps]
    by_weight = sorted(steps, key=lambda step: (step.kind != "failed", -step.seconds))
    kept = sorted(by_weight[:_MOST_ROWS], key=lambda step: (step.start_s, step.end_s))
    left_out = len(steps) - len(kept)
    note = f"the {len(kept)} longest; {left_out} shorter ones are left out" if left_out else ""
    header = ("begins", "takes", "waited", "how", "for", "place", "step")
    return Table("All steps", header, tuple(map(_row, kept)), (0, 1, 2), note, folded=True)


def _row(step: TimelineStep) -> tuple[str, ...]:
    how = _WORDS[step.kind] + (", by emulation" if step.emulated else "")
    return (
        seconds_text(step.start_s),
        seconds_text(step.seconds),
        seconds_text(step.waited_s) if step.waited_s else "",
        how + (", critical" if step.critical else ""),
        _lane_name(step),
        step.place,
        _brief(step),
    )


def _lane_name(step: TimelineStep) -> str:
    return " ".join(part for part in (step.target or "bake", step.platform) if part)


def _brief(step: TimelineStep) -> str:
    """Return a step's name in one line; digests and long chains of commands are cut."""
    name = _DIGEST.sub(r"\1…", " ".join(step.name.split()))
    return name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 1]}…"
