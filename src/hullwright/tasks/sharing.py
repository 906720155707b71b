"""What `push --part` does on each of several runners, and `push --join` after all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from hullwright.tasks.pushing import Push

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.build import BuildPlan, BuildReport, PlannedTarget, TargetResult
    from hullwright.build.currency import There
    from hullwright.push import Content
    from hullwright.push.parts import WantedImage, WantedPart
    from hullwright.push.pushed import Pushed
    from hullwright.tools.published import Lookup, Published, Wanted

    Key = tuple[str, str]


@dataclass
class _Shared(Push):
    """What both know: under which names the parts of this checkout wait."""

    def _more_tags(self, wanted: Wanted) -> tuple[str, ...]:
        # One runner may have built all platforms of an image.
        from hullwright.tools.published import part_tag

        versions = {t.version for t in self.planned.targets if _repository(t) == wanted.repository}
        own = (part_tag(wanted.fingerprint, version) for version in sorted(versions))
        return (*super()._more_tags(wanted), *own)

    def _version(self, key: Key) -> str:
        """Return what this checkout's sources of an image are called."""
        return next(t.version for t in self.planned.targets if _key(t) == key)


@dataclass
class Part(_Shared):
    """One runner's share: some services, one platform or all; built and pushed without a tag.

    What the registry has as a whole already, by the inputs of all platforms, is left as it is.
    """

    def __post_init__(self) -> None:
        """Leave out what is not for the platform, and all that follows the parts.

        Raises:
            UsageError: no image that is asked for is for it.
        """
        from hullwright.errors import UsageError

        platform = self.options.platform
        asked = [target for target in self.planned.targets if target.asked]
        mine = {_key(t) for t in asked if not platform or platform in t.platforms}
        if not mine:
            known = dict.fromkeys(name for target in asked for name in target.platforms)
            raise UsageError(
                f"no image that is asked for is for {platform}",
                why=[
                    ("known", ", ".join(known) or "no platforms are configured"),
                    ("rule", "the parts of an image are those of its configured platforms"),
                ],
                next_step="name all of them in `platforms` of the configuration, "
                "or in HULLWRIGHT_PLATFORMS, the same for every runner",
            )
        self.wanted = replace(
            self.wanted,
            images=tuple(i for i in self.wanted.images if (i.service, i.target) in mine),
            gates=(),
            budgets={},
            signed="",
            part=platform or "all of its platforms",
        )

    def decided(self) -> BuildPlan:
        """Return what is built of this share: what the registry has neither whole nor as a part."""
        if not self.options.platform:
            return super().decided()
        from hullwright import build

        mine = {(image.service, image.target) for image in self.wanted.images}
        whole, plan = decided_part(self, self.planned, self.options.platform, mine, self._lookup())
        self._taggable(whole)
        return build.spread(plan)

    def _taggable(self, plan: BuildPlan) -> BuildPlan:
        from hullwright import push

        versions = {_key(t): t.decision.version or t.version for t in plan.targets}
        # What the join would refuse is not built; tags that move are its to tell of.
        push.of_sources(self.wanted, versions)
        return plan

    def _content(self, target: TargetResult, repository: str) -> Content:
        from hullwright.tools.published import part_tag

        content = super()._content(target, repository)
        version = self._version((target.service, target.target))
        return replace(content, staging=(part_tag(content.fingerprint, version),))

    def _moved(self, pushed: Pushed) -> Pushed:
        return pushed

    def _finished(self, pushed: Pushed) -> Pushed:
        return pushed


@dataclass
class Join(_Shared):
    """What follows the parts: nothing is built; the rest is as in every push.

    Attributes:
        images: the parts of each image, by service and target.
    """

    there: ClassVar[There] = "registry"

    images: Mapping[Key, WantedImage] = field(default_factory=dict)

    def told(self) -> str:
        """Return what this join would do, for a person."""
        decided = self.decided()
        self.connect()
        found = self._found(decided)
        asked = [target for target in decided.targets if target.asked]
        lines = [f"  {t.reference}  {_told(t, found.get(_key(t)))}" for t in asked]
        head = "join what the registry has; nothing is built"
        return "\n".join([self.wanted.text(), "", head, *lines])

    def _build(self) -> BuildReport:
        from hullwright.build import BuildReport
        from hullwright.errors import CheckFailedError
        from hullwright.push import Pushed

        try:
            return self._joined()
        except CheckFailedError as refused:
            if self.output_format != "text":
                seconds = time.monotonic() - self.started_s
                version, revision = self.session.version.version, self._revision()
                pushed = Pushed(self.wanted, version, revision, refusal=refused.what)
                self._show(BuildReport((), seconds), replace(pushed, seconds=seconds))
            raise

    def _joined(self) -> BuildReport:
        from hullwright.build import BuildReport
        from hullwright.push import parts

        decided = self.decided()
        found = self._found(decided)
        if any(image.missing for image in found.values()):
            # Another join may have been here just now, and have cleared up behind it.
            decided = self.decided()
            found = self._found(decided)
        request = self.request
        flags = ("--target", request.target) if request.target else ()
        parts.refuse_missing(self.clients, tuple(found.values()), self._listed, flags)
        if self.options.why:
            asked = [target for target in decided.targets if target.asked]
            told = [f"{t.service} {t.target}  {_told(t, found.get(_key(t)))}" for t in asked]
            self.session.console.note("\n".join(told))
        count = "1 image" if len(found) == 1 else f"{len(found)} images"
        digests: Sequence[str] = ()
        if found:
            with self.session.console.step(f"joining the parts of {count}"):
                digests = parts.joined(self.clients, tuple(found.values()))
        made = dict(zip(found, digests, strict=True))
        results = [
            _result(target, made.get(_key(target), ""))
            for target in decided.targets
            if target.asked
        ]
        return BuildReport(tuple(results), time.monotonic() - self.started_s)

    def _found(self, decided: BuildPlan) -> dict[Key, WantedImage]:
        """Return the parts of what is to be joined, with the digests that the registry has."""
        from hullwright.push import parts

        self.images = wanted_images(self, decided)
        keys = [_key(t) for t in decided.targets if t.asked and t.decision.action == "build"]
        found = parts.look_for(self.clients, [self.images[key] for key in keys])
        return dict(zip(keys, found, strict=True))

    def _content(self, target: TargetResult, repository: str) -> Content:
        from hullwright.tools.published import staging_tag

        content = super()._content(target, repository)
        # Also of what was current: its parts may have come in the meantime.
        parts = self.images[target.service, target.target].tags
        tags = dict.fromkeys((staging_tag(content.fingerprint), *parts))
        return replace(content, staging=tuple(tags))

    def _listed(self, repository: str) -> Sequence[str]:
        from hullwright.images import Reference
        from hullwright.tools.registryclient import connect

        reference = Reference.parse(repository)
        return connect(self.session.workspace, reference.domain).tags(reference.path)


def decided_part(
    run: Push, planned: BuildPlan, platform: str, mine: Iterable[Key], look: Lookup
) -> tuple[BuildPlan, BuildPlan]:
    """Return what the registry has of whole images, and what is built of their parts.

    Args:
        run: what asks.
        planned: the whole images.
        platform: of the parts.
        mine: the images that are meant, by service and target.
        look: finds whole images in registries.
    """
    from hullwright import build
    from hullwright.tasks.building import planned as plan_of

    session, keys = run.session, set(mine)
    whole = build.decide(session.workspace, planned, run.request, look, push=True, there="registry")
    asked = [t for t in whole.targets if t.asked and _key(t) in keys]
    there = tuple(t for t in asked if t.decision.action != "build")
    left = tuple(_key(t) for t in asked if t.decision.action == "build")
    if not left:
        return whole, replace(whole, targets=there)
    request = replace(run.request, platforms=(platform,), only=left)
    plan = plan_of(session, request, push=True)
    decided = build.decide(
        session.workspace,
        plan,
        request,
        _part_lookup(run, plan, whole),
        push=True,
        there="parts",
    )
    names = {target.name for target in decided.targets}
    others = (target for target in there if target.name not in names)
    return whole, replace(decided, targets=(*others, *decided.targets))


def _part_lookup(run: Push, plan: BuildPlan, whole: BuildPlan) -> Lookup:
    """Return what finds parts by their names, and siblings also where they are there as a whole."""
    from hullwright import build
    from hullwright.tools.published import lookup, part_tag

    workspace = run.session.workspace
    current = {
        target.name: _published(target)
        for target in whole.targets
        if target.decision.action != "build" and not target.decision.stored
    }
    there: dict[str, Published] = {}
    if current and any(target.links for target in plan.targets):
        prints = build.fingerprints_now(workspace, plan)
        there = {prints[n].value: found for n, found in current.items() if n in prints}
    look = lookup(workspace)

    def found(wanted: Sequence[Wanted]) -> Mapping[str, Published]:
        asked = [
            replace(w, tags=(part_tag(w.fingerprint, w.version),)) if w.version else w
            for w in wanted
            if w.fingerprint not in there
        ]
        siblings = {w.fingerprint: there[w.fingerprint] for w in wanted if w.fingerprint in there}
        return {**look(asked), **siblings}

    return found


def wanted_images(run: Push, decided: BuildPlan) -> dict[Key, WantedImage]:
    """Return the parts that each image of a decided plan is made of, by service and target."""
    from hullwright import build
    from hullwright.push.parts import WantedImage
    from hullwright.tasks.building import planned

    session = run.session
    asked = [target for target in decided.targets if target.asked]
    several = [target for target in asked if len(target.platforms) > 1]
    parts: dict[Key, list[WantedPart]] = {_key(target): [] for target in asked}
    for platform in dict.fromkeys(name for target in several for name in target.platforms):
        only = tuple(_key(target) for target in several if platform in target.platforms)
        request = replace(run.request, platforms=(platform,), only=only)
        plan = planned(session, request, push=True)
        prints = build.fingerprints_now(session.workspace, plan)
        for target in plan.targets:
            if target.asked:
                part = _wanted(target, platform, prints[target.name].value)
                parts[_key(target)].append(part)
    return {
        _key(target): WantedImage(
            _wanted(target, " ".join(target.platforms), target.fingerprint),
            tuple(parts[_key(target)]),
        )
        for target in asked
    }


def _wanted(target: PlannedTarget, platform: str, fingerprint: str) -> WantedPart:
    from hullwright.push.parts import WantedPart

    key, repository = _key(target), _repository(target)
    return WantedPart(*key, repository, platform, fingerprint, target.version)


def _result(target: PlannedTarget, digest: str) -> TargetResult:
    """Return what became of an image that was joined, or that is there as a whole."""
    from hullwright.build import TargetResult

    decision = target.decision
    return TargetResult(
        service=target.service,
        target=target.target,
        platforms=target.platforms if digest else decision.platforms or target.platforms,
        reference=target.reference if digest else decision.reference,
        status="joined" if digest else "current",
        digest=digest or decision.digest,
        reason=f"of {', '.join(target.platforms)}" if digest else decision.reason,
        version=target.version if digest else decision.version,
        revision=target.revision if digest else decision.revision,
        fingerprint=target.fingerprint,
    )


def _told(target: PlannedTarget, found: WantedImage | None) -> str:
    """Return what a join takes for an image, in one line."""
    if found is None:
        return f"current: {target.decision.reason}"
    if found.digest or not found.parts:
        there = found.digest or f"missing: {found.whole.tag}"
        return f"as one runner pushed it: {there}"
    parts = (f"{p.platform} {p.digest or f'missing ({p.tag})'}" for p in found.parts)
    return f"joined of {', '.join(parts)}"


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


def _key(target: PlannedTarget) -> Key:
    return (target.service, target.target)


def _repository(target: PlannedTarget) -> str:
    from hullwright.images import Reference

    return Reference.parse(target.reference).repository
