"""An image held against Git, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from hullwright.version.verify import Check, Verification

_MARKS: Final = {True: "✓", False: "✗", None: "–"}


def text(found: Verification) -> str:
    """Return the verdict, and a line for each thing that was compared."""
    rows = [(f"  {_MARKS[c.held]} {c.what}", _shown(c)) for c in found.checks]
    return f"{_verdict(found)}\n{aligned(rows)}"


def markdown(found: Verification) -> str:
    """Return the same as a table."""
    rows = [
        (_MARKS[c.held], c.what, f"`{c.expected}`", f"`{c.found}`" if c.found else "nothing")
        for c in found.checks
    ]
    table = markdown_table(("", "what", "Git", "image"), rows)
    return f"{_verdict(found)}\n\n{table}"


def as_json(found: Verification) -> dict[str, object]:
    """Return the comparison for machines; `held` is null for what was not asked."""
    return {
        "schema": 1,
        "image": found.image,
        "id": found.id,
        "version": found.version.version,
        "current": found.current,
        "held": not found.differences,
        "checks": [
            {"what": c.what, "expected": c.expected, "found": c.found, "held": c.held}
            for c in found.checks
        ],
    }


def differences(found: Verification) -> str:
    """Return each difference, for one line of an annotation."""
    return "; ".join(f"{c.what}: {_shown(c)}" for c in found.differences)


def _verdict(found: Verification) -> str:
    if found.current and not found.differences:
        return f"✓ {found.image} is current: its inputs are unchanged since {found.version.version}"
    if not found.differences:
        return f"✓ {found.image} is what Git says: {found.version.version}"
    count = len(found.differences)
    things = "1 thing" if count == 1 else f"{count} things"
    return f"✗ {found.image} is not what Git says: {things} of {found.version.version} differ"


def _shown(check: Check) -> str:
    if check.held is None:
        return f"not asked{f' (it says {check.found})' if check.found else ''}"
    if check.held:
        return check.found
    return f"{check.found or 'nothing'}, but Git says {check.expected}"
