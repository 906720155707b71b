"""Giving what a plan builds names of its own."""

from __future__ import annotations

from hullwright.build.models import BuildPlan, Decision, PlannedTarget
from hullwright.build.renaming import renamed
from hullwright.tools.buildx import BakeTarget


def planned(name: str, decision: Decision) -> PlannedTarget:
    reference = f"registry.example.com/team/{name.lower()}:1.2.0"
    bake = BakeTarget(name, ".", "Dockerfile", tags=(reference,), cache_to=("type=inline",))
    return PlannedTarget(name, "", reference, (), "1.2.0", "", bake, decision=decision)


def test_what_is_built_gets_a_name_of_its_own_and_nothing_else_changes() -> None:
    plan = BuildPlan(
        (
            planned("API_x", Decision("build", "inputs changed")),
            planned("db", Decision("current", "unchanged", reference="db:1.1.0")),
            planned("web", Decision("fetch", "unchanged", reference="web:1.1.0")),
        )
    )
    built, current, fetched = renamed(plan, "shop-cold-1a2b3c4d").targets
    assert built.reference == "shop-cold-1a2b3c4d/0-api-x:1.2.0"
    assert built.bake.tags == (built.reference,)
    # What others look for in a cache is that of the work tree.
    assert built.bake.cache_to == ()
    assert (current, fetched) == plan.targets[1:]
