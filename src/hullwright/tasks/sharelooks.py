"""What registries have of the parts of images, and what is still to be built of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from hullwright.build import BuildPlan, BuildRequest, PlannedTarget
    from hullwright.push.parts import WantedImage, WantedPart
    from hullwright.tasks.session import Session
    from hullwright.tools.published import Lookup, Published, Wanted

    Key = tuple[str, str]


def whole_lookup(session: Session, planned: BuildPlan, tags: Mapping[str, Sequence[str]]) -> Lookup:
    """Return what finds whole images, also as the part of a runner that built all platforms.

    Args:
        session: the run.
        planned: the images.
        tags: under which they may be besides those that every build knows, by repository.
    """
    from hullwright.tools.published import lookup

    look, parts = lookup(session.workspace), _part_tags(planned)

    def names(wanted: Wanted) -> tuple[str, ...]:
        every = (*wanted.tags, *tags.get(wanted.repository, ()), *parts(wanted))
        return tuple(dict.fromkeys(every))

    return lambda wanted: look([replace(each, tags=names(each)) for each in wanted])


def decided_parts(
    session: Session, request: BuildRequest, whole: BuildPlan, platform: str, mine: Collection[Key]
) -> BuildPlan:
    """Return what is built of the parts for one platform: what a registry has no part of.

    Args:
        session: the run.
        request: for the whole images.
        whole: these, with what registries have of them.
        platform: of the parts.
        mine: the images that are meant, by service and target.
    """
    from hullwright import build
    from hullwright.tasks.building import planned as plan_of

    asked = [t for t in whole.targets if t.asked and key_of(t) in mine]
    there = tuple(t for t in asked if t.decision.action != "build")
    left = tuple(key_of(t) for t in asked if t.decision.action == "build")
    if not left:
        return replace(whole, targets=there)
    request = replace(request, platforms=(platform,), only=left)
    plan = plan_of(session, request, push=True)
    decided = build.decide(
        session.workspace,
        plan,
        request,
        _part_lookup(session, plan, whole),
        push=True,
        there="parts",
    )
    names = {target.name for target in decided.targets}
    others = (target for target in there if target.name not in names)
    return replace(decided, targets=(*others, *decided.targets))


def _part_lookup(session: Session, plan: BuildPlan, whole: BuildPlan) -> Lookup:
    """Return what finds parts by their names, and siblings also where they are there as a whole."""
    from hullwright import build
    from hullwright.tools.published import lookup

    workspace = session.workspace
    current = {
        target.name: _published(target)
        for target in whole.targets
        if target.decision.action != "build" and not target.decision.stored
    }
    there: dict[str, Published] = {}
    if current and any(target.links for target in plan.targets):
        prints = build.fingerprints_now(workspace, plan)
        there = {prints[n].value: found for n, found in current.items() if n in prints}
    look, parts = lookup(workspace), _part_tags(plan)

    def found(wanted: Sequence[Wanted]) -> Mapping[str, Published]:
        # A sibling may be any image of its inputs, but best the part that another runner pushed.
        asked = [
            replace(w, tags=parts(w) if w.version else (*parts(w), *w.tags))
            for w in wanted
            if w.fingerprint not in there
        ]
        siblings = {w.fingerprint: there[w.fingerprint] for w in wanted if w.fingerprint in there}
        return {**look(asked), **siblings}

    return found


def _part_tags(plan: BuildPlan) -> Callable[[Wanted], tuple[str, ...]]:
    """Return what gives the names of the part that an image which is looked for would be."""
    from hullwright.tools.published import part_tag

    versions: dict[str, dict[str, None]] = {}
    for target in plan.targets:
        versions.setdefault(repository_of(target), {})[target.version] = None
    return lambda wanted: tuple(
        part_tag(wanted.fingerprint, version) for version in versions.get(wanted.repository, ())
    )


def wanted_images(
    session: Session, request: BuildRequest, decided: BuildPlan
) -> dict[Key, WantedImage]:
    """Return the parts that each image of a decided plan is made of, by service and target."""
    from hullwright import build
    from hullwright.push.parts import WantedImage
    from hullwright.tasks.building import planned

    asked = [target for target in decided.targets if target.asked]
    several = [target for target in asked if len(target.platforms) > 1]
    parts: dict[Key, list[WantedPart]] = {key_of(target): [] for target in asked}
    for platform in dict.fromkeys(name for target in several for name in target.platforms):
        only = tuple(key_of(target) for target in several if platform in target.platforms)
        share = replace(request, platforms=(platform,), only=only)
        plan = planned(session, share, push=True)
        prints = build.fingerprints_now(session.workspace, plan)
        for target in plan.targets:
            if target.asked:
                part = _wanted(target, platform, prints[target.name].value)
                parts[key_of(target)].append(part)
    return {
        key_of(target): WantedImage(
            _wanted(target, " ".join(target.platforms), target.fingerprint),
            tuple(parts[key_of(target)]),
        )
        for target in asked
    }


def _wanted(target: PlannedTarget, platform: str, fingerprint: str) -> WantedPart:
    from hullwright.push.parts import WantedPart

    key, repository = key_of(target), repository_of(target)
    return WantedPart(*key, repository, platform, fingerprint, target.version)


def _published(target: PlannedTarget) -> Published:
    from hullwright.tools.published import Published

    repository, _, tag = target.decision.reference.rpartition(":")
    decision = target.decision
    return Published(
        repository=repository,
        tag=tag,
        digest=decision.digest,
        media_type="",
        version=decision.version,
        revision=decision.revision,
        fingerprint=target.fingerprint,
        platforms=decision.platforms,
        # It was held against what is configured when it was decided on.
        attested=True,
    )


def key_of(target: PlannedTarget) -> Key:
    return (target.service, target.target)


def repository_of(target: PlannedTarget) -> str:
    from hullwright.images import Reference

    return Reference.parse(target.reference).repository
