"""The bars of a cold start in text: a line for each service over one time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.coldstart.timeline import done_s, gate_s
from hullwright.report.table import aligned, bytes_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.coldstart import ColdRun
    from hullwright.stack import ServiceUp

_WIDTH: Final = 40
_STEPS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_TICKS: Final = 5
# A health check that is quicker than this to say so is not worth a word.
_TOLD_LAG_S: Final = 0.1
_LEGEND: Final = (
    "░ waits   ▒ is being started   █ gets ready   ▓ is ready, its check has not said so"
)


def text(run: ColdRun) -> str:
    """Return a start's bars below their axis, with what is known beside each, and the legend."""
    span_s = max([run.total_s, *(end_s(service) or 0.0 for service in run.services)])
    marked = {*run.critical_path} if len(run.services) > 1 else set()
    used = [_used(service) for service in in_order(run.services)]
    known = [i for i in range(2) if any(each[i] for each in used)]
    header = ["", _axis(span_s), *(("memory", "CPU")[i] for i in known), ""]
    rows = [header]
    for service, each in zip(in_order(run.services), used, strict=True):
        name = f"{'→ ' if service.service in marked else '  '}" if marked else ""
        bar = _bar(service, gate_s(service, _by_name(run.services)), span_s)
        rows.append([f"{name}{service.service}", bar, *(each[i] for i in known), told(service)])
    right = range(2, 2 + len(known))
    lines = [f"  {line}" for line in aligned(rows, right=right, gap=2).splitlines()]
    legend = f"{_LEGEND}   → critical path" if marked else _LEGEND
    return "\n".join([*lines, "", f"  {legend}"])


def in_order(services: Sequence[ServiceUp]) -> list[ServiceUp]:
    """Return services as they were started, those that never were last."""
    return sorted(services, key=lambda each: (each.started_s is None, each.started_s or 0.0))


def end_s(service: ServiceUp) -> float | None:
    """Return when a service was done, or what is known of it last where it never was."""
    known = (service.healthy_s, service.ended_s, service.listening_s, service.started_s)
    at_s = done_s(service)
    return next((end for end in known if end is not None), None) if at_s is None else at_s


def told(service: ServiceUp) -> str:
    """Return what became of a service, and what is worth a word of how."""
    words = [_status(service)]
    if service.restarts:
        words.append(f"restarted {service.restarts} time{'s' if service.restarts > 1 else ''}")
    if service.status == "healthy" and (service.probe_lag_s or 0.0) >= _TOLD_LAG_S:
        ready, lag = seconds(service.ready_s), seconds(service.probe_lag_s)
        words.append(f"ready {ready}, its check said so {lag} later")
    return "   ".join(words)


def seconds(value: float | None) -> str:
    """Return a time with its unit; nothing for one that is not known."""
    return "" if value is None else f"{value:.2f} s"


def _status(service: ServiceUp) -> str:
    match service.status:
        case "completed" if service.ended_s is None:
            return "scaled to 0"
        case "completed":
            return f"ended {service.exit_code or 0} at {seconds(service.ended_s)}"
        case "healthy":
            return f"healthy {seconds(service.healthy_s)}"
        case "unknown":
            return f"running since {seconds(service.started_s)}, no health check"
        case "failed":
            return f"failed: {service.reason.partition(': ')[2] or service.reason}"
        case _:
            return "not started" if service.started_s is None else "not ready when it was over"


def _used(service: ServiceUp) -> tuple[str, str]:
    memory = service.peak_memory_bytes
    return "" if memory is None else bytes_text(memory), seconds(service.cpu_s)


def _by_name(services: Sequence[ServiceUp]) -> dict[str, ServiceUp]:
    return {service.service: service for service in services}


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
    until_s = end_s(service)
    until_s = span_s if until_s is None or service.status in {"failed", "waiting"} else until_s
    # Without a check nothing is late to say that it is ready.
    checked = service.ready_s is not None and service.status != "unknown"
    ready_s = service.ready_s if checked and service.ready_s is not None else until_s
    free_s = min(max(before_s, service.created_s), started_s)
    line = [" "] * _WIDTH
    phases = [(service.created_s, free_s, "░"), (free_s, started_s, "▒")]
    if service.started_s is not None:
        phases += [(started_s, ready_s, "█"), (ready_s, until_s, "▓")]
    else:
        phases[1] = (free_s, started_s, "░")
    for begin_s, stop_s, mark in phases:
        for column in range(_column(begin_s, span_s), _column(stop_s, span_s)):
            line[column] = mark
    last = max(_column(until_s, span_s) - 1, 0)
    if service.status == "failed":
        line[last] = "✗"
    elif line[last] == " ":
        # What took less than a column is still to be seen.
        line[last] = "▏"
    return "".join(line).rstrip()


def _column(at_s: float, span_s: float) -> int:
    return round(at_s / span_s * _WIDTH) if span_s else 0
