"""Runs the one bake of a plan, tells of its progress, and says what came of each image."""

from __future__ import annotations

import platform as machine
import re
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hullwright.build.ignoring import write
from hullwright.build.models import BuildReport, Failure, TargetResult, secret_variable
from hullwright.build.progress import Progress
from hullwright.build.telling import Teller
from hullwright.errors import UnavailableError, UsageError
from hullwright.files import lock
from hullwright.recorded import RecordedImage, save
from hullwright.tools.buildx import BAKE_ENVIRONMENT, bake_argv, parse_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager

    from hullwright.build.models import BuildPlan, Cause, PlannedTarget
    from hullwright.console import Console
    from hullwright.run import Result
    from hullwright.secret import Secret
    from hullwright.tools.buildx import TargetMetadata, Vertex
    from hullwright.workspace import Workspace

_ERROR: Final = re.compile(r"ERROR: (?:target (?P<target>[\w-]+): )?(?P<what>.*)", re.DOTALL)
_EXCERPT_RULE: Final = re.compile(r"-{8,}")
_NO_ENGINE: Final = re.compile(
    r"cannot connect to the docker daemon|error during connect|is the docker daemon running|"
    r"dial unix .*docker\.sock",
    re.IGNORECASE,
)
_NO_BUILDX: Final = re.compile(
    r"is not a docker command|unknown command: docker buildx|unknown flag: --(?:file|progress)|"
    r"unknown shorthand flag: 'f'|invalid progress mode|unknown flag: --allow",
    re.IGNORECASE,
)
_SHOWN_LINES: Final = 15
# Below this, which step was the longest says nothing.
_TOLD_S: Final = 0.1
NO_SECRETS: Final = MappingProxyType[str, "Secret"]({})


def execute(
    ws: Workspace, plan: BuildPlan, secrets: Mapping[str, Secret] = NO_SECRETS
) -> BuildReport:
    """Build what is planned, record each image that was built, and say what became of all.

    A target that fails is in the report, not an exception. After Ctrl-C nothing is recorded.

    Args:
        ws: the repository.
        plan: what is built.
        secrets: values of the secrets file; those that `plan.secret_keys` names reach bake by
            its environment, and the builds as BuildKit secrets.

    Raises:
        UsageError: a secret that a service needs is not among them.
        LockedError: another build of this repository is running.
        UnavailableError: there is no engine or no usable buildx.
    """
    given = _secret_environment(plan, secrets)
    with lock(ws.state_dir / "build.lock", f"the build of {ws.config.project}"):
        prepare(ws, plan)
        progress, result, metadata = _bake(ws, plan, given)
        _refuse_unavailable(result, progress)
        targets = _blamed(
            [_target_result(planned, progress, metadata, result, plan) for planned in plan.targets],
            result,
            progress,
        )
        recorded = [_recorded(target) for target in targets if target.digest and plan.stores]
        if recorded:
            save(ws, recorded)
    return BuildReport(targets, result.duration_s, _longest(progress, plan))


def prepare(ws: Workspace, plan: BuildPlan) -> None:
    """Write the files that the plan's bake definition names besides those of the services."""
    write(ws, (file for target in plan.targets for file in target.generated))


def _secret_environment(plan: BuildPlan, secrets: Mapping[str, Secret]) -> dict[str, Secret]:
    missing = [key for key in plan.secret_keys if key not in secrets]
    if missing:
        raise UsageError(
            f"a build needs secrets that are not there: {', '.join(missing)}",
            why="services.NAME.secrets names them as keys of the secrets file",
            next_step="add them to the secrets file, or correct the configuration",
        )
    return {secret_variable(key): secrets[key] for key in plan.secret_keys}


def _bake(
    ws: Workspace, plan: BuildPlan, secrets: Mapping[str, Secret]
) -> tuple[Progress, Result, Mapping[str, TargetMetadata]]:
    progress = Progress([planned.bake.name for planned in plan.targets])
    teller = Teller(ws.console, progress, time.monotonic())

    def on_line(line: str) -> None:
        for target, vertex in progress.feed(line):
            teller.changed(target, vertex)

    # A lasting name, under the build's lock, so that the command can be run again by hand.
    metadata_file = ws.state_dir / "bake-metadata.json"
    metadata_file.unlink(missing_ok=True)
    with _folded(ws.console, plan), teller.ticking():
        result = ws.runner.stream(
            *bake_argv(
                metadata_file,
                no_cache=plan.no_cache,
                pull=plan.pull,
                overrides=plan.overrides,
                allow=plan.allow,
            ),
            on_line=on_line,
            cwd=ws.root,
            env={**BAKE_ENVIRONMENT, **secrets},
            stdin=plan.definition(),
            check=False,
        )
    # Bake writes the file only when every target was built.
    written = metadata_file.read_text(encoding="utf-8") if metadata_file.exists() else ""
    return progress, result, parse_metadata(written)


def _folded(console: Console, plan: BuildPlan) -> AbstractContextManager[None]:
    # Elsewhere the report says all of it; a log of CI is read through its folds.
    title = f"build of {len(plan.targets)} in one bake run"
    return console.step(title) if console.github or console.gitlab else nullcontext()


def _refuse_unavailable(result: Result, progress: Progress) -> None:
    said = "\n".join(progress.said)
    if result.ok:
        return
    if _NO_ENGINE.search(said):
        raise UnavailableError(
            "the Docker engine cannot be reached",
            why=_last_words(progress),
            next_step="start it, or: invoke setup   (says what is missing)",
        )
    if _NO_BUILDX.search(said):
        raise UnavailableError(
            "docker buildx is missing or too old to build with",
            why=_last_words(progress),
            next_step="invoke setup   (says which version is needed)",
        )


def _target_result(
    planned: PlannedTarget,
    progress: Progress,
    metadata: Mapping[str, TargetMetadata],
    result: Result,
    plan: BuildPlan,
) -> TargetResult:
    name = planned.bake.name
    known = metadata.get(name)
    digest = known.digest if known else progress.digest(name)
    steps = progress.steps(name)
    built = result.ok or bool(digest)
    failure = None if built else _failure(progress, planned, only=len(plan.targets) == 1)
    platforms = planned.platforms
    if not platforms and known and known.platform:
        platforms = (str(known.platform),)
    return TargetResult(
        service=planned.service,
        target=planned.target,
        platforms=platforms,
        reference=planned.reference,
        status="built" if built else "failed" if failure else "skipped",
        # Without the local store there is nothing here that the digest would name.
        digest=digest if plan.stores else "",
        seconds=progress.seconds(name),
        steps=len(steps),
        cached_steps=sum(step.vertex.cached for step in steps),
        reason=_reason(built=built, stored=bool(digest) and plan.stores, failure=failure),
        failure=failure,
        version=planned.version,
        revision=planned.revision,
    )


def _blamed(
    targets: list[TargetResult], result: Result, progress: Progress
) -> tuple[TargetResult, ...]:
    """Return the results with a failure for a run that ended badly and blamed no target."""
    if result.ok or any(target.failure for target in targets):
        return tuple(targets)
    failure = Failure(
        step="outside its steps",
        platform="",
        error=f"docker buildx bake ended with {result.returncode}",
        output=tuple(progress.said[-_SHOWN_LINES:]),
        causes=_causes(progress.said, platform=""),
    )
    return tuple(
        target
        if target.status == "built"
        else replace(target, status="failed", reason=failure.step, failure=failure)
        for target in targets
    )


def _reason(*, built: bool, stored: bool, failure: Failure | None) -> str:
    if built:
        return "" if stored else "not for the local store, so it was not recorded"
    return failure.step if failure else "cancelled, because another target failed"


def _failure(progress: Progress, planned: PlannedTarget, *, only: bool) -> Failure | None:
    target = planned.bake.name
    # A build of one platform does not name it in its steps.
    platform = planned.platforms[0] if len(planned.platforms) == 1 else ""
    vertex = progress.failure(target)
    if vertex is not None:
        return _step_failure(progress, vertex, platform)
    # What fails before or after the steps has no vertex: an unreadable Dockerfile, the exporter.
    for line in progress.said:
        match = _ERROR.fullmatch(line)
        if match and (only or match["target"] == target or not match["target"]):
            output = tuple(said for said in progress.said if said != line)[-_SHOWN_LINES:]
            return Failure(
                step="before its first step" if not progress.steps(target) else "outside its steps",
                platform="",
                error=match["what"],
                output=output,
                causes=_causes([match["what"]], platform=platform),
            )
    return None


def _step_failure(progress: Progress, vertex: Vertex, platform: str) -> Failure:
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
        causes=_causes([vertex.error, *output], platform=ran_on or platform),
    )


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


def _last_words(progress: Progress) -> str:
    return "\n".join(progress.said[-3:])


def _causes(texts: Iterable[str], *, platform: str) -> tuple[Cause, ...]:
    # Imported where something failed: its patterns take longer to compile than a bake to answer.
    from hullwright.build.causes import causes

    return causes(texts, platform=platform, host=_host())


def _host() -> str:
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine.machine(), machine.machine())
    return f"linux/{arch}"


def _longest(progress: Progress, plan: BuildPlan) -> str:
    service_of = {planned.bake.name: planned.service for planned in plan.targets}
    ran = [
        (step.seconds, name, step)
        for name in service_of
        for step in progress.steps(name)
        if not step.vertex.cached and not step.vertex.error and step.seconds >= _TOLD_S
    ]
    if not ran:
        return ""
    seconds, name, step = max(ran, key=lambda item: item[0])
    where = " ".join(part for part in (service_of[name], step.name.platform) if part)
    return f"{step.brief}, {where}, {seconds:.1f} s"


def _recorded(target: TargetResult) -> RecordedImage:
    return RecordedImage(
        service=target.service,
        target=target.target,
        reference=target.reference,
        digest=target.digest,
        version=target.version,
        revision=target.revision,
        platforms=target.platforms,
        at=datetime.now(UTC),
    )
