"""Which images of a plan are current: there already, made from these very inputs.

A development image keeps the version of the commit that last changed its inputs. A release is
never another version's image. Where anything about the inputs is not known, an image is built.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from hullwright import recorded
from hullwright.build.fingerprint import LABEL
from hullwright.build.ignoring import STATE
from hullwright.build.inputs import contexts_of, fingerprints, materials
from hullwright.build.keeping import limited, remaining
from hullwright.build.kept import changes_since, earlier
from hullwright.build.labelling import OCI
from hullwright.build.models import Decision
from hullwright.build.present import look, other_builder, search
from hullwright.errors import UsageError
from hullwright.images import Reference
from hullwright.tools.git import Git, find_git_dir
from hullwright.tools.localstore import stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.build.fingerprint import Fingerprint
    from hullwright.build.inputs import Material
    from hullwright.build.models import BuildPlan, BuildRequest, PlannedTarget
    from hullwright.recorded import RecordedImage
    from hullwright.tools.localstore import StoredImage
    from hullwright.tools.published import Lookup, Published
    from hullwright.workspace import Workspace

There = Literal["anywhere", "registry", "parts"]
_INDEX: Final = "application/vnd.oci.image.index.v1+json"


def decide(
    ws: Workspace,
    plan: BuildPlan,
    request: BuildRequest,
    lookup: Lookup | None = None,
    *,
    push: bool = False,
    there: There = "anywhere",
) -> BuildPlan:
    """Return the plan with a fingerprint and a decision for each image that is needed.

    What is only there for another image, and is not needed because that one is current, is left
    out. What is built on a current image takes it by its digest.

    Args:
        ws: the repository.
        plan: each target after those that it is built on.
        request: what was asked for.
        lookup: finds images in registries; without one only the local store counts.
        push: whether images go to a registry, where they need not be fetched from.
        there: where an image must be for nothing to be built: `anywhere`; in a `registry`; or, of
            those asked for, in a registry and of this very version, as `parts` of one image are.

    Raises:
        UnavailableError: no engine answers.
    """
    plan = limited(plan, request.only)
    deciding = _Deciding(ws, plan, request, push=push, there=there)
    deciding.observe(lookup)
    decided = [deciding.target(material) for material in deciding.read]
    return replace(plan, targets=tuple(remaining(decided, deciding.invisible)))


def fingerprints_now(ws: Workspace, plan: BuildPlan) -> dict[str, Fingerprint]:
    """Return the fingerprint of each target's inputs as they are now, by bake's name."""
    read = materials(ws, plan)
    seen = look(ws, _named(read), (), newest=plan.pull)
    return fingerprints(read, contexts_of(ws), seen.digests)


@dataclass
class _Deciding:
    """One decision on a whole plan, and what was looked at for it."""

    ws: Workspace
    plan: BuildPlan
    request: BuildRequest
    push: bool
    there: There = "anywhere"
    read: tuple[Material, ...] = ()
    prints: Mapping[str, Fingerprint] = field(default_factory=dict)
    local: dict[str, list[StoredImage]] = field(default_factory=dict)
    published: Mapping[str, Published] = field(default_factory=dict)
    asked_registry: bool = False
    records: Mapping[tuple[str, str], RecordedImage] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    contained: dict[str, bool] = field(default_factory=dict)

    def observe(self, lookup: Lookup | None) -> None:
        """Look at files, the local store and registries, each once for all targets."""
        self.read = materials(self.ws, self.plan)
        self.records = recorded.load(self.ws)
        mine = [self._record(planned) for planned in self.plan.targets]
        seen = look(
            self.ws,
            _named(self.read),
            [record for record in mine if record],
            newest=self.plan.pull,
        )
        contexts = contexts_of(self.ws)
        self.prints = fingerprints(self.read, contexts, seen.digests)
        if (self.ws.root / STATE).is_dir():
            contexts.remember()
        self._sort(seen.images)
        wanted = [p for p in self.plan.targets if not self._always(p)]
        missing = [p for p in wanted if not self._elsewhere(p) and not self._candidate(p)]
        self._sort(search(self.ws, [self.prints[planned.name].value for planned in missing]))
        self._look_up(lookup, [p for p in wanted if self._elsewhere(p) or not self._candidate(p)])

    def invisible(self, planned: PlannedTarget) -> str:
        """Return why no build can stand on an image that is there; empty where one can."""
        builder = other_builder(self.ws)
        if not builder or planned.fingerprint in self.published:
            return ""
        return f"another image is built on it, and builder {builder} has no local store"

    def target(self, material: Material) -> PlannedTarget:
        """Return a target with its fingerprint and its decision."""
        planned, inputs = material.planned, self.prints[material.planned.name]
        levels = {entry.partition(":")[0] for entry in planned.bake.annotations}
        annotations = [f"{level}:{LABEL}={inputs.value}" for level in sorted(levels)]
        bake = replace(
            planned.bake,
            labels={**planned.bake.labels, LABEL: inputs.value},
            annotations=(*planned.bake.annotations, *annotations),
        )
        return replace(
            planned,
            bake=bake,
            fingerprint=inputs.value,
            inputs=inputs,
            decision=self._decision(material),
        )

    def _decision(self, material: Material) -> Decision:
        planned = material.planned
        before = earlier(self.ws, planned)
        inputs = self.prints[planned.name]
        changed = (
            changes_since(self.ws, before, material, inputs)
            if before and before.fingerprint != inputs.value
            else ()
        )
        always = self._always(planned)
        if always:
            return Decision("build", always, changed)
        image = None if self._elsewhere(planned) else self._candidate(planned)
        found = self._there(planned, image)
        if found is not None:
            return found
        if planned.release:
            return Decision("build", "a release is built under its own version", changed)
        if self._own(planned):
            return Decision("build", "no part of this version is in the registry", changed)
        refused = self.refused.get(planned.name, "")
        return Decision(
            "build", refused or self._reason(changed, known=before is not None), changed
        )

    def _there(self, planned: PlannedTarget, image: StoredImage | None) -> Decision | None:
        """Return the decision for an image that is there; None where there is none."""
        if image is not None:
            version = image.labels.get(f"{OCI}version", "")
            return Decision(
                "current",
                _unchanged(version),
                version=version,
                revision=image.labels.get(f"{OCI}revision", ""),
                reference=self._reference(planned, image),
                digest=image.digest or image.id,
                platforms=planned.platforms or tuple(image.platform.split()),
            )
        found = self.published.get(self.prints[planned.name].value)
        if found is None or not self._takes(planned, found):
            return None
        own = "this very release" if planned.release else "this very part"
        return Decision(
            "current" if self.push else "fetch",
            f"the registry holds {own}" if self._own(planned) else _unchanged(found.version),
            version=found.version,
            revision=found.revision,
            reference=f"{found.repository}:{found.tag}" if self.push else _lasting(planned, found),
            digest=found.digest,
            platforms=found.platforms,
            stored=False,
        )

    def _own(self, planned: PlannedTarget) -> bool:
        """Return whether only an image of its very version stands for a target."""
        return planned.release or (self.there == "parts" and planned.asked)

    def _elsewhere(self, planned: PlannedTarget) -> bool:
        """Return whether no image of the local store stands for a target."""
        return self._own(planned) or self.there == "registry"

    def _always(self, planned: PlannedTarget) -> str:
        """Return why a target is built whatever is there; empty where it depends."""
        if self.request.outputs or not self.plan.stores:
            return "--output sends it elsewhere than to the local store"
        if self.request.force:
            return "--force"
        if self.plan.no_cache:
            return "--no-cache"
        unknown = self.prints[planned.name].unknown
        return f"it may have changed: {unknown[0]}" if unknown else ""

    def _reason(self, changed: Sequence[str], *, known: bool) -> str:
        if changed:
            more = len(changed) - 1
            return f"{changed[0]}{f', and {more} more' if more else ''}"
        where = "the local store"
        if self.asked_registry:
            where += " or the registry"
        if known:
            return f"inputs unchanged, but its image is not in {where} under this name"
        return f"no image of these inputs in {where}"

    def _record(self, planned: PlannedTarget) -> RecordedImage | None:
        return self.records.get((planned.service, planned.target))

    def _sort(self, images: Iterable[StoredImage]) -> None:
        for image in images:
            value = image.labels.get(LABEL, "")
            if value and image not in self.local.get(value, ()):
                self.local.setdefault(value, []).append(image)

    def _candidate(self, planned: PlannedTarget) -> StoredImage | None:
        """Return the image of the local store that stands for a target: the recorded one first."""
        record = self._record(planned)
        images = self.local.get(self.prints[planned.name].value, [])
        ranked = sorted(
            images,
            key=lambda i: (bool(record and i.known_by(record.digest)), i.created, _released(i)),
            reverse=True,
        )
        return next((image for image in ranked if self._serves(planned, image)), None)

    def _serves(self, planned: PlannedTarget, image: StoredImage) -> bool:
        if not self._reference(planned, image):
            return False
        labels = image.labels
        doubt = self._doubt(
            planned, labels.get(f"{OCI}version", ""), labels.get(f"{OCI}revision", "")
        )
        if not doubt and self.push and self.ws.config.build.attestations:
            # An index of one platform is one because it holds attestations.
            (seen,) = stored(self.ws.runner, [image.id]) or (image,)
            single = len(planned.platforms) < 2
            doubt = (
                ""
                if single and seen.media_type == _INDEX
                else "the local image of these inputs has no attestations"
            )
        if doubt:
            self.refused[planned.name] = doubt
        return not doubt

    def _takes(self, planned: PlannedTarget, found: Published) -> bool:
        if self._own(planned):
            return found.version == planned.version
        doubt = self._doubt(planned, found.version, found.revision)
        if not doubt and self.push and self.ws.config.build.attestations and not found.attested:
            doubt = "the registry's image of these inputs has no attestations"
        if doubt:
            self.refused[planned.name] = doubt
        return not doubt

    def _doubt(self, planned: PlannedTarget, version: str, revision: str) -> str:
        """Return why an image of these inputs does not stand for this commit's."""
        if "dirty" in version.partition("+")[2].split(".") and not planned.dirty:
            return f"the image of these inputs, {version}, was built from a changed tree"
        if revision and revision != planned.revision and not self._contained(revision):
            return f"the image of these inputs, {version}, is of a commit outside of this history"
        return ""

    def _contained(self, revision: str) -> bool:
        if revision not in self.contained:
            git_dir = find_git_dir(self.ws.root, self.ws.environ)
            # An exported tree has no history that could say no.
            self.contained[revision] = git_dir is None or Git(
                self.ws.runner, self.ws.root, git_dir
            ).contains(revision)
        return self.contained[revision]

    def _reference(self, planned: PlannedTarget, image: StoredImage) -> str:
        """Return the name of an image in the target's repository; empty where it has none."""
        repository = Reference.parse(planned.reference).repository
        mine = [tag for tag in image.tags if _repository(tag) == repository]
        record = self._record(planned)
        named = [planned.reference, *([record.reference] if record else []), *reversed(mine)]
        # Its further names move with the next build, so they say least.
        named.sort(key=planned.also.__contains__)
        return next((name for name in named if name in mine), "")

    def _look_up(self, lookup: Lookup | None, wanted: Sequence[PlannedTarget]) -> None:
        """Ask the registries for what the local store has not, where images have a registry."""
        remote = [planned for planned in wanted if _has_registry(self.ws, planned)]
        if lookup is None or not remote:
            return
        from hullwright.tools.published import Wanted, staging_tag

        questions = []
        for planned in remote:
            value, reference = self.prints[planned.name].value, Reference.parse(planned.reference)
            record = self._record(planned)
            known = Reference.parse(record.reference) if record else reference
            tags = [reference.tag, known.tag if known.repository == reference.repository else ""]
            named = dict.fromkeys(tag for tag in (*tags, staging_tag(value)) if tag)
            own = planned.version if self._own(planned) else ""
            takes = partial(self._takes, planned)
            questions.append(Wanted(reference.repository, tuple(named), value, own, takes))
        self.published, self.asked_registry = lookup(questions), True


def _released(image: StoredImage) -> bool:
    """Return whether a release made an image; images of one commit have one date."""
    return "+" not in image.labels.get(f"{OCI}version", "+")


def _named(read: Iterable[Material]) -> list[str]:
    return [name for material in read for name in material.unpinned]


def _lasting(planned: PlannedTarget, found: Published) -> str:
    """Return the name that a fetched image gets: that of its version, as if it was built here.

    It may have been found under the name of a branch or of content that waits for its release;
    both may come to mean another image.
    """
    own, tag = planned.version.replace("+", "."), Reference.parse(planned.reference).tag or ""
    if not (found.version and tag.startswith(own)):
        return f"{found.repository}:{found.tag}"
    return f"{found.repository}:{found.version.replace('+', '.')}{tag.removeprefix(own)}"


def _unchanged(version: str) -> str:
    return f"inputs unchanged since {version}" if version else "inputs unchanged"


def _repository(tag: str) -> str:
    try:
        return Reference.parse(tag).repository
    except UsageError:
        return ""


def _has_registry(ws: Workspace, planned: PlannedTarget) -> bool:
    """Return whether a target's images live in a registry that somebody named."""
    domain, slash, _ = planned.reference.partition("/")
    return bool(ws.config.registry) or bool(slash and ("." in domain or ":" in domain))
