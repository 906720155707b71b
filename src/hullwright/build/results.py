"""What a bake run means for each of its targets: built, failed, or cancelled by another's failure.

BuildKit tells of a step that two targets share under either of them, and of a sibling's steps
also under the target that is built on it: so a failure belongs to the first target in the order
of the plan that has the step, and what is built on that one did not fail of itself.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from hullwright.build import emulation
from hullwright.build.outcome import Cause, EmulatedStep, Failure, TargetResult
from hullwright.build.outputs import kept, stores
from hullwright.build.progress import cancelled, is_export
from hullwright.tools.dockerfile import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.build.progress import Progress, Step
    from hullwright.build.running import Ran
    from hullwright.tools.buildx import Vertex
    from hullwright.workspace import Workspace

CANCELLED: Final = "cancelled, because another target failed"
_ERROR: Final = re.compile(r"ERROR: (?:target (?P<target>[\w-]+): )?(?P<what>.*)", re.DOTALL)
_EXCERPT_RULE: Final = re.compile(r"-{8,}")
_PLACE: Final = re.compile(r"\S+:(?P<line>[1-9][0-9]*)")
_SHOWN_LINES: Final = 15
_PULLED: Final = "load metadata for "
# Below this, which step was the longest says nothing.
_TOLD_S: Final = 0.1


@dataclass(frozen=True)
class Judge:
    """Says what became of the targets of one plan.

    Attributes:
        before: digests of the last recorded builds, by service and target.
    """

    ws: Workspace
    plan: BuildPlan
    before: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, ran: Ran, *, interrupted: bool) -> dict[str, TargetResult]:
        """Return what became of each target of a run, by bake's name.

        What was cancelled is `skipped`. A run that ended badly and blames nothing is a failure of
        all that it did not build, unless it was interrupted.
        """
        failures = {} if ran.result.ok else self._failures(ran)
        found = {t.name: self._result(t, ran, failures.get(t.name)) for t in ran.targets}
        if ran.result.ok or interrupted or failures:
            return found
        return {name: _blamed(result, ran) for name, result in found.items()}

    def skipped(self, planned: PlannedTarget, reason: str) -> TargetResult:
        """Return the result of a target that was not tried, or not to its end."""
        return replace(self._plain(planned), status="skipped", reason=reason)

    def there(self, planned: PlannedTarget) -> TargetResult:
        """Return the result of a target that is current, or was fetched."""
        decision = planned.decision
        return replace(
            self._plain(planned),
            status="current",
            reason=decision.reason,
            platforms=decision.platforms or planned.platforms,
            reference=decision.reference or planned.reference,
            digest=decision.digest,
            version=decision.version or planned.version,
            revision=decision.revision or planned.revision,
            stored=decision.stored and bool(decision.digest),
        )

    def longest(self, rans: Iterable[Ran]) -> str:
        """Return which step took longest; empty where none took long."""
        ran_steps = [
            (step.seconds, planned.service, step)
            for ran in rans
            for planned in ran.targets
            for step in ran.progress.steps(planned.name, self._needs(planned.name))
            if not step.vertex.cached and not step.vertex.error and step.seconds >= _TOLD_S
        ]
        if not ran_steps:
            return ""
        seconds, service, step = max(ran_steps, key=lambda item: item[0])
        where = " ".join(part for part in (service, step.name.platform) if part)
        return f"{step.name.brief}, {where}, {seconds:.1f} s"

    def emulated_keys(self, ran: Ran) -> frozenset[tuple[str, str]]:
        """Return the keys of the vertexes of a run that ran foreign code."""
        return frozenset(
            (planned.name, step.vertex.digest)
            for planned in ran.targets
            for step, _ in self._emulated(planned, ran.progress)
        )

    @cached_property
    def _planned(self) -> Mapping[str, PlannedTarget]:
        return {planned.name: planned for planned in self.plan.targets}

    def _needs(self, name: str) -> frozenset[str]:
        """Return bake's names of all that a target is built on, also by way of others."""
        planned = self._planned.get(name)
        own = set(planned.links.values()) if planned else set()
        return frozenset(own.union(*(self._needs(sibling) for sibling in own)))

    def _plain(self, planned: PlannedTarget) -> TargetResult:
        key = (planned.service, planned.target)
        return TargetResult(
            service=planned.service,
            target=planned.target,
            platforms=planned.platforms,
            reference=planned.reference,
            status="built",
            version=planned.version,
            revision=planned.revision,
            fingerprint=planned.fingerprint,
            changes=planned.decision.changes,
            asked=planned.asked,
            before=self.before.get(key, ""),
        )

    def _result(self, planned: PlannedTarget, ran: Ran, failure: Failure | None) -> TargetResult:
        progress, known = ran.progress, ran.metadata.get(planned.name)
        digest = known.digest if known else progress.digest(planned.name)
        exported = bool(digest) or 0 < len(planned.bake.outputs) <= progress.exports(planned.name)
        built = ran.result.ok or (exported and not failure)
        steps = progress.steps(planned.name, self._needs(planned.name))
        stored = built and bool(digest) and self.plan.stores and stores(planned.bake.outputs)
        place = self.plan.place if planned.shares and kept(planned.bake.outputs) else None
        platforms = planned.platforms
        if not platforms and known and known.platform:
            platforms = (str(known.platform),)
        return replace(
            self._plain(planned),
            status="built" if built else "failed" if failure else "skipped",
            platforms=platforms,
            digest=digest if built else "",
            stored=stored,
            seconds=progress.seconds(planned.name),
            steps=len(steps),
            cached_steps=sum(step.vertex.cached for step in steps),
            reason=_reason(
                built=built, stored=stored, failure=failure, place=place.name if place else ""
            ),
            failure=None if built else _on_node(failure, planned),
            emulated=tuple(
                EmulatedStep(step.text, platform, round(step.seconds, 3))
                for step, platform in self._emulated(planned, progress)
            ),
            nodes=tuple(share.node.endpoint for share in planned.shares),
        )

    def _failures(self, ran: Ran) -> dict[str, Failure]:
        """Return the failures of a run by the target that they belong to."""
        progress = ran.progress
        told = {t.name: t for t in ran.targets}
        found: dict[str, Failure] = {}
        several = sum(len(progress.failures(name)) for name in progress.targets) > 1
        for name in progress.targets:
            for vertex in progress.failures(name):
                owner = self._owner(name, vertex, progress)
                # A sibling that is built on the way only fails whoever asked for it.
                mine = [owner] if owner in told else [n for n in told if owner in self._needs(n)]
                for each in mine:
                    failure = _step_failure(progress, vertex, told[each], several=several)
                    found.setdefault(each, failure)
        # Words without a target are about all of them, but not where a step is to blame.
        anybody = len(told) == 1 or not found
        for name, planned in told.items():
            outside = _outside(progress, planned, anybody=anybody)
            if name not in found and outside and not found.keys() & self._needs(name):
                found[name] = outside
        return found

    def _owner(self, name: str, vertex: Vertex, progress: Progress) -> str:
        needed = self._needs(name)
        order = (planned.name for planned in self.plan.targets if planned.name in needed)
        owners = (other for other in order if (other, vertex.digest) in progress.vertexes)
        return next(owners, name)

    def _emulated(self, planned: PlannedTarget, progress: Progress) -> Iterator[tuple[Step, str]]:
        """Yield the steps that ran foreign code, with the platform whose code it was."""
        ran = [
            step
            for step in progress.steps(planned.name, self._needs(planned.name))
            if step.name.brief.startswith("RUN ") and not step.vertex.cached and step.seconds
        ]
        unnamed = [step for step in ran if not step.name.platform]
        stages = self._foreign_stages(planned) if unnamed else {}
        for step in ran:
            platform = step.name.platform.partition("->")[0] or stages.get(step.name.stage, "")
            own = next((own for share in planned.shares for own in share.node.native), "")
            if emulation.foreign(platform, own):
                yield step, platform

    def _foreign_stages(self, planned: PlannedTarget) -> dict[str, str]:
        """Return the platforms that stages run on, where BuildKit does not say: for one alone."""
        platform = planned.platforms[0] if planned.platforms else emulation.host()
        path = self.ws.root / planned.bake.context / planned.bake.dockerfile
        if not path.is_file():
            return {}
        dockerfile = read(path)
        given = planned.bake.arguments
        # BuildKit calls a stage without a name after its number, and an only one nothing.
        unnamed = "stage-{}" if len(dockerfile.all_stages) > 1 else ""
        return {
            unnamed.format(name) if name.isdecimal() else name.lower(): ran_on
            for ran_on, name, _ in emulation.run_platforms(
                dockerfile, planned.target, given, platform
            )
        }


def _on_node(failure: Failure | None, planned: PlannedTarget) -> Failure | None:
    """Return a failure with what helps on a node elsewhere, where no local image is seen."""
    if failure is None or not planned.shares or not failure.step.startswith(_PULLED):
        return failure
    cause = Cause(
        "a node pulls base images itself, and does not see the local store",
        "push the image to where the node pulls from, or name a mirror that has it in the node's "
        "buildkitd.toml",
    )
    return replace(failure, causes=(cause,))


def lost(results: Mapping[str, TargetResult], ran: Ran, why: str) -> dict[str, TargetResult]:
    """Return the results of a run whose node went away: what it did not finish failed for that.

    Args:
        results: of the run, by bake's name.
        ran: the run.
        why: why the node does not answer any more.
    """
    endpoint = ran.targets[0].shares[0].node.endpoint
    said = ran.progress.said
    failure = Failure(
        step=f"on node {endpoint}, which went away",
        platform="",
        error=said[-1] if said else f"docker buildx bake ended with {ran.result.returncode}",
        output=tuple(said[-_SHOWN_LINES:-1]),
        causes=(
            Cause(
                f"node {endpoint} does not answer any more: {why}",
                "look at its log, or build what failed on what is left: invoke build --failed",
            ),
        ),
    )
    return {
        name: result
        if result.status == "built"
        else replace(result, status="failed", reason=failure.step, failure=failure)
        for name, result in results.items()
    }


def _reason(*, built: bool, stored: bool, failure: Failure | None, place: str) -> str:
    if built and place:
        return f"kept by builder {place}; it comes to the local store with --load"
    if built:
        return "" if stored else "not for the local store, so it was not recorded"
    return failure.step if failure else CANCELLED


def _blamed(result: TargetResult, ran: Ran) -> TargetResult:
    if result.status == "built":
        return result
    said = ran.progress.said
    failure = Failure(
        step="outside its steps",
        platform="",
        error=f"docker buildx bake ended with {ran.result.returncode}",
        output=tuple(said[-_SHOWN_LINES:]),
        causes=_causes(said, platform=""),
    )
    return replace(result, status="failed", reason=failure.step, failure=failure)


def _outside(progress: Progress, planned: PlannedTarget, *, anybody: bool) -> Failure | None:
    """Return a failure before or after the steps, which has no vertex: of a Dockerfile, an export.

    BuildKit names the target, except where there is one only or the whole run is meant.
    """
    name, platform = planned.name, _platform(planned)
    for line in progress.said:
        match = _ERROR.fullmatch(line)
        mine = match and (match["target"] == name or (anybody and _unnamed(match, progress)))
        if match and mine and not cancelled(match["what"]):
            output = tuple(said for said in progress.said if said != line)[-_SHOWN_LINES:]
            return Failure(
                step="outside its steps" if progress.steps(name) else "before its first step",
                platform="",
                error=match["what"],
                output=output,
                causes=_causes([match["what"]], platform=platform),
                place=_place(progress, planned, None) if anybody else "",
            )
    return None


def _unnamed(match: re.Match[str], progress: Progress) -> bool:
    return not match["target"] or len(progress.targets) == 1


def _step_failure(
    progress: Progress, vertex: Vertex, planned: PlannedTarget, *, several: bool
) -> Failure:
    step = progress.step_of(vertex)
    output = progress.output(vertex)[-_SHOWN_LINES:]
    # A cross-compiling step runs on the platform before the arrow.
    ran_on = step.name.platform.partition("->")[0] if step else ""
    return Failure(
        step=step.text if step else vertex.name.rpartition("] ")[2],
        platform=step.name.platform if step else "",
        error=vertex.error,
        output=output,
        excerpt=_excerpt(progress.said),
        place=""
        if several and step is None
        else _place(progress, planned, step if several else None),
        causes=_causes([vertex.error, *output], platform=ran_on or _platform(planned)),
        exporting=is_export(vertex),
    )


def _platform(planned: PlannedTarget) -> str:
    # A build of one platform does not name it in its steps.
    return planned.platforms[0] if len(planned.platforms) == 1 else ""


def _place(progress: Progress, planned: PlannedTarget, step: Step | None) -> str:
    """Return `FILE:LINE` of what failed, as buildx tells it; nothing where it tells of another.

    It shows one place for a whole run. So where `step` is one of several that failed, it has the
    place only if its instruction begins with the line that is marked.
    """
    said = [line.strip() for line in progress.said]
    lines = (
        match["line"]
        for place, rule in pairwise(said)
        if _EXCERPT_RULE.fullmatch(rule) and (match := _PLACE.fullmatch(place))
    )
    line = next(lines, "")
    marked = (one.partition(">>>")[2] for one in _excerpt(progress.said) if ">>>" in one)
    begun = " ".join(next(marked, "").rstrip("\\ ").split())
    mine = step is None or (begun and " ".join(step.name.instruction.split()).startswith(begun))
    # What is built from a context elsewhere has no line in the repository.
    if not (line and mine) or "://" in planned.bake.context:
        return ""
    file = posixpath.normpath(posixpath.join(planned.bake.context, planned.bake.dockerfile))
    return f"{file}:{line}"


def _excerpt(said: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of the Dockerfile that buildx showed between two rules."""
    kept: list[str] = []
    inside = False
    for line in said:
        if _EXCERPT_RULE.fullmatch(line.strip()):
            if inside:
                break
            inside = True
        elif inside:
            kept.append(line)
    return tuple(kept)


def _causes(texts: Iterable[str], *, platform: str) -> tuple[Cause, ...]:
    # Imported where something failed: its patterns take longer to compile than a bake to answer.
    from hullwright.build.causes import causes

    return causes(texts, platform=platform, host=emulation.host())
