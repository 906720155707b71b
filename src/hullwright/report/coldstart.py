"""A cold start as a timeline with bars, as Markdown and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.coldstart.analysis import Analysis, Suggestion, analysed
from hullwright.coldstart.judging import longest
from hullwright.report import checks, coldagainst, coldbars, failures
from hullwright.report.coldbars import end_s, in_order, seconds
from hullwright.report.stack import up_json
from hullwright.report.table import bytes_text
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from hullwright.coldstart import ColdRun, ColdStart, Usual
    from hullwright.stack import ServiceUp

_SCHEMA: Final = 1
_HEADER: Final = (
    *("service", "status", "created", "started", "first log line", "listening", "ready"),
    *("healthy or ended", "restarts", "memory", "CPU"),
)


def text(shown: ColdStart) -> str:
    """Return the timeline for people: what went wrong first, then bars, then the sum."""
    notes = [f"  {note}" for note in shown.notes]
    timeline = "\n".join([coldbars.text(shown.typical), *notes])
    looked = [checks.text(shown.typical.checks)] if shown.typical.checks else []
    blocks = [*_told_first(shown), head(shown), timeline, *looked]
    found = analysis_of(shown)
    if found.suggestions:
        blocks.append(_advice(found))
    return "\n\n".join([*blocks, f"{shares(found)}\n{_sum(shown)}"])


def markdown(shown: ColdStart) -> str:
    """Return the timeline for a job summary or a pull request."""
    blocks = [f"### cold start: {shown.verdict}, {shown.median_s:.2f} s"]
    if shown.failures:
        blocks.append(failures.markdown(shown.failures))
    if shown.against is not None:
        blocks.append(coldagainst.markdown(shown, shown.against))
    notes = [f"  {note}" for note in shown.notes]
    timeline = "\n".join([coldbars.text(shown.typical), *notes])
    blocks += [head(shown), _table(shown.typical), f"```\n{timeline}\n```"]
    if shown.typical.checks:
        blocks.append(checks.markdown(shown.typical.checks))
    found = analysis_of(shown)
    if found.suggestions:
        told = [suggested(each) for each in found.suggestions]
        advice = [f"- {seen}: {write} ({saves})" for seen, write, saves in told]
        blocks.append("\n".join(advice))
    return "\n\n".join([*blocks, f"{shares(found)}  \n{_sum(shown)}"])


def as_json(shown: ColdStart) -> dict[str, Any]:
    """Return the cold start as documented values; figures that are not known are null."""
    return {
        "schema": _SCHEMA,
        "stack": shown.stack,
        "project": shown.project,
        "images_present": shown.images_present,
        "images": dict(shown.images),
        "warm_volumes": shown.warm_volumes,
        "fast_probes": shown.fast_probes,
        "runs": [_run_json(run) for run in shown.runs],
        "median_s": round(shown.median_s, 3),
        "spread": {
            "min_s": round(min(run.total_s for run in shown.runs), 3),
            "max_s": round(max(run.total_s for run in shown.runs), 3),
        },
        "budget_s": shown.budget_s,
        "verdict": shown.verdict,
        "suggestions": [_suggestion_json(each) for each in analysis_of(shown).suggestions],
        "against": coldagainst.as_json(shown, shown.against) if shown.against else None,
        "usual": _usual_json(shown),
        "failures": failures.as_json(shown.failures),
        "notes": list(shown.notes),
    }


def analysis_of(shown: ColdStart) -> Analysis:
    """Return where the time of the run that is shown went."""
    return analysed(shown.typical, shown.written_probes)


def head(shown: ColdStart) -> str:
    """Return how the stack was started, in one line."""
    parts = [
        f"stack {shown.stack}",
        f"project {shown.project}",
        f"images {'present' if shown.images_present else 'fetched before'}",
        "volumes of a first start" if shown.warm_volumes else "volumes new",
        "probes every 250 ms" if shown.fast_probes else "probes as configured",
    ]
    return " · ".join(parts)


def shares(found: Analysis) -> str:
    """Return the three shares of the critical path, which make up the total."""
    parts = (
        ("own work", found.own_s),
        ("probe lag", found.probe_lag_s),
        ("Compose's work", found.compose_s),
    )
    return " · ".join(f"{name} {at_s:.2f} s ({_part(at_s, found)})" for name, at_s in parts)


def suggested(suggestion: Suggestion) -> tuple[str, str, str]:
    """Return what was seen, what to write, and what it saves."""
    where = "" if suggestion.here else " in your own stack"
    return (
        f"`{suggestion.service}` {suggestion.seen}",
        suggestion.write,
        f"up to {suggestion.saves_s:.2f} s sooner{where}",
    )


def _told_first(shown: ColdStart) -> list[str]:
    """Return what did not hold, and what another revision has to do with it."""
    told = [failures.text(shown.failures)] if shown.failures else []
    if not told and shown.budget_s is not None and shown.median_s > shown.budget_s:
        took = f"the cold start took {shown.median_s:.2f} s"
        most = longest(shown.typical)
        by = f"; longest was {most[0]}, {most[1]:.2f} s by itself" if most else ""
        told.append(f"✗ {took}, over its budget of {shown.budget_s:g} s{by}")
    if shown.against is not None:
        told.append(coldagainst.text(shown, shown.against))
    return told


def _advice(found: Analysis) -> str:
    told = [suggested(each) for each in found.suggestions]
    return "\n".join(f"  {seen}\n    write  {write}   ({saves})" for seen, write, saves in told)


def _part(at_s: float, found: Analysis) -> str:
    return f"{100 * at_s / found.total_s if found.total_s else 0:.0f} %"


def _table(run: ColdRun) -> str:
    """Return the services' times; columns of which nothing is known are left out."""
    rows = [_row(service) for service in in_order(run.services)]
    said = [i for i in range(len(_HEADER)) if any(row[i] for row in rows) or i <= 1]
    right = [position for position, i in enumerate(said) if i > 1]
    header = [_HEADER[i] for i in said]
    return markdown_table(header, [[row[i] for i in said] for row in rows], right=right)


def _row(service: ServiceUp) -> list[str]:
    memory = service.peak_memory_bytes
    return [
        service.service,
        service.status,
        seconds(service.created_s),
        seconds(service.started_s),
        seconds(service.first_log_s),
        seconds(service.listening_s),
        seconds(service.ready_s),
        seconds(end_s(service)),
        str(service.restarts or ""),
        "" if memory is None else bytes_text(memory),
        seconds(service.cpu_s),
    ]


def _sum(shown: ColdStart) -> str:
    parts = [coldagainst.spread(shown.runs)]
    if len(shown.typical.critical_path) > 1:
        parts.append(f"critical path {' → '.join(shown.typical.critical_path)}")
    if shown.usual is not None:
        parts.append(_usual(shown.usual))
    if shown.budget_s is not None:
        parts.append(f"budget {shown.budget_s:g} s")
    if shown.kept:
        parts.append(
            f"left running; to remove it: docker compose -p {shown.project} down --volumes"
        )
    return " · ".join(parts)


def _usual(usual: Usual) -> str:
    where = f"on {usual.branch}" if usual.branch else "here"
    if usual.runs == 1:
        return f"the last one {where} {usual.median_s:.2f} s"
    return f"median of the last {usual.runs} {where} {usual.median_s:.2f} s"


def _run_json(run: ColdRun) -> dict[str, Any]:
    found = analysed(run)
    return {
        "total_s": round(run.total_s, 3),
        "services": [up_json(service) for service in run.services],
        "critical_path": list(run.critical_path),
        "shares": {
            "own_s": round(found.own_s, 3),
            "probe_lag_s": round(found.probe_lag_s, 3),
            "compose_s": round(found.compose_s, 3),
            "services": [
                {
                    "service": part.service,
                    "own_s": round(part.own_s, 3),
                    "probe_lag_s": round(part.probe_lag_s, 3),
                    "compose_s": round(part.compose_s, 3),
                }
                for part in found.parts
            ],
        },
        "checks": checks.as_json(run.checks),
    }


def _suggestion_json(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "service": suggestion.service,
        "message": suggested(suggestion)[0],
        "write": suggestion.write,
        "saves_s": round(suggestion.saves_s, 3),
        "here": suggestion.here,
    }


def _usual_json(shown: ColdStart) -> dict[str, Any] | None:
    if shown.usual is None:
        return None
    return {
        "runs": shown.usual.runs,
        "median_s": round(shown.usual.median_s, 3),
        "branch": shown.usual.branch or None,
    }
