"""What goes, or went, and what stays, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.prune import PrunePlan, PruneReport
from hullwright.prune.models import NO_SINGLE_TAGS
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.prune import Operation

    Shown = PrunePlan | PruneReport

_SCHEMA: Final = 1


def text(shown: Shown) -> str:
    """Return what went for a person; of a plan, its own text form."""
    if isinstance(shown, PrunePlan):
        return shown.text()
    lines = [_head(shown)]
    lines += [f"  ✓ {each.kind} {each.name}: {each.cause}" for each in shown.removed]
    lines += [f"  · {each.kind} {each.name} stays: {each.cause}" for each in _kept(shown.plan)]
    for operation, why in shown.left:
        first, *rest = why.splitlines() or ["the engine did not say why"]
        mark = "·" if why == NO_SINGLE_TAGS else "✗"
        lines.append(f"  {mark} {operation.kind} {operation.name} stays: {first}")
        lines += [f"      {line}" for line in rest]
    return "\n".join(lines)


def markdown(shown: Shown) -> str:
    """Return it as a table for a job summary."""
    rows = [(state, each.kind, f"`{each.name}`", cause) for state, each, cause in _states(shown)]
    table = markdown_table(("", "kind", "name", "why"), rows)
    return f"### {_head(shown)}\n\n{table}" if rows else f"### {_head(shown)}"


def as_json(shown: Shown) -> dict[str, Any]:
    """Return it as documented values: each thing with what becomes, or became, of it."""
    plan = shown if isinstance(shown, PrunePlan) else shown.plan
    return {
        "schema": _SCHEMA,
        "project": plan.project,
        "done": isinstance(shown, PruneReport),
        "own_bytes": plan.own_bytes if isinstance(shown, PrunePlan) else _freed(shown.removed),
        "operations": [
            {"state": state, "kind": each.kind, "name": each.name, "reason": cause}
            for state, each, cause in _states(shown)
        ],
    }


def _head(shown: Shown) -> str:
    if isinstance(shown, PrunePlan):
        count = sum(each.action == "remove" for each in shown.operations)
        return f"{shown.project}: {count} to remove"
    freed = _freed(shown.removed)
    told = f"{shown.plan.project}: {len(shown.removed)} removed"
    told += f", at least {size_text(freed)} freed" if freed else ""
    staying = sum(why == NO_SINGLE_TAGS for _, why in shown.left)
    left = len(shown.left) - staying
    told += f", {left} left" if left else ""
    # A registry that has no way to do it is no failure, so it is not counted as what is left.
    return f"{told}, {staying} that the registry cannot remove" if staying else told


def _freed(removed: Sequence[Operation]) -> int:
    return sum(operation.own_bytes or 0 for operation in removed)


def _kept(plan: PrunePlan) -> list[Operation]:
    return [each for each in plan.operations if each.action == "keep"]


def _states(shown: Shown) -> list[tuple[str, Operation, str]]:
    if isinstance(shown, PrunePlan):
        return [(each.action, each, each.cause) for each in shown.operations]
    return [
        *(("removed", each, each.cause) for each in shown.removed),
        *(("left", each, why) for each, why in shown.left),
        *(("kept", each, each.cause) for each in _kept(shown.plan)),
    ]
