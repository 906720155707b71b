"""What the task `build` does: plan, hooks, decisions, bake runs, figures, record, verdict."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.build import BuildPlan, BuildReport, BuildRequest, SourceVersion
    from hullwright.history import Status
    from hullwright.tasks.session import Session
    from hullwright.tools.published import Published, Wanted
    from hullwright.version import Version

_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks of a build besides its images.

    Attributes:
        output_format: of the report.
        print_only: print the bake definition and build nothing.
        check: only check Dockerfiles.
        failed: only what failed or did not run when it was built last.
        changed_since: only what changed since this ref of Git; empty for all.
        why: explain each decision.
        timeline: file into which the build is drawn; empty for none.
    """

    output_format: str = "text"
    print_only: bool = False
    check: bool = False
    failed: bool = False
    changed_since: str = ""
    why: bool = False
    timeline: str = ""


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


def run_build(session: Session, request: BuildRequest, options: Options) -> None:
    """Build what is asked for and show what came of it; a failed target ends with 1."""
    from hullwright import build
    from hullwright.tasks.locking import hold_to_lock
    from hullwright.tasks.starting import running

    if options.failed:
        request = only_failed(session, request)
        if not request.only:
            _nothing(session, options, "nothing failed when it was built last")
            return
    hold_to_lock(session, request)
    plan = planned(session, request)
    if options.changed_since:
        request = only_changed(session, request, plan, options.changed_since)
        if not request.only:
            _nothing(
                session, options, f"nothing that is built changed since {options.changed_since}"
            )
            return
        plan = planned(session, request)
    if options.print_only:
        # The definition names files of ours; printed, it must be complete.
        build.prepare(session.workspace, plan)
        session.console.result(plan.definition(), coloured=False)
    elif session.dry:
        session.console.result(decided(session, plan, request).text())
    elif options.check:
        _check(session, plan)
    else:
        for note in plan.notes:
            session.console.note(f"! {note}")
        with running(session, "build", services=[target.service for target in plan.targets]):
            # After the hook, which may write what is built.
            plan = decided(session, plan, request)
            if options.why:
                explain(session, plan)
            _conclude(session, built(session, plan), options)


def planned(session: Session, request: BuildRequest, *, push: bool = False) -> BuildPlan:
    """Return what a request means, with nothing decided yet; a push writes caches for others."""
    from hullwright import build

    place, versions = session.place(request.builder), session.versions
    return build.plan(
        session.workspace,
        request,
        lambda service: source_version(session, versions[service.name]),
        writes_cache=True if push else None,
        place=place,
    )


def decided(
    session: Session, plan: BuildPlan, request: BuildRequest, *, push: bool = False
) -> BuildPlan:
    """Return the plan with a decision for each image: built, or there already."""
    from hullwright import build

    def lookup(wanted: Sequence[Wanted]) -> Mapping[str, Published]:
        # Imported where something is looked for: what is current here asks no registry.
        from hullwright.tools import published

        tags = tags_by_repository(session, plan)
        more = [replace(one, tags=(*one.tags, *tags.get(one.repository, ()))) for one in wanted]
        return published.lookup(session.workspace)(more)

    return build.spread(build.decide(session.workspace, plan, request, lookup, push=push))


def tags_by_repository(session: Session, plan: BuildPlan) -> dict[str, tuple[str, ...]]:
    """Return the tags that a push of this plan would give, by the repository of the image.

    Under one of them, such as the branch's, an earlier push may have left what is current. Rules
    that give no tag, or cannot be used here, say so where something is pushed.
    """
    from hullwright.tasks.tagging import tags_of

    found: dict[str, tuple[str, ...]] = {}
    for target in plan.targets:
        service = session.config.services[target.service]
        suffix = "" if target.target == service.default_target else f"-{target.target}"
        with suppress(HullwrightError):
            names = tags_of(session, service, session.ref_context).names
            found[target.reference.rpartition(":")[0]] = tuple(f"{name}{suffix}" for name in names)
    return found


def built(session: Session, plan: BuildPlan) -> BuildReport:
    """Build what a plan decided to build, record it, and say what became of all.

    Ctrl-C is in the report, not an exception; the caller ends with 130 after showing it.
    """
    from hullwright import build

    made = build.execute(session.workspace, plan, session.secrets() if plan.secret_keys else {})
    if session.console.github:
        annotate(session, made)
    return made


def annotate(session: Session, report: BuildReport) -> None:
    """Tell what failed where people read the change: at the lines of its Dockerfiles."""
    from hullwright.report.build import annotated

    for text, file, line in annotated(report):
        session.console.error(text, file=file, line=line)


def only_failed(session: Session, request: BuildRequest) -> BuildRequest:
    """Return a request for what failed or did not run when it was built last."""
    from hullwright import build

    chosen = {service.name for service in build.select(session.config, request.services)}
    undone = build.undone(session.workspace)
    return replace(
        request,
        only=tuple(
            (service, target)
            for service, target in undone
            if service in chosen and request.target in {"", target}
        ),
    )


def only_changed(
    session: Session, request: BuildRequest, plan: BuildPlan, ref: str
) -> BuildRequest:
    """Return a request for those images of a plan whose inputs changed since a ref of Git."""
    from hullwright import build
    from hullwright.tasks.locking import lock_since
    from hullwright.tools.changes import changed_since

    files = changed_since(session.workspace, ref)
    before = lock_since(session.workspace, ref, files)
    changed = build.changed_targets(session.workspace, plan, files, before)
    asked = [(t.service, t.target) for t in plan.targets if t.asked]
    return replace(request, only=tuple(key for key in asked if key in changed))


def explain(session: Session, plan: BuildPlan) -> None:
    """Tell for each image what is done and why."""
    from hullwright.report.build import why

    session.console.note(why(plan))


def draw(session: Session, report: BuildReport, file: str, title: str = "") -> None:
    """Draw when the steps of a build ran into an HTML file; nothing where no file is named.

    Raises:
        LockedError: another run is writing that file.
        HullwrightError: it cannot be written.
    """
    if not file:
        return
    from hullwright.files import write_atomic
    from hullwright.report.timeline import html

    target = Path(file).absolute()
    version = next((result.version for result in report.targets), "")
    title = title or f"build of {session.config.project} {version}".strip()
    with session.workspace.writing(target, file):
        write_atomic(target, html(report.timeline, title=title))
    session.console.note(f"timeline: {file}")


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
    key = (chosen.name, stage)
    found = recorded.load(session.workspace).get(key)
    version = session.versions[chosen.name]
    if found is not None and found.version == version.version:
        return found.reference
    request = build.BuildRequest(services=(chosen.name,), target=stage, load=True)
    run_build(session, request, Options())
    # What is current keeps the name of the version that last changed it.
    found = recorded.load(session.workspace).get(key)
    if found is not None:
        return found.reference
    return build.reference_of(session.config, chosen, stage, version.image_tag)


def _conclude(session: Session, report: BuildReport, options: Options) -> None:
    from hullwright import sizes
    from hullwright.report import build as renderer

    shown = (report, sizes.of_build(session.workspace, report))
    session.show(renderer, shown, options.output_format, summarise=True)
    draw(session, report, options.timeline)
    failed: Status = "failed" if report.failed else "done"
    status: Status = "interrupted" if report.interrupted else failed
    session.record("build", renderer.as_json(shown), status)
    if report.interrupted:
        # The last line of the text says it already.
        if options.output_format != "text" or session.console.github:
            session.console.error("interrupted")
        session.end(_INTERRUPTED)
    unbuilt = [t.service for t in report.targets if t.status in {"failed", "skipped"}]
    session.leave(held=not report.failed, why=f"not built: {', '.join(unbuilt)}")


def _nothing(session: Session, options: Options, why: str) -> None:
    from hullwright.build import BuildReport
    from hullwright.report import build as renderer

    report = BuildReport((), 0.0, nothing=why)
    session.show(renderer, (report, {}), options.output_format, summarise=True)


def _check(session: Session, plan: BuildPlan) -> None:
    from hullwright import build

    found = build.check(session.workspace, plan)
    session.console.result(found.text.rstrip(), coloured=False)
    session.leave(held=found.held, why="BuildKit's checks found something in a Dockerfile")
