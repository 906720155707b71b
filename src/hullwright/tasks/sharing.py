"""What `push --part` does on each of several runners, and `push --join` after all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from hullwright.tasks.pushing import Push
from hullwright.tasks.sharelooks import decided_parts, key_of, wanted_images, whole_lookup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.build import BuildPlan, BuildReport, PlannedTarget, TargetResult
    from hullwright.build.currency import There
    from hullwright.push import Content
    from hullwright.push.parts import WantedImage
    from hullwright.push.pushed import Pushed
    from hullwright.tools.published import Lookup

    Key = tuple[str, str]


@dataclass
class _Shared(Push):
    """What both know: under which names the parts of this checkout wait."""

    def _lookup(self) -> Lookup:
        from hullwright.tasks.building import tags_by_repository

        # Also those of siblings that are only needed.
        tags = tags_by_repository(self.session, self.planned)
        for image in self.wanted.images:
            tags[image.repository] = (*tags.get(image.repository, ()), *image.tags)
        return whole_lookup(self.session, self.planned, tags)

    def _version(self, key: Key) -> str:
        """Return what this checkout's sources of an image are called."""
        return next(t.version for t in self.planned.targets if key_of(t) == key)


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
        mine = {key_of(t) for t in asked if not platform or platform in t.platforms}
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
        whole = build.decide(
            self.session.workspace,
            self.planned,
            self.request,
            self._lookup(),
            push=True,
            there="registry",
        )
        self._taggable(whole)
        plan = decided_parts(self.session, self.request, whole, self.options.platform, mine)
        return build.spread(plan)

    def _taggable(self, plan: BuildPlan) -> BuildPlan:
        from hullwright import push

        versions = {key_of(t): t.decision.version or t.version for t in plan.targets}
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
        lines = [f"  {t.reference}  {_told(t, found.get(key_of(t)))}" for t in asked]
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
            told = [f"{t.service} {t.target}  {_told(t, found.get(key_of(t)))}" for t in asked]
            self.session.console.note("\n".join(told))
        count = "1 image" if len(found) == 1 else f"{len(found)} images"
        digests: Sequence[str] = ()
        if found:
            with self.session.console.step(f"joining the parts of {count}"):
                digests = parts.joined(self.clients, tuple(found.values()))
        made = dict(zip(found, digests, strict=True))
        results = [
            _result(target, made.get(key_of(target), ""))
            for target in decided.targets
            if target.asked
        ]
        return BuildReport(tuple(results), time.monotonic() - self.started_s)

    def _found(self, decided: BuildPlan) -> dict[Key, WantedImage]:
        """Return the parts of what is to be joined, with the digests that the registry has."""
        from hullwright.push import parts

        self.images = wanted_images(self.session, self.request, decided)
        keys = [key_of(t) for t in decided.targets if t.asked and t.decision.action == "build"]
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
