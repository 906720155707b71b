"""A cold start as a timeline with bars, as Markdown and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.report import failures
from hullwright.report.stack import up_json
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.coldstart import ColdStart
    from hullwright.stack import ServiceUp

_SCHEMA: Final = 1
_WIDTH: Final = 40
_STEPS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_TICKS: Final = 4
# A health check that is quicker than this to say so is not worth a word.
_TOLD_LAG_S: Final = 0.1
_LEGEND: Final = (
    "░ waits   ▒ is being started   █ gets ready   ▓ is ready, its check has not said so"
)


def text(shown: ColdStart) -> str:
    """Return the timeline for people: what went wrong first, then bars, then the sum."""
    blocks = [_head(shown), _timeline(shown), _sum(shown)]
    if shown.failures:
        blocks.insert(0, failures.text(shown.failures))
    elif shown.failed:
        blocks.insert(0, f"✗ the cold start took {shown.median_s:.2f} s, over its budget of "
                         f"{shown.budget_s:g} s")  # fmt: skip
    return "\n\n".join(blocks)


def markdown(shown: ColdStart) -> str:
    """Return the timeline for a job summary or a pull request."""
    header = ("service", "status", "created", "started", "ready", "healthy or ended")
    rows = [
        [
            service.service,
            service.status,
            _seconds(service.created_s),
            _seconds(service.started_s),
            _seconds(service.ready_s),
            _seconds(_end_s(service)),
        ]
        for service in _in_order(shown.typical.services)
    ]
    blocks = [
        f"### cold start: {shown.verdict}, {shown.median_s:.2f} s",
        _head(shown),
        markdown_table(header, rows, right=(2, 3, 4, 5)),
        f"```\n{_timeline(shown)}\n```",
        _sum(shown),
    ]
    if shown.failures:
        blocks.insert(1, failures.markdown(shown.failures))
    return "\n\n".join(blocks)


def as_json(shown: ColdStart) -> dict[str, Any]:
    """Return the cold start as documented values; figures that are not known are null."""
    return {
        "schema": _SCHEMA,
        "stack": shown.stack,
        "project": shown.project,
        "images_present": shown.images_present,
        "images": dict(shown.images),
        "runs": [
            {
                "total_s": round(run.total_s, 3),
                "services": [up_json(service) for service in run.services],
                "critical_path": list(run.critical_path),
            }
            for run in shown.runs
        ],
        "median_s": round(shown.median_s, 3),
        "budget_s": shown.budget_s,
        "verdict": shown.verdict,
        "failures": failures.as_json(shown.failures),
        "notes": list(shown.notes),
    }


def _head(shown: ColdStart) -> str:
    parts = [
        f"stack {shown.stack}",
        f"project {shown.project}",
        f"images {'present' if shown.images_present else 'fetched before'}",
        "volumes new",
        "probes every 250 ms" if shown.fast_probes else "probes as configured",
    ]
    return " · ".join(parts)


def _timeline(shown: ColdStart) -> str:
    span_s = max(
        [shown.typical.total_s, *(_end_s(service) or 0.0 for service in shown.typical.services)]
    )
    ends = {service.service: _end_s(service) or 0.0 for service in shown.typical.services}
    rows = [["", _axis(span_s), ""]]
    for service in _in_order(shown.typical.services):
        before_s = max((ends.get(name, 0.0) for name in service.depends_on), default=0.0)
        rows.append([service.service, _bar(service, before_s, span_s), _told(service)])
    lines = [f"  {line}" for line in aligned(rows, gap=2).splitlines()]
    notes = [f"  {note}" for note in shown.notes]
    return "\n".join([*lines, "", f"  {_LEGEND}", *notes])


def _in_order(services: Sequence[ServiceUp]) -> list[ServiceUp]:
    """Return services as they were started, those that never were last."""
    return sorted(services, key=lambda each: (each.started_s is None, each.started_s or 0.0))


def _sum(shown: ColdStart) -> str:
    parts = [f"{shown.median_s:.2f} s"]
    if len(shown.typical.critical_path) > 1:
        parts.append(f"critical path {' → '.join(shown.typical.critical_path)}")
    if shown.budget_s is not None:
        parts.append(f"budget {shown.budget_s:g} s")
    if shown.kept:
        parts.append(f"left running: docker compose -p {shown.project} ps")
    return " · ".join(parts)


def _axis(span_s: float) -> str:
    """Return the labels of the time axis, each beginning at its second."""
    step_s = next((step for step in _STEPS_S if span_s / step <= _TICKS), _STEPS_S[-1])
    line = [" "] * (_WIDTH + 8)
    at_s = 0.0
    while at_s <= span_s:
        column = _column(at_s, span_s)
        for offset, character in enumerate(f"{at_s:g} s"):
            line[column + offset] = character
        at_s = round(at_s + step_s, 6)
    return "".join(line).rstrip()


def _bar(service: ServiceUp, before_s: float, span_s: float) -> str:
    """Return a service's time as a bar: waiting, being started, getting ready, probe lag."""
    if service.created_s is None:
        return ""
    started_s = service.started_s if service.started_s is not None else span_s
    end_s = _end_s(service)
    end_s = span_s if end_s is None or service.status in {"failed", "waiting"} else end_s
    ready_s = service.ready_s if service.ready_s is not None else end_s
    free_s = min(max(before_s, service.created_s), started_s)
    line = [" "] * _WIDTH
    phases = [(service.created_s, free_s, "░"), (free_s, started_s, "▒")]
    if service.started_s is not None:
        phases += [(started_s, ready_s, "█"), (ready_s, end_s, "▓")]
    else:
        phases[1] = (free_s, started_s, "░")
    for begin_s, stop_s, mark in phases:
        for column in range(_column(begin_s, span_s), _column(stop_s, span_s)):
            line[column] = mark
    last = max(_column(end_s, span_s) - 1, 0)
    if service.status == "failed":
        line[last] = "✗"
    elif line[last] == " ":
        # What took less than a column is still to be seen.
        line[last] = "▏"
    return "".join(line).rstrip()


def _told(service: ServiceUp) -> str:
    match service.status:
        case "completed" if service.ended_s is None:
            return "scaled to 0"
        case "completed":
            return f"ended {service.exit_code or 0} at {_seconds(service.ended_s)}"
        case "healthy":
            return f"healthy {_seconds(service.healthy_s)}{_lag(service)}"
        case "unknown":
            return f"running since {_seconds(service.started_s)}, no health check"
        case "failed":
            return f"failed: {service.reason.partition(': ')[2] or service.reason}"
        case _:
            return "not started" if service.started_s is None else "not ready when it was over"


def _lag(service: ServiceUp) -> str:
    if (service.probe_lag_s or 0.0) < _TOLD_LAG_S:
        return ""
    ready, lag = _seconds(service.ready_s), _seconds(service.probe_lag_s)
    return f"   ready {ready}, its check said so {lag} later"


def _end_s(service: ServiceUp) -> float | None:
    ends = (service.healthy_s, service.ended_s, service.listening_s, service.started_s)
    return next((end for end in ends if end is not None), None)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _column(at_s: float, span_s: float) -> int:
    return round(at_s / span_s * _WIDTH) if span_s else 0
