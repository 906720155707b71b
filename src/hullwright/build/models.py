"""What a build is asked for and what it plans: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from hullwright.tools.buildx import LOCAL_STORE, definition_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.build.fingerprint import Fingerprint
    from hullwright.build.ignoring import GeneratedFile
    from hullwright.build.nodes import Place, PlaceNode
    from hullwright.tools.buildx import BakeTarget

Action = Literal["build", "current", "fetch"]


def secret_variable(key: str) -> str:
    """Return the variable in which bake gets the value of a key of the secrets file."""
    return f"HULLWRIGHT_SECRET_{key}"


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a person asks for; everything else follows from configuration and Git.

    Attributes:
        services: names; empty means all.
        target: stage of every one of them; empty means each service's default.
        platforms: as they are typed; empty means the configuration's.
        build_args: arguments that win over the configuration's.
        set_: overrides as bake's `--set` takes them.
        allow: entitlements that the person grants, such as `network.host`.
        outputs: exporters in place of the local store, as `--output` takes them.
        jobs: builds in flight; 0 means the configuration's.
        fail_fast: whether the first failure ends the run.
        force: build also what is current.
        only: (service, target) of those that are limited to, by `--failed` or `--changed-since`;
            None for no limit. What they need is built with them.
        allow_args: build arguments whose names look like a secret's, and are none.
        locked: whether a lock file that does not fit what Dockerfiles name ends the build; None
            means on CI.
        reproducible: whether images must come out the same whenever and wherever they are built;
            else what the configuration says of each.
        builder: the entry of the configuration's `builders` that builds; empty means its default,
            and in what plans, once builders were looked at, the engine's own.
        load: whether images of another builder than the engine's come to the local store, too.
    """

    services: tuple[str, ...] = ()
    target: str = ""
    platforms: tuple[str, ...] = ()
    no_cache: bool = False
    pull: bool = False
    build_args: Mapping[str, str] = field(default_factory=dict)
    set_: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    jobs: int = 0
    fail_fast: bool = False
    force: bool = False
    only: tuple[tuple[str, str], ...] | None = None
    allow_args: tuple[str, ...] = ()
    locked: bool | None = None
    reproducible: bool = False
    builder: str = ""
    load: bool = False


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """What the sources of a service are called; from Git, handed over by the task.

    Attributes:
        version: such as `1.4.1-0.dev.12+g1a2b3c4`.
        image_tag: the same in the alphabet of tags.
        revision: full commit; empty where there is none.
        created: time of the commit, RFC 3339.
        source: address of the repository; empty where it has none.
        arguments: offered to Dockerfiles that declare them: VERSION, GIT_COMMIT (short),
            GIT_REVISION (whole), BUILD_DATE, SOURCE_DATE_EPOCH.
        release: whether it is a release: a clean tree, on its tag.
        dirty: whether the content differs from the commit's.
    """

    version: str
    image_tag: str
    revision: str = ""
    created: str = ""
    source: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    release: bool = False
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an image is built, and why.

    Attributes:
        action: `build`; `current` where an image of these inputs is there already; `fetch` where
            only the registry has it.
        reason: in one sentence, such as `inputs unchanged since 1.4.1-0.dev.11`.
        changes: what differs from the inputs of the last recorded build, such as
            `src/app.py changed`; empty where nothing does or none is known.
        version, revision, reference, digest, platforms: of the existing image; empty for `build`.
        stored: whether the local store holds it.
    """

    action: Action
    reason: str
    changes: tuple[str, ...] = ()
    version: str = ""
    revision: str = ""
    reference: str = ""
    digest: str = ""
    platforms: tuple[str, ...] = ()
    stored: bool = True


UNDECIDED: Final = Decision("build", "it was not looked at yet")


@dataclass(frozen=True, slots=True)
class Share:
    """Platforms of a target that one node builds; empty for the builder's own."""

    node: PlaceNode
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """One image of a plan.

    Attributes:
        service: name in the configuration.
        target: stage; empty for the last one under no name.
        reference: name and tag that the image gets.
        platforms: as they are asked for; empty for the builder's own.
        version: what the sources are called.
        revision: their full commit.
        bake: what bake is told.
        secret_keys: keys of the secrets file whose values its build gets.
        generated: files that bake reads besides the service's own.
        links: bake's names of the siblings that it is built on, by the names that its Dockerfile
            (or its `contexts`) has for them.
        asked: whether it was asked for, not only needed by another one.
        release, dirty: as its `SourceVersion` has them.
        runs: platforms whose code its steps run, each with a place in a Dockerfile.
        fingerprint: of its inputs, 64 hexadecimal digits; empty until it was decided on.
        decision: whether it is built; `build` until it was decided on.
        inputs: what the fingerprint is made of; None until it was decided on.
        also: further names that it gets in the local store.
        reproducible: whether it must come out the same whenever and wherever it is built.
        pins: base images as the lock has them, `name:tag@digest` by the names of contexts.
        shares: which nodes build it; several where each builds some of its platforms. Empty until
            that was decided, and where the engine's own builder does.
    """

    service: str
    target: str
    reference: str
    platforms: tuple[str, ...]
    version: str
    revision: str
    bake: BakeTarget
    secret_keys: tuple[str, ...] = ()
    generated: tuple[GeneratedFile, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    asked: bool = True
    release: bool = False
    dirty: bool = False
    runs: tuple[tuple[str, str], ...] = ()
    fingerprint: str = ""
    decision: Decision = UNDECIDED
    inputs: Fingerprint | None = field(default=None, repr=False)
    also: tuple[str, ...] = ()
    reproducible: bool = False
    pins: Mapping[str, str] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()

    @property
    def name(self) -> str:
        """Bake's name of it, which is unique in a plan."""
        return self.bake.name

    @property
    def node(self) -> str:
        """The buildx builder of the node that builds it; empty for that of the run."""
        return self.shares[0].node.name if len(self.shares) == 1 else ""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What is built, and how.

    Attributes:
        targets: each after those that it is built on, else in the order of the configuration.
        allow: entitlements that bake is given, each named in the text form.
        ca_bundle: file that builds get as a secret; empty for none.
        jobs: builds in flight; 0 leaves it to BuildKit, in one bake run.
        fail_fast: whether the first failure ends the run.
        notes: what a person should know of how it was planned.
        place: the builder that builds; None for the engine's own, or what the environment names.
        load: whether what it builds comes to the local store.
    """

    targets: tuple[PlannedTarget, ...]
    no_cache: bool = False
    pull: bool = False
    overrides: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    ca_bundle: str = ""
    jobs: int = 0
    fail_fast: bool = False
    notes: tuple[str, ...] = ()
    place: Place | None = None
    load: bool = False

    @property
    def building(self) -> tuple[PlannedTarget, ...]:
        """What is to be built; the rest is there already, or is fetched."""
        return tuple(t for t in self.targets if t.decision.action == "build")

    @property
    def stores(self) -> bool:
        """Whether images go to the local store; an override of the output sends them elsewhere."""
        keys = (override.partition("=")[0] for override in self.overrides)
        return not any(key.rpartition(".")[2] in {"output", "outputs"} for key in keys)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """Keys of the secrets file whose values `execute` must be given."""
        return tuple(sorted({key for target in self.building for key in target.secret_keys}))

    def definition(self) -> str:
        """Return the bake definition, which `docker buildx bake -f` takes as it is."""
        return definition_json(target.bake for target in self.targets)

    def text(self) -> str:
        """Return the plan for a person, one image in each block; stable, so tests assert it."""
        lines = [f"{self._head()}{self._flags()}"]
        for planned in self.targets:
            above = (t.name for t in self.targets if planned.name in t.links.values())
            lines += ["", *_target_lines(planned, "" if planned.asked else " ".join(above))]
        rest = [
            *(
                [f"every build may read the certificates of {self.ca_bundle}"]
                * bool(self.ca_bundle and self.building)
            ),
            *(f"bake is allowed {entitlement}" for entitlement in self.allow if self.building),
            *(f"note: {note}" for note in self.notes),
        ]
        return "\n".join([*lines, *([""] if rest else []), *rest])

    def _head(self) -> str:
        count, there = len(self.building), len(self.targets) - len(self.building)
        if not count:
            return "build nothing: all of it is there already"
        how = "in one bake run"
        if self.place:
            nodes = len({share.node.name for t in self.building for share in t.shares})
            on = f"on {nodes} nodes of builder" if nodes > 1 else "on builder"
            how = f"{on} {self.place.name}"
        elif 0 < self.jobs < count:
            how = f"at most {self.jobs} at once" if self.jobs > 1 else "one after another"
        rest = f" · {there} there already" if there else ""
        return f"build {count} {how}{rest}{' · stop at the first failure' * self.fail_fast}"

    def _flags(self) -> str:
        flags = [
            *(["without cache"] if self.no_cache else []),
            *(["newer base images are pulled"] if self.pull else []),
            *(f"set {override}" for override in self.overrides),
        ]
        return f" · {' · '.join(flags)}" if flags else ""


def _share_text(share: Share, planned: PlannedTarget) -> str:
    some = len(planned.shares) > 1
    return f"{' '.join(share.platforms)} on {share.node.endpoint}" if some else share.node.endpoint


def _target_lines(planned: PlannedTarget, needed_by: str) -> list[str]:
    bake, decision = planned.bake, planned.decision
    if decision.action != "build":
        found = f"{decision.reference}@{decision.digest}" if decision.digest else decision.reference
        facts = [
            (decision.action, decision.reason),
            ("image", found),
            ("also as", " ".join(planned.also)),
        ]
        return [planned.reference, *(f"  {name:<9}  {fact}" for name, fact in facts if fact)]
    facts = [
        ("because", decision.reason if decision is not UNDECIDED else ""),
        ("needed by", needed_by),
        ("from", f"{bake.context} · {bake.dockerfile} · stage {planned.target or '(the last)'}"),
        ("platforms", " ".join(planned.platforms) or "the builder's own"),
        ("node", ", ".join(_share_text(share, planned) for share in planned.shares)),
        ("arguments", " ".join(f"{name}={value}" for name, value in bake.arguments.items())),
        ("labels", " ".join(f"{name}={value}" for name, value in bake.labels.items())),
        ("contexts", " ".join(f"{name}={value}" for name, value in bake.contexts.items())),
        ("secrets", " ".join(bake.secrets)),
        ("ssh", " ".join(bake.ssh)),
        ("cache", " ".join((*bake.cache_from, *(f"to {goal}" for goal in bake.cache_to)))),
        ("output", " ".join(bake.outputs) if bake.outputs != (LOCAL_STORE,) else ""),
        ("same", "bit for bit wherever it is built" if planned.reproducible else ""),
        ("generated", " ".join(file.path for file in planned.generated)),
        ("also as", " ".join(planned.also)),
    ]
    return [planned.reference, *(f"  {name:<9}  {fact}" for name, fact in facts if fact)]
