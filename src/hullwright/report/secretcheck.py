"""What a check of the secrets found; never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.tools import age

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.findings import Finding
    from hullwright.secrets.checking import Check, Checked

_MARKS: Final = {"error": "✗", "warning": "!", "note": "·"}


def text(check: Check) -> str:
    """Return a line for each environment, then each finding with what to do, then the verdict."""
    wrong = {finding.subject for finding in check.findings if finding.severity == "error"}
    rows = [
        (_mark(one, wrong), one.environment, one.file, *_state(one)) for one in check.environments
    ]
    blocks = [aligned(rows, gap=2)] if rows else []
    blocks += ["\n".join(_told(finding)) for finding in check.findings]
    return "\n\n".join([*blocks, verdict(check)])


def verdict(check: Check) -> str:
    """Return the outcome in one line."""
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for word in ("error", "warning", "note")
        if (count := sum(finding.severity == word for finding in check.findings))
    ]
    return " · ".join(counts) or "nothing is wrong"


def markdown(check: Check) -> str:
    """Return environments and findings as tables."""
    rows = [(one.environment, f"`{one.file}`", *_state(one)) for one in check.environments]
    told = markdown_table(("environment", "file", "values", "recipients", "opened"), rows)
    if not check.findings:
        return f"{told}\n\n{verdict(check)}"
    found = [
        (
            one.severity,
            f"`{one.id}`",
            f"`{one.subject}`",
            one.message,
            one.remedy.replace("\n", " "),
        )
        for one in check.findings
    ]
    listed = markdown_table(("severity", "id", "subject", "finding", "remedy"), found)
    return f"{told}\n\n{listed}\n\n{verdict(check)}"


def as_json(check: Check) -> dict[str, object]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "held": check.held,
        "environments": [
            {
                "environment": one.environment,
                "file": one.file,
                "exists": one.exists,
                "values": one.values,
                "recipients": one.recipients,
                "opened": one.opened,
                "opened_by": list(one.opened_by),
            }
            for one in check.environments
        ],
        "findings": [finding.as_json() for finding in check.findings],
    }


def _mark(one: Checked, wrong: set[str]) -> str:
    if one.file in wrong:
        return _MARKS["error"]
    return "✓" if one.opened else _MARKS["note"]


def _state(one: Checked) -> tuple[str, str, str]:
    if not one.exists:
        return "no file", "", ""
    values = f"{one.values} value{'' if one.values == 1 else 's'}"
    to = f"{one.recipients} recipient{'' if one.recipients == 1 else 's'}"
    if one.opened_by:
        return values, to, f"opened by {', '.join(age.short(key) for key in one.opened_by)}"
    return values, to, "opened" if one.opened else "not opened"


def _told(finding: Finding) -> Iterator[str]:
    yield f"{_MARKS[finding.severity]} {finding.subject}: {finding.message}   [{finding.id}]"
    for number, line in enumerate(finding.remedy.splitlines()):
        yield f"    {'next' if number == 0 else '    '}  {line}"
