"""Which node builds what, as a plan shows it: for targets of several kinds and nodes of several."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from hullwright.build import BuildPlan, Decision, Place, PlannedTarget, spread
from hullwright.build.nodes import PlaceNode
from hullwright.tools.buildx import LOCAL_STORE, BakeTarget

HERE = Path(__file__).parent
AMD = PlaceNode("p-1", "tcp://amd:1234", ("linux/amd64", "linux/arm64"), ("linux/amd64",))
ALSO = PlaceNode("p-2", "tcp://also:1234", ("linux/amd64", "linux/386"), ("linux/amd64",))
ARM = PlaceNode("p-3", "tcp://arm:1234", ("linux/arm64", "linux/arm/v7"), ("linux/arm64",))
SILENT = PlaceNode("p-4", "the kubernetes of this machine")
BOTH: Final = ("linux/amd64", "linux/arm64")


def target(
    name: str,
    *platforms: str,
    on: tuple[str, ...] = (),
    output: str = LOCAL_STORE,
    action: str = "build",
) -> PlannedTarget:
    """Return a target that is built on others."""
    links = {f"shop/{sibling}": sibling for sibling in on}
    bake = BakeTarget(name, ".", "Dockerfile", outputs=(output,))
    decision = Decision("build" if action == "build" else "fetch", "a test")
    return PlannedTarget(
        name, "", f"shop/{name}:1", platforms, "1", "", bake, links=links, decision=decision
    )


def plan(nodes: tuple[PlaceNode, ...], *targets: PlannedTarget, load: bool = False) -> BuildPlan:
    """Return a plan on a builder with these nodes."""
    return BuildPlan(targets, place=Place("far", "remote", nodes), load=load)


PLANS: Final = {
    "equal": plan((AMD, ALSO), target("a", "linux/amd64"), target("b", "linux/amd64")),
    "balanced": plan(
        (AMD, ALSO),
        *(target(name, "linux/amd64") for name in "abc"),
        target("wide", "linux/amd64", "linux/386"),
    ),
    "by-platform": plan((AMD, ARM), target("a", *BOTH), target("b", "linux/arm64")),
    "emulated": plan((AMD, ALSO), target("a", *BOTH), target("b", "linux/386")),
    "linked": plan(
        (AMD, ARM),
        target("base", *BOTH),
        target("api", *BOTH, on=("base",)),
        target("web", "linux/arm64", on=("base",)),
        target("alone", "linux/arm64"),
    ),
    "unjoined": plan((AMD, ARM), target("a", *BOTH, output="type=local,dest=out")),
    "own": plan((AMD, ALSO, ARM), target("a"), target("b")),
    "foreign": plan((AMD, ARM), target("a", *BOTH, "linux/s390x", "linux/arm/v7")),
    "silent": plan((SILENT,), target("a", *BOTH)),
    "fetched": plan((AMD,), target("a", *BOTH, action="fetch"), target("b", *BOTH)),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_shows_the_nodes_of_its_targets(name: str) -> None:
    text = spread(PLANS[name]).text() + "\n"
    file = HERE / f"spread-{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_without_a_builder_nothing_is_spread() -> None:
    alone = BuildPlan((target("a", *BOTH),))
    assert spread(alone) is alone


def test_what_is_overridden_by_name_is_not_taken_apart() -> None:
    whole = BuildPlan(
        (target("a", *BOTH),), overrides=("a.args.X=1",), place=Place("far", "remote", (AMD, ARM))
    )
    (planned,) = spread(whole).targets
    assert [share.platforms for share in planned.shares] == [BOTH]


def test_what_only_a_registry_has_is_fetched_where_it_is_loaded() -> None:
    fetched = target("a", *BOTH, action="fetch")
    (loaded,) = spread(plan((AMD,), fetched, load=True)).targets
    (kept,) = spread(plan((AMD,), fetched)).targets
    assert (loaded.decision.action, kept.decision.action) == ("fetch", "current")
