"""Giving what a plan builds other names, so that no name of the developer's is moved."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.images import Reference

if TYPE_CHECKING:
    from hullwright.build.models import BuildPlan, PlannedTarget

_OTHERS: Final = re.compile(r"[^a-z0-9]+")


def renamed(plan: BuildPlan, namespace: str) -> BuildPlan:
    """Return a decided plan whose new images are in a namespace of their own.

    They are called `NAMESPACE/NUMBER-SERVICE:TAG`. What is current keeps its name, for nothing is
    written. No cache is written either: what others look for there is that of the work tree.
    """
    targets = tuple(
        _renamed(planned, f"{namespace}/{number}-{_OTHERS.sub('-', planned.name.lower())}")
        if planned.decision.action == "build"
        else planned
        for number, planned in enumerate(plan.targets)
    )
    return replace(plan, targets=targets)


def _renamed(planned: PlannedTarget, repository: str) -> PlannedTarget:
    tag = Reference.parse(planned.reference).tag or "latest"
    reference = f"{repository.rstrip('-')}:{tag}"
    bake = replace(planned.bake, tags=(reference,), cache_to=())
    return replace(planned, reference=reference, bake=bake)
