"""What the task `version` does: whose version, in which form, for whom; and its proof."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError, unknown
from hullwright.tasks.session import FORMS

if TYPE_CHECKING:
    from hullwright.config.models import Service
    from hullwright.report.version import Account
    from hullwright.tasks.session import Session
    from hullwright.tools.engine import LocalImage
    from hullwright.version import Version

CONSUMERS: Final = ("env", "github", "gitlab", "ldflags")
# https://go.dev/ref/mod#go-mod-file-ident
_GO_PACKAGE: Final = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9._~+-]*(?:/[A-Za-z0-9._~+-]+)*")
# What tells of images too; the others need no look at Dockerfiles and rules.
_WHOLE: Final = ("json", "env", "github", "gitlab")


def show_version(session: Session, name: str, output_format: str, package: str) -> None:
    """Show a version in the wanted form, or write it to where GitHub reads it."""
    from hullwright.report import version as report

    service = chosen(session, name)
    account = _account(session, service, whole=output_format in _WHOLE)
    if output_format == "github":
        _tell_github(session, account)
    elif output_format in CONSUMERS:
        package = package or (service.go_package if service else "") or "main"
        shown = _for_consumer(session, account, output_format, package)
        session.console.result(shown, coloured=False)
    else:
        session.show(report, account, output_format)


def _for_consumer(session: Session, account: Account, consumer: str, package: str) -> str:
    from hullwright.report import consumers
    from hullwright.version import build_arguments

    if consumer == "ldflags":
        if not _GO_PACKAGE.fullmatch(package):
            raise UsageError(
                f'"{package}" is no import path of a Go package',
                next_step="--package example.com/shop/about",
            )
        return consumers.ldflags(build_arguments(account.version, session.created), package)
    return consumers.env(account) if consumer == "env" else consumers.gitlab(account)


def verify_image(
    session: Session, name: str, reference: str, output_format: str, *, asked: bool
) -> None:
    """Hold an image against Git and show what differs; a difference ends with 1."""
    from hullwright.report import verification as report
    from hullwright.version.verify import local_image, verify

    if not (asked and reference):
        raise UsageError(
            "--verify and --image belong together",
            next_step="invoke version --verify --image REF",
        )
    if output_format in CONSUMERS:
        raise unknown("format", output_format, FORMS)
    image = local_image(session.workspace, reference)
    service = chosen(session, name or _service_of(session, image))
    version = version_of(session, service)
    command = service.version_command if service else ()
    kept = _kept_version(session, service, image, version) if service else None
    found = verify(
        session.workspace, kept or version, reference, image, command, current=kept is not None
    )
    session.show(report, found, output_format)
    session.leave(held=not found.differences, why=report.differences(found))


def _kept_version(
    session: Session, service: Service, image: LocalImage, version: Version
) -> Version | None:
    """Return the version that an image keeps since none of its inputs changed; None without one."""
    from hullwright import build
    from hullwright.tasks.building import source_version
    from hullwright.version.verify import kept_version

    said = image.labels.get("dev.hullwright.fingerprint", "")
    is_own = image.labels.get("org.opencontainers.image.version") == version.version
    # A release is never another version's image, whatever its inputs are.
    if not said or is_own or source_version(session, version).release:
        return None
    target = image.labels.get("dev.hullwright.target", "")
    request = build.BuildRequest(services=(service.name,), target=target)
    versions = session.versions
    try:
        plan = build.plan(
            session.workspace, request, lambda each: source_version(session, versions[each.name])
        )
    except UsageError as error:
        # What cannot be built now has no inputs to compare; the labels still tell.
        session.console.detail(f"its inputs cannot be compared: {error.what}")
        return None
    prints = build.fingerprints_now(session.workspace, plan)
    now = {prints[each.name].value for each in plan.targets if each.service == service.name}
    if said not in now:
        return None
    return kept_version(
        session.workspace, image, tag_prefix=service.tag_prefix, paths=service.paths
    )


def _service_of(session: Session, image: LocalImage) -> str:
    """Return the service that an image says it is of; else the only one; else nothing."""
    labels, services = image.labels, session.config.services
    told = labels.get("dev.hullwright.service", "")
    if labels.get("dev.hullwright.project") == session.config.project and told in services:
        return told
    return next(iter(services)) if len(services) == 1 else ""


def chosen(session: Session, name: str) -> Service | None:
    """Return the service of a name, or None where none is named.

    Raises:
        UsageError: there is none of this name.
    """
    if name and name not in session.config.services:
        raise unknown("service", name, session.config.services)
    return session.config.services[name] if name else None


def version_of(session: Session, service: Service | None) -> Version:
    """Return the version of a service, or of the repository where none is named."""
    return session.versions[service.name] if service else session.version


def _account(session: Session, service: Service | None, *, whole: bool) -> Account:
    if not whole:
        return _told(session, service, whole=False)
    session.other_git_processes = 1  # for the refs, on which tags depend
    _ = session.versions  # one look at Git for all
    if service is not None:
        return _told(session, service, whole=True)
    services = session.config.services.values()
    others = {
        s.name: _told(session, s, whole=True) for s in services if not session.is_whole(s.name)
    }
    return replace(_told(session, _only(session), whole=True), services=others)


def _only(session: Session) -> Service | None:
    """Return the one service whose image is what the repository is about."""
    services = list(session.config.services.values())
    return services[0] if len(services) == 1 and session.is_whole(services[0].name) else None


def _told(session: Session, service: Service | None, *, whole: bool) -> Account:
    from hullwright.report.version import Account

    account = Account(version_of(session, service))
    return _with_images(session, service, account) if whole else account


def _with_images(session: Session, service: Service | None, account: Account) -> Account:
    from hullwright import build
    from hullwright.tasks.building import source_version

    source = source_version(session, account.version)
    labels = (
        build.labels_of(session.workspace, service, source)
        if service
        else build.source_labels(session.workspace, source)
    )
    return replace(account, tags=_tags(session, service), labels=labels)


def _tags(session: Session, service: Service | None) -> tuple[str, ...]:
    from hullwright.tasks.tagging import tags_of
    from hullwright.tools.git import find_git_dir

    # An exported tree has a version by its variables; no ref is told there that would give tags.
    if find_git_dir(session.root, session.environ) is None:
        return ()
    return tags_of(session, service, session.ref_context).names


def _tell_github(session: Session, account: Account) -> None:
    """Append to the files that GitHub names; without any, print what a step would append."""
    from hullwright.report import consumers

    forms = {"GITHUB_OUTPUT": consumers.github_output, "GITHUB_ENV": consumers.github_env}
    named = {name: form for name, form in forms.items() if session.environ.get(name)}
    for name, form in named.items():
        _append(Path(session.environ[name]), form(account))
    shown = account.version.version if named else consumers.github_output(account)
    session.console.result(shown, coloured=False)


def _append(path: Path, lines: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{lines}\n")
    except OSError as error:
        raise UsageError(
            f"{path} could not be written to",
            why=error.strerror or str(error),
            next_step="GITHUB_OUTPUT and GITHUB_ENV name files that this step may append to",
        ) from error
