"""What the task `build` does: plan, hooks, one bake run, figures, record, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.build import BuildPlan, BuildReport, BuildRequest, SourceVersion
    from hullwright.tasks.session import Session
    from hullwright.version import Version


def arguments_of(words: Sequence[str]) -> dict[str, str]:
    """Return build arguments from their `K=V` forms.

    Raises:
        UsageError: one has no `=`.
    """
    for word in words:
        if "=" not in word:
            raise UsageError(
                f'build argument "{word}" has no value', next_step="write it as --build-arg K=V"
            )
    return dict(word.split("=", 1) for word in words)


def run_build(
    session: Session, request: BuildRequest, output_format: str, *, print_only: bool
) -> None:
    """Build what is asked for and show what came of it; a failed target ends with 1."""
    from hullwright import build, sizes
    from hullwright.report import build as report
    from hullwright.tasks.starting import running

    workspace = session.workspace
    plan = plan_build(session, request)
    if print_only:
        # The definition names files of ours; printed, it must be complete.
        build.prepare(workspace, plan)
        session.console.result(plan.definition(), coloured=False)
        return
    if session.dry:
        session.console.result(plan.text())
        return
    with running(session, "build", services=[target.service for target in plan.targets]):
        made = built(session, plan)
        figures = sizes.of_build(workspace, made)
        session.show(report, (made, figures), output_format, summarise=True)
        told = report.as_json((made, figures))
        session.record("build", told, "failed" if made.failed else "done")
        unbuilt = [t.service for t in made.targets if t.status in {"failed", "skipped"}]
        session.leave(held=not made.failed, why=f"not built: {', '.join(unbuilt)}")


def plan_build(session: Session, request: BuildRequest) -> BuildPlan:
    """Return what a request means, with a decision for each image."""
    from hullwright import build

    versions = session.versions
    return build.plan(
        session.workspace, request, lambda service: source_version(session, versions[service.name])
    )


def built(session: Session, plan: BuildPlan) -> BuildReport:
    """Build what a plan decided to build, record it, and say what became of all."""
    from hullwright import build

    return build.execute(session.workspace, plan, session.secrets() if plan.secret_keys else {})


def source_version(session: Session, version: Version) -> SourceVersion:
    """Return what sources of this version are called, as the build wants it."""
    from hullwright.build import SourceVersion
    from hullwright.version import build_arguments

    arguments = build_arguments(version, session.created)
    return SourceVersion(
        version=version.version,
        image_tag=version.image_tag,
        revision=version.revision,
        created=arguments["BUILD_DATE"],
        source=session.source,
        arguments=arguments,
        release=version.distance == 0 and not version.dirty and bool(version.tag),
        dirty=version.dirty,
    )


def stage_reference(session: Session, service: str, stage: str) -> str:
    """Return the image of a build stage, built now if no build of this version recorded it."""
    from hullwright import build, recorded

    (chosen,) = build.select(session.config, [service] if service else [])[:1]
    found = recorded.load(session.workspace).get((chosen.name, stage))
    version = session.versions[chosen.name]
    if found is not None and found.version == version.version:
        return found.reference
    request = build.BuildRequest(services=(chosen.name,), target=stage)
    run_build(session, request, "text", print_only=False)
    return build.reference_of(
        session.config, chosen, stage, session.versions[chosen.name].image_tag
    )
