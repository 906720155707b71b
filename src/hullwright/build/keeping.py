"""Which targets of a plan are kept: what is asked for, and what is needed to build that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullwright.build.models import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hullwright.build.models import BuildPlan, PlannedTarget


def limited(plan: BuildPlan, only: Sequence[tuple[str, str]] | None) -> BuildPlan:
    """Return the plan with those that are limited to, and what they are built on."""
    if only is None:
        return plan
    wanted = set(only)
    left: list[PlannedTarget] = []
    needed: set[str] = set()
    for planned in reversed(plan.targets):
        asked = planned.asked and (planned.service, planned.target) in wanted
        if asked or planned.name in needed:
            left.append(replace(planned, asked=asked))
            needed.update(planned.links.values())
    return replace(plan, targets=tuple(reversed(left)))


def remaining(
    decided: Sequence[PlannedTarget], invisible: Callable[[PlannedTarget], str]
) -> Iterator[PlannedTarget]:
    """Yield what is asked for or needed by what is built, built on current images by digest."""
    kept: dict[str, PlannedTarget] = {}
    needed: set[str] = set()
    for planned in reversed(decided):
        if not planned.asked and planned.name not in needed:
            continue
        taken, decision = planned, planned.decision
        why = invisible(planned) if planned.name in needed and decision.action != "build" else ""
        if why:
            taken = replace(planned, decision=Decision("build", why, decision.changes))
        kept[planned.name] = taken
        if taken.decision.action == "build":
            needed.update(planned.links.values())
    for planned in decided:
        if planned.name in kept:
            yield _on_current(kept[planned.name], kept)


def _on_current(planned: PlannedTarget, kept: Mapping[str, PlannedTarget]) -> PlannedTarget:
    """Return a target with the images that are current in place of the siblings' builds."""
    there = {
        name: kept[sibling].decision
        for name, sibling in planned.links.items()
        if sibling in kept and kept[sibling].decision.action != "build"
    }
    if planned.decision.action != "build" or not there:
        return planned
    contexts = {name: _by_digest(decision) for name, decision in there.items()}
    return replace(
        planned, bake=replace(planned.bake, contexts={**planned.bake.contexts, **contexts})
    )


def _by_digest(decision: Decision) -> str:
    # Without its tag, BuildKit does not find the image in the local store.
    return f"docker-image://{decision.reference}@{decision.digest}"
