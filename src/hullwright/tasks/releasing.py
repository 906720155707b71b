"""Tasks of releases that exist: promote, pull, tag; and the release file that a push writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.config.models import Service
    from hullwright.history import Status
    from hullwright.push.models import Clients, Content
    from hullwright.push.promoting import Promoted
    from hullwright.push.pulling import PullPlan, Wanted
    from hullwright.push.release import Release, StackPart
    from hullwright.tasks.session import Session
    from hullwright.tools.registryclient import RegistryClient


@task(
    operands="release",
    flags={
        "release": "the file that invoke push --release-file wrote",
        "to": "the tag that every image of it gets, such as prod",
        "format": FORMATS,
    },
)
def promote(session: Session, release: str = "", to: str = "", format: str = "text") -> None:
    """Give the images of a release file a further tag, without a build: all of them, or none."""
    from pathlib import Path

    from hullwright import push
    from hullwright.errors import UsageError
    from hullwright.push import promoting
    from hullwright.push.releasereading import read
    from hullwright.tasks.starting import running

    if not release or not to:
        raise UsageError(
            f"{'--release' if not release else '--to'} is missing",
            why="it says which release gets a tag" if not release else "it says which tag",
            next_step="invoke promote --release release.json --to prod",
        )
    promoting.check_tag(to)
    wanted = read(Path(release))
    clients = _clients(session, (image.repository for image in wanted.images))
    if session.dry:
        planned = promoting.plan(clients, wanted, to)
        _warn(session, planned.note)
        session.console.result(planned.text())
        return
    context = {
        "tag": to,
        "version": wanted.version,
        "references": [image.reference for image in wanted.images],
    }
    with push.releasing(session.workspace):
        promotion = promoting.plan(clients, wanted, to)
        _warn(session, promotion.note)
        with running(session, "promote", **context):
            done = promoting.execute(clients, promotion)
            _show_promoted(session, done, format)


@task(
    lists=("service",),
    operands="service",
    flags={
        "service": "only these services, a,b or repeated; default all",
        "target": "stage to pull; default that of a build, or every one of the release file",
        "release": "a release file: exactly its images",
        "tag": "the tag to pull; default that of the current version",
        "format": FORMATS,
    },
)
def pull(
    session: Session,
    service: list[str] | None = None,
    target: str = "",
    release: str = "",
    tag: str = "",
    format: str = "text",
) -> None:
    """Pull images by digest and record them, so that up, cold-start and sizes take exactly them."""
    from hullwright.errors import UsageError
    from hullwright.push import pulling
    from hullwright.report import release as report
    from hullwright.tools import signatures

    if release and tag:
        raise UsageError(
            "--release and --tag both say what to pull",
            next_step="leave one of them out",
        )
    # Before a registry is asked which images these are.
    signatures.check_ready(session.workspace)
    chosen = service or []
    if release:
        plan = _pull_of_release(session, release, chosen, target)
    else:
        plan = _pull_of_tag(session, chosen, target, tag)
    if session.dry:
        session.console.result(plan.text())
        return
    session.show(report, pulling.execute(session.workspace, plan), format)


@task(
    operands="tag",
    lists=("service",),
    flags={
        "tag": "the tag that the images get",
        "service": "only images of these services, a,b or repeated; default all that were built",
        "target": "their stage; default that of a build",
        "format": FORMATS,
    },
)
def tag(
    session: Session,
    tag: str = "",
    service: list[str] | None = None,
    target: str = "",
    format: str = "text",
) -> None:
    """Give what was built or pulled another tag in the local store; push --all-tags takes it."""
    from hullwright.errors import UsageError
    from hullwright.push import naming
    from hullwright.report import release as report

    if not tag:
        raise UsageError("no tag is named", next_step="invoke tag --tag NAME")
    plan = naming.plan(session.workspace, tag, services=service or (), target=target)
    if session.dry:
        session.console.result(plan.text())
        return
    session.show(report, naming.execute(session.workspace, plan), format)


def _warn(session: Session, note: str) -> None:
    if note:
        session.console.warn(note)


def _show_promoted(session: Session, done: Promoted, output_format: str) -> None:
    """Show and record what came of a promotion; it ends with 1 where the tags did not move."""
    from hullwright.errors import ExitCode
    from hullwright.report import release as report

    session.show(report, done, output_format, summarise=True)
    status: Status = "failed" if done.report.failed else "done"
    if done.report.interrupted:
        status = "interrupted"
    session.record("promote", report.as_json(done), status)
    if done.report.interrupted:
        session.end(ExitCode.INTERRUPTED)
    tag = done.promotion.tag
    session.leave(held=not done.report.failed, why=f"no tag {tag}: {done.report.failure}")


def _clients(session: Session, repositories: Iterable[str]) -> dict[str, RegistryClient]:
    from hullwright.images import Reference
    from hullwright.tools.registryclient import connect

    domains = dict.fromkeys(Reference.parse(repository).domain for repository in repositories)
    return {domain: connect(session.workspace, domain) for domain in domains}


def _pull_of_release(session: Session, file: str, services: Sequence[str], target: str) -> PullPlan:
    from pathlib import Path

    from hullwright.push import pulling
    from hullwright.push.releasereading import read

    release = read(Path(file))
    images = pulling.of_release(release, services, target)
    clients = _clients(session, (image.repository for image in images))
    source = f"{release.project} {release.version}"
    return pulling.plan(session.workspace, clients, source, images)


def _pull_of_tag(session: Session, services: Sequence[str], target: str, tag: str) -> PullPlan:
    from hullwright.errors import UsageError
    from hullwright.push import promoting, pulling

    if not session.config.registry:
        raise UsageError(
            "there is no registry to pull from",
            why="images without one stay local",
            next_step='set `registry = "registry.example.com/team"` in the configuration, '
            "or name a release file: invoke pull --release FILE",
        )
    if tag:
        promoting.check_tag(tag)
    clients, found = in_registry(session, services, target, tag)
    return pulling.plan(session.workspace, clients, tag or session.version.image_tag, found)


def in_registry(
    session: Session, services: Sequence[str], target: str = "", tag: str = ""
) -> tuple[Clients, tuple[Wanted, ...]]:
    """Return the images that the registry has of a tag, or of the version that is checked out.

    Args:
        session: the run; its configuration names a registry.
        services: none means all.
        target: their stage; default that of a build.
        tag: the tag; empty for what a push of this version gave.

    Raises:
        CheckFailedError: the registry lacks an image; all are named.
        UnavailableError: the registry cannot be asked.
    """
    from hullwright import build
    from hullwright.push import pulling

    chosen = build.select(session.config, services)
    images = [
        _wanted(session, service, target or service.default_target, tag) for service in chosen
    ]
    clients = _clients(session, (image.repository for image in images))
    found = pulling.looked_up(
        clients, images, None if tag else lambda: _prints(session, services, target)
    )
    return clients, found


def _wanted(session: Session, service: Service, target: str, tag: str) -> Wanted:
    """Return an image under a tag, or under those that a push of this version gives it."""
    from hullwright.build import reference_of
    from hullwright.push.pulling import Wanted
    from hullwright.tagging.kinds import fixed
    from hullwright.tasks.tagging import tags_of

    if tag:
        return Wanted(service.name, target, reference_of(session.config, service, target, tag))
    version = session.versions[service.name]
    tags = tags_of(session, service, session.ref_context)
    kept = (version.image_tag, *fixed(tags, tag_prefix=service.tag_prefix))
    moving = [name for name in tags.names if name not in kept]

    def references(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(reference_of(session.config, service, target, name) for name in names)

    first, *others = references(dict.fromkeys(kept))
    return Wanted(
        service.name,
        target,
        first,
        version=version.version,
        revision=version.revision,
        others=tuple(others),
        moving=references(moving),
    )


def _prints(session: Session, services: Sequence[str], target: str) -> dict[tuple[str, str], str]:
    """Return the fingerprints of what is checked out, by service and stage; no releases'.

    A release is never another version's image, whatever its inputs are.
    """
    from hullwright import build
    from hullwright.errors import HullwrightError
    from hullwright.tasks.building import source_version

    versions = session.versions
    request = build.BuildRequest(services=tuple(services), target=target)
    try:
        plan = build.plan(
            session.workspace, request, lambda each: source_version(session, versions[each.name])
        )
        prints = build.fingerprints_now(session.workspace, plan)
    except HullwrightError as error:
        # What cannot be built here has no inputs to compare; that the tag is missing is told.
        session.console.detail(f"its inputs cannot be compared: {error.what}")
        return {}
    return {
        (each.service, each.target): prints[each.name].value
        for each in plan.targets
        if not each.release
    }


def release_parts(session: Session, file: str) -> tuple[StackPart, ...]:
    """Return what a release file tells of the stacks, once it is sure that it can be written.

    To be called before anything is built or pushed, so that a wrong path or a compose file that
    cannot be read fails nothing half done. What it gives is handed to `write_release`.

    Args:
        session: the run.
        file: what `--release-file` names; relative to where the task was called.

    Raises:
        UsageError: there is no such folder, it cannot be written to, or `file` is a folder.
        ConfigurationError: a compose file is missing or is not YAML.
    """
    from hullwright.push.release import StackPart, config_hash
    from hullwright.stack.built import built_services, files_of

    _check_place(file)
    workspace = session.workspace
    return tuple(
        StackPart(
            stack=stack.name,
            files=stack.files,
            config_hash=config_hash(session.root, files_of(workspace, stack), stack.profiles),
            services=built_services(workspace, stack),
        )
        for stack in session.config.stacks.values()
    )


def write_release(
    session: Session,
    file: str,
    clients: Clients,
    contents: Iterable[Content],
    tags: Mapping[tuple[str, str], Sequence[str]],
    parts: Iterable[StackPart],
) -> Release:
    """Write the release file of what was pushed, whole or not at all, and return what it says.

    To be called once every tag of the release has moved.

    Args:
        session: the run; its version, revision and project name the release.
        file: what `--release-file` names.
        clients: of the registries, by domain, as `push` has them.
        contents: every image of the release, staged, in the order of the build.
        tags: that each image has now, by (service, target): the fixed ones, then the moving ones.
        parts: what `release_parts` gave.

    Raises:
        CheckFailedError: a registry does not have an image any more.
        HullwrightError: the disk is full, or the folder cannot be written.
        UnavailableError: a registry cannot be asked.
    """
    from datetime import UTC, datetime
    from pathlib import Path

    from hullwright.push import release

    made = release.make(
        clients,
        contents,
        project=session.config.project,
        version=session.version.version,
        revision=session.version.revision,
        created=datetime.now(UTC),
        tags=tags,
        stacks=parts,
    )
    path = Path(file)
    with session.workspace.writing(path, f"the release file {file}"):
        release.save(path, made)
    return made


def _check_place(file: str) -> None:
    import os
    from pathlib import Path

    from hullwright.errors import UsageError

    path = Path(file)
    why = ""
    if path.is_dir():
        why = "it is a folder"
    elif not path.parent.is_dir():
        why = f"there is no folder {path.parent}"
    elif not os.access(path.parent, os.W_OK):
        why = f"{path.parent} cannot be written to by this user"
    if why:
        raise UsageError(
            f"no release file can be written to {file}",
            why=why,
            next_step="--release-file release.json",
        )
