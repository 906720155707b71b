"""What came of a build: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hullwright.build.timeline import RecordedRun, Timeline

Status = Literal["built", "current", "joined", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Cause:
    """A known cause of a failed step, and what helps.

    Attributes:
        summary: what it is, in one sentence.
        next_step: what to do.
    """

    summary: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and how a target failed.

    Attributes:
        step: such as `step 3 of 9: RUN make`, or what BuildKit did outside of a Dockerfile.
        platform: of that step, where several are built.
        error: BuildKit's words.
        output: the step's last lines.
        excerpt: the lines of the Dockerfile, as buildx shows them.
        causes: known causes; empty where nothing is recognised.
        exporting: whether the image was made and could not be put where it goes.
        place: `FILE:LINE` of its instruction, from the top of the repository; empty if not known.
    """

    step: str
    platform: str
    error: str
    output: tuple[str, ...] = ()
    excerpt: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    exporting: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class EmulatedStep:
    """A step that ran foreign code through an emulator.

    Attributes:
        step: such as `step 3 of 9: RUN make`.
        platform: whose code it ran.
        seconds: how long.
    """

    step: str
    platform: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What became of one image.

    Attributes:
        status: `joined` where it was made of parts that others built; `skipped` where it was not
            tried: what it needs failed, or the run was ended.
        digest: of its manifest, or of the index of several; empty unless it is there now.
        platforms: that it holds, as far as they are known.
        seconds: from its first step to the end of its export.
        steps: instructions of the Dockerfile that it needs, on all platforms, without FROM.
        cached_steps: those of them that BuildKit did not have to run.
        reason: why it is as it is: why it was not built, what failed, why it is current.
        failure: of a failed target.
        version: what the image's sources are called; of a current one, its own.
        revision: their full commit.
        fingerprint: of its inputs.
        changes: what differs from the inputs of the build before.
        emulated: steps that ran foreign code.
        asked: whether it was asked for, not only needed by another one.
        stored: whether the local store holds the digest.
        before: digest of the last recorded build; empty where there is none.
        nodes: endpoints of the builder's nodes that it was built on.
        parts: (platform, digest) of what several nodes made of it, where nothing joined them yet.
    """

    service: str
    target: str
    platforms: tuple[str, ...]
    reference: str
    status: Status
    digest: str = ""
    seconds: float = 0.0
    steps: int = 0
    cached_steps: int = 0
    reason: str = ""
    failure: Failure | None = None
    version: str = ""
    revision: str = ""
    fingerprint: str = ""
    changes: tuple[str, ...] = ()
    emulated: tuple[EmulatedStep, ...] = ()
    asked: bool = True
    stored: bool = False
    before: str = ""
    nodes: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What became of a whole run.

    Attributes:
        targets: in the order of the plan.
        seconds: of the whole run.
        longest: the step that took longest, for the last line; empty where all was cached.
        records: what each bake run told, in the order in which they began.
        interrupted: whether Ctrl-C ended it.
        nothing: why there was nothing to do at all, where there was not.
    """

    targets: tuple[TargetResult, ...]
    seconds: float
    longest: str = ""
    records: tuple[RecordedRun, ...] = field(default=(), repr=False)
    interrupted: bool = False
    nothing: str = ""

    @property
    def runs(self) -> int:
        """How many times bake ran."""
        return len(self.records)

    @property
    def timeline(self) -> Timeline:
        """When each step ran, and which of them the end waited for."""
        # Imported where somebody wants it drawn.
        from hullwright.build.timeline import timeline

        return timeline(self.records)

    @property
    def failed(self) -> bool:
        """Whether an image that was asked for does not exist now."""
        return any(target.status in {"failed", "skipped"} for target in self.targets)
