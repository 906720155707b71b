"""A cold start's timeline as one HTML page: lanes, the critical path, and the same in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.coldstart.analysis import analysed
from hullwright.coldstart.timeline import gate_s
from hullwright.plots.axis import seconds_text
from hullwright.plots.lanes import Bar, Lane, Lanes, Point
from hullwright.plots.page import Page
from hullwright.plots.page import html as page_html
from hullwright.plots.table import Table
from hullwright.report import coldagainst
from hullwright.report.coldbars import end_s, in_order
from hullwright.report.coldstart import analysis_of, head, shares, suggested
from hullwright.report.table import bytes_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.coldstart import ColdRun, ColdStart
    from hullwright.coldstart.analysis import Analysis, Part
    from hullwright.plots.lanes import Kind
    from hullwright.plots.markup import Figure
    from hullwright.stack import Failure, ServiceUp

_LEGEND: Final = (
    ("wait", "waits for what it depends on"),
    ("transfer", "is made and started"),
    ("work", "gets ready"),
    ("foreign", "is ready, its check has not said so"),
    ("failed", "failed"),
    ("reused", "was not started, or never got ready"),
    ("ring", "first log line"),
    ("diamond", "listens"),
    ("critical", "critical path: the end waited for it"),
)
# Shorter phases cannot be seen.
_SHORTEST_PART: Final = 0.002


def html(shown: ColdStart, *, title: str) -> str:
    """Return the page of a cold start: the run that is nearest the median, or failed."""
    found = analysis_of(shown)
    figures: tuple[Figure, ...] = (
        _lanes(shown.typical, found),
        *_failure_table(shown),
        _path_table(found),
        *_advice_table(found),
        _service_table(shown.typical),
        *_check_table(shown.typical),
        *_run_table(shown),
    )
    return page_html(Page(title, tuple(_facts(shown, found)), figures))


def _facts(shown: ColdStart, found: Analysis) -> Iterator[tuple[str, str]]:
    yield "verdict", shown.verdict
    yield ("total" if len(shown.runs) == 1 else "runs"), coldagainst.spread(shown.runs)
    if shown.budget_s is not None:
        yield "budget", f"{shown.budget_s:g} s"
    yield "where the time went", shares(found)
    if len(shown.typical.critical_path) > 1:
        yield "critical path", " → ".join(shown.typical.critical_path)
    yield "how", head(shown)
    if shown.against is not None:
        yield "against", coldagainst.sentence(shown, shown.against)


def _lanes(run: ColdRun, found: Analysis) -> Lanes:
    parts = {part.service: part for part in found.parts}
    first = found.parts[0].service if found.parts else ""
    by_name = {service.service: service for service in run.services}
    lanes = []
    for service in in_order(run.services):
        bars = _phases(service, gate_s(service, by_name), run.total_s, parts.get(service.service))
        if service.service == first and service.created_s:
            made = "networks, volumes and containers are made"
            bars.insert(0, Bar(0.0, service.created_s, "", made, "transfer", critical=True))
        shown = [bar for bar in bars if bar.end_s - bar.start_s > run.total_s * _SHORTEST_PART]
        lanes.append(
            Lane(service.service, tuple(shown or bars[-1:]), _note(service), _points(service))
        )
    return Lanes(tuple(lanes), run.total_s, _legend(lanes), "Services, as they were started")


def _legend(lanes: list[Lane]) -> tuple[tuple[str, str], ...]:
    bars = [bar for lane in lanes for bar in lane.bars]
    shown: set[str] = {bar.kind for bar in bars}
    shown |= {point.kind for lane in lanes for point in lane.points}
    shown |= {"wait"} if any(bar.ready_s is not None for bar in bars) else set()
    shown |= {"critical"} if any(bar.critical for bar in bars) else set()
    return tuple((kind, text) for kind, text in _LEGEND if kind in shown)


def _phases(service: ServiceUp, gate: float, total_s: float, part: Part | None) -> list[Bar]:
    """Return a service's phases one after the other; critical is what the path is made of."""
    if service.created_s is None:
        return []
    if service.started_s is None:
        return [Bar(service.created_s, total_s, "was not started", service.reason, "reused")]
    until_s = part.end_s if part is not None else -1.0
    free_s = min(max(gate, service.created_s), service.started_s)
    waited = free_s - service.created_s > total_s * _SHORTEST_PART
    bars = [
        Bar(
            free_s, service.started_s, "", _started(service), "transfer",
            free_s < until_s, service.created_s if waited else None,
        )
    ]  # fmt: skip
    end = end_s(service) or service.started_s
    if service.status in {"failed", "waiting"}:
        kind: Kind = "failed" if service.status == "failed" else "reused"
        word = "failed" if service.status == "failed" else "never got ready"
        return [
            *bars,
            Bar(service.started_s, total_s, word, service.reason, kind, part is not None),
        ]
    checked = service.status == "healthy" and service.ready_s is not None
    ready_s = min(max(service.ready_s or end, service.started_s), end) if checked else end
    own = Bar(service.started_s, ready_s, "gets ready", "", "work", service.started_s < until_s)
    lag = Bar(ready_s, end, "", "ready, its check has not said so", "foreign", ready_s < until_s)
    return [*bars, own, lag]


def _started(service: ServiceUp) -> str:
    names = ", ".join(each.service for each in service.awaits) or ", ".join(service.depends_on)
    return f"is started, after {names}" if names else "is started"


def _points(service: ServiceUp) -> tuple[Point, ...]:
    found = []
    if service.first_log_s is not None:
        found.append(Point(service.first_log_s, "first log line", "ring"))
    if service.listening_s is not None:
        found.append(Point(service.listening_s, "listens", "diamond"))
    return tuple(found)


def _note(service: ServiceUp) -> str:
    memory = service.peak_memory_bytes
    told = [
        f"{service.status} {_seconds(end_s(service))}".strip(),
        "" if memory is None else bytes_text(memory),
    ]
    return " · ".join(part for part in told if part)


def _path_table(found: Analysis) -> Table:
    rows = [
        (
            part.service,
            seconds_text(part.from_s),
            _seconds(part.own_s or None),
            _seconds(part.probe_lag_s or None),
            _seconds(part.compose_s or None),
            _part(part.end_s - part.from_s, found.total_s),
        )
        for part in found.parts
    ]
    rows.append(("verdict", seconds_text(found.total_s - found.verdict_s), "", "",
                 _seconds(found.verdict_s), _part(found.verdict_s, found.total_s)))  # fmt: skip
    rows.append(("all of it", "", seconds_text(found.own_s), seconds_text(found.probe_lag_s),
                 seconds_text(found.compose_s), "100 %"))  # fmt: skip
    header = ("service", "begins", "own work", "probe lag", "Compose's work", "of total")
    note = "from what each waited for to what it let go on; the three shares make up the total"
    return Table("Critical path", header, tuple(rows), (1, 2, 3, 4, 5), note)


def _advice_table(found: Analysis) -> Iterator[Table]:
    rows = [(saves, seen, write) for seen, write, saves in map(suggested, found.suggestions)]
    if rows:
        yield Table("What would save time", ("saves", "because", "write"), tuple(rows))


def _service_table(run: ColdRun) -> Table:
    rows = []
    for service in in_order(run.services):
        memory = service.peak_memory_bytes
        rows.append(
            (
                service.service,
                service.status,
                *map(
                    _seconds,
                    (
                        service.created_s, service.started_s, service.first_log_s,
                        service.listening_s, service.ready_s, end_s(service), service.probe_lag_s,
                    ),
                ),
                str(service.restarts or ""),
                "" if memory is None else bytes_text(memory),
                _seconds(service.cpu_s),
            )
        )  # fmt: skip
    header = (
        *("service", "status", "created", "started", "first log line", "listens", "ready"),
        *("healthy or ended", "probe lag", "restarts", "memory", "CPU"),
    )
    return Table("Services", header, tuple(rows), tuple(range(2, 12)))


def _check_table(run: ColdRun) -> Iterator[Table]:
    rows = [
        (each.service, each.name, each.status, _seconds(each.took_s or None), each.told)
        for each in run.checks
    ]
    if rows:
        header = ("service", "check", "result", "took", "told")
        yield Table("Checks once it was up", header, tuple(rows), (3,))


def _failure_table(shown: ColdStart) -> Iterator[Table]:
    rows = [
        (failure.sentence, "; ".join(f"{name}: {fact}" for name, fact in _told(failure)))
        for failure in shown.failures
    ]
    if rows:
        yield Table("What did not hold", ("cause", "facts"), tuple(rows))


def _told(failure: Failure) -> Iterator[tuple[str, str]]:
    """Return the facts of a failure, with the lines that one of them says follow."""
    yield from (fact for fact in failure.facts if fact[0] != "logs")
    if failure.logs:
        yield "last lines", " / ".join(failure.logs)


def _run_table(shown: ColdStart) -> Iterator[Table]:
    sides = [("", shown.runs)]
    if shown.against is not None:
        sides = [("here", shown.runs), (shown.against.ref, shown.against.runs)]
    rows = []
    for name, runs in sides:
        for number, run in enumerate(runs, 1):
            found = analysed(run)
            times = (run.total_s, found.own_s, found.probe_lag_s, found.compose_s)
            path = " → ".join(run.critical_path)
            rows.append((name, f"{number}", *map(seconds_text, times), path))
    if len(rows) > 1:
        header = ("revision", "run", "total", "own work", "probe lag", "Compose's work", "path")
        yield Table("Runs", header, tuple(rows), (1, 2, 3, 4, 5))


def _seconds(value: float | None) -> str:
    return "" if value is None else seconds_text(value)


def _part(at_s: float, total_s: float) -> str:
    return f"{100 * at_s / total_s:.0f} %" if total_s else ""
