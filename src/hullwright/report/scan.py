"""What a scan for secret values found, in three forms; places and names, never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.findings import Finding
    from hullwright.scan import ScanReport

_SCHEMA: Final = 1
_MARKS: Final = {"error": "✗", "warning": "!", "note": "·"}


def text(report: ScanReport) -> str:
    """Return the findings with what to do, then what was searched, then the verdict."""
    blocks = ["\n".join(_told(alike)) for alike in _by_remedy(report.findings)]
    rows = [[place.place, size_text(place.bytes)] for place in report.searched]
    blocks.append(aligned([["searched"], *rows], right=(1,)) if rows else "nothing was searched")
    return "\n\n".join([*blocks, "\n".join(_summary(report))])


def markdown(report: ScanReport) -> str:
    """Return the same for a pull request or a job summary."""
    rows = [
        [_MARKS[one.severity], f"`{one.subject.replace('`', '')}`", one.message, one.remedy]
        for one in report.findings
    ]
    found = markdown_table(("", "place", "finding", "what to do"), rows) if rows else ""
    places = [[f"`{place.place}`", size_text(place.bytes)] for place in report.searched]
    searched = markdown_table(("searched", "read"), places, right=(1,)) if places else ""
    summary = "\n".join(f"- {line}" for line in _summary(report))
    return "\n\n".join(block for block in ("### Secrets scan", summary, found, searched) if block)


def as_json(report: ScanReport) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "schema": _SCHEMA,
        "held": not report.failed,
        "environments": list(report.environments),
        "values": list(report.values),
        "not_searched_for": list(report.short),
        "searched": [{"place": place.place, "bytes": place.bytes} for place in report.searched],
        "findings": [one.as_json() for one in report.findings],
    }


def verdict(report: ScanReport) -> str:
    """Return the outcome in one line."""
    errors = sum(one.severity == "error" for one in report.findings)
    count = len(report.values)
    of = f"{count} value{'' if count == 1 else 's'}"
    if errors:
        return f"✗ {of} searched for: {errors} finding{'' if errors == 1 else 's'}"
    return f"✓ {of} searched for, none found"


def _summary(report: ScanReport) -> list[str]:
    lines = [verdict(report)]
    if report.environments:
        lines.append(f"values of: {', '.join(report.environments)}")
    if report.short:
        lines.append(f"not searched for, shorter than 6 characters: {', '.join(report.short)}")
    return lines


def _by_remedy(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Return findings in groups that stand together and ask for the same."""
    groups: list[list[Finding]] = []
    for one in findings:
        last = groups[-1][-1] if groups else None
        if last and (last.remedy, last.severity) == (one.remedy, one.severity):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _told(alike: Sequence[Finding]) -> list[str]:
    lines = [f"{_MARKS[one.severity]} {one.subject} {one.message}" for one in alike]
    return [*lines, f"  next  {alike[0].remedy}"] if alike[0].remedy else lines
