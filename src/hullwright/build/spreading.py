"""Which node builds what: pure, from what is built and the nodes that answer.

Targets that are built on each other stay on one node with all of their platforms, for a node does
not see what another one has made. All others are independent: their platforms go where they need
no emulator, and what is left to choose is balanced, a platform of a target being the unit. A target
that no single node builds without an emulator is made in parts, which are joined afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.build import emulation
from hullwright.build.models import Share
from hullwright.build.outputs import attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.build.nodes import PlaceNode

# Images of single platforms can be joined where they go to one of these.
_JOINED: Final = frozenset({"docker", "image", "oci"})


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one node has to build: targets that belong together, for these platforms."""

    targets: tuple[PlannedTarget, ...]
    platforms: tuple[str, ...]

    @property
    def weight(self) -> int:
        """How much it is, as far as it is known before it is built."""
        return len(self.targets) * max(1, len(self.platforms))


def spread(plan: BuildPlan) -> BuildPlan:
    """Return the plan with the nodes on which each target is built, where it has a place.

    What only a registry has stays there, unless it is to come to the local store.
    """
    place = plan.place
    if place is None:
        return plan
    if not plan.load:
        plan = replace(plan, targets=tuple(map(_left, plan.targets)))
    nodes = place.nodes
    units = [unit for group in _groups(plan.building) for unit in _units(group, plan, nodes)]
    # Large ones first: what comes last then fits into what is left.
    loads = dict.fromkeys((node.name for node in nodes), 0)
    shares: dict[str, list[Share]] = {}
    for unit in sorted(units, key=lambda unit: -unit.weight):
        node = min(_candidates(unit.platforms, nodes), key=lambda node: loads[node.name])
        loads[node.name] += unit.weight
        for target in unit.targets:
            shares.setdefault(target.name, []).append(Share(node, _own(target, unit)))
    return replace(
        plan,
        targets=tuple(replace(t, shares=_ordered(shares.get(t.name, []), t)) for t in plan.targets),
    )


def _left(target: PlannedTarget) -> PlannedTarget:
    if target.decision.action != "fetch":
        return target
    return replace(target, decision=replace(target.decision, action="current"))


def _own(target: PlannedTarget, unit: _Unit) -> tuple[str, ...]:
    return tuple(platform for platform in target.platforms if platform in unit.platforms)


def _ordered(shares: Sequence[Share], target: PlannedTarget) -> tuple[Share, ...]:
    """Return the shares of a target in the order of its platforms; one node has one share."""
    by_node: dict[str, Share] = {}
    for share in shares:
        known = by_node.get(share.node.name)
        both = (*known.platforms, *share.platforms) if known else share.platforms
        by_node[share.node.name] = replace(share, platforms=both)
    order = {platform: index for index, platform in enumerate(target.platforms)}
    return tuple(
        sorted(
            (
                replace(share, platforms=tuple(sorted(share.platforms, key=order.__getitem__)))
                for share in by_node.values()
            ),
            key=lambda share: [order[platform] for platform in share.platforms],
        )
    )


def _groups(targets: Sequence[PlannedTarget]) -> list[tuple[PlannedTarget, ...]]:
    """Return targets that are linked with each other, in the order of the plan."""
    groups: list[list[PlannedTarget]] = []
    for target in targets:
        names = set(target.links.values())
        mine = [group for group in groups if any(other.name in names for other in group)]
        merged = [other for group in mine for other in group]
        groups = [group for group in groups if group not in mine] + [[*merged, target]]
    order = {target.name: index for index, target in enumerate(targets)}
    sorted_groups = (sorted(group, key=lambda t: order[t.name]) for group in groups)
    return sorted(map(tuple, sorted_groups), key=lambda group: order[group[0].name])


def _units(
    group: tuple[PlannedTarget, ...], plan: BuildPlan, nodes: Sequence[PlaceNode]
) -> Iterator[_Unit]:
    platforms = tuple(dict.fromkeys(p for target in group for p in target.platforms))
    whole = any(_all_native(node, platforms) for node in nodes)
    if whole or len(group) > 1 or len(platforms) < 2 or not _joinable(group[0], plan):
        yield _Unit(group, platforms)
        return
    for part in _parts(platforms, nodes):
        yield _Unit(group, part)


def _joinable(target: PlannedTarget, plan: BuildPlan) -> bool:
    # An override names targets, and parts have other names.
    return not plan.overrides and all(
        attributes(output).get("type") in _JOINED for output in target.bake.outputs
    )


def _parts(platforms: Iterable[str], nodes: Sequence[PlaceNode]) -> list[tuple[str, ...]]:
    """Return platforms by the nodes that build them without an emulator.

    One that needs an emulator everywhere goes with others, where a node of theirs has it.
    """
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    foreign: list[str] = []
    for platform in platforms:
        natives = tuple(node.name for node in nodes if _native(node, platform))
        if natives:
            found[natives] = (*found.get(natives, ()), platform)
        else:
            foreign.append(platform)
    for platform in foreign:
        able = {node.name for node in nodes if _able(node, platform)}
        key = next((names for names in found if able.issuperset(names)), tuple(sorted(able)))
        found[key] = (*found.get(key, ()), platform)
    return list(found.values())


def _candidates(platforms: Sequence[str], nodes: Sequence[PlaceNode]) -> list[PlaceNode]:
    """Return the nodes that are best for these platforms, in the order of the configuration."""
    # An image for no platform that was named is most often started where it is asked for.
    wanted = platforms or (emulation.host(),)
    able = [node for node in nodes if all(_able(node, platform) for platform in wanted)]
    known = able or list(nodes)
    most = max(sum(_native(node, platform) for platform in wanted) for node in known)
    return [n for n in known if sum(_native(n, platform) for platform in wanted) == most]


def _all_native(node: PlaceNode, platforms: Iterable[str]) -> bool:
    return all(_native(node, platform) for platform in platforms)


def _native(node: PlaceNode, platform: str) -> bool:
    # Of what does not say what it is, nothing else can be assumed.
    return not node.native or any(not emulation.foreign(platform, own) for own in node.native)


def _able(node: PlaceNode, platform: str) -> bool:
    return (
        not node.platforms
        or emulation.normal(platform) in node.platforms
        or _native(node, platform)
    )
