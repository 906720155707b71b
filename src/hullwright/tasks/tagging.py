"""The task that computes tags, and what other tasks ask it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.config.models import Service, TagFlavor, TagRule
    from hullwright.tagging import RefContext, Tags
    from hullwright.tasks.session import Session


@task(
    formats=("env", "github", "gitlab"),
    repeated=("at",),
    flags={
        "service": "whose rules and Git tags count; default every service whose rules differ",
        "rules": "a file of rules as docker/metadata-action has them, one a line",
        "event": "a file with GitHub's event, or with lines of GITHUB_… or CI_… variables",
        "ref": "the ref, in place of the one that is checked out: refs/…, a branch or a tag",
        "at": "the commit, or the moment of {{date}} (2026-01-31T12:00:00Z); twice for both",
        "format": "text, json, markdown, env (for a shell), github or gitlab",
    },
)
def tags(
    session: Session,
    service: str = "",
    rules: str = "",
    event: str = "",
    ref: str = "",
    at: list[str] | None = None,
    format: str = "text",
) -> None:
    """Show the tags that an image of this commit gets, and which rule gives each."""
    from pathlib import Path

    from hullwright.report import tags as report
    from hullwright.tagging import look
    from hullwright.tagging.services import groups

    known = _known(session, service)
    given, flavor = _rules(rules)
    file = Path(event) if event else None
    context = look(session.workspace, event=file, ref=ref, at=at or ())
    services = [known] if known else [None] if given else groups(session.config)
    found = [_tags(session, one, context, given, flavor) for one in services]
    for note in context.notes:
        session.console.note(f"! {note}")
    for warning in dict.fromkeys(warning for one in found for warning in one.warnings):
        session.console.warn(warning)
    if format in {"env", "github", "gitlab"}:
        session.console.result(getattr(report, format)(found), coloured=False)
    else:
        session.show(report, found, format)


def tags_of(session: Session, service: Service | None, context: RefContext | None = None) -> Tags:
    """Return the tags of a service, or of the repository, for what is checked out or in CI.

    Args:
        session: the run.
        service: the service, or None for the repository.
        context: what `context_here` gave, where several are asked for.
    """
    return _tags(session, service, context or context_here(session))


def context_here(session: Session) -> RefContext:
    """Return the context of this run; of the commit, what its version has told already."""
    from hullwright.tagging import look
    from hullwright.tools.gitrefs import Checkout

    version = session.version
    ref = version.ref if version.ref.startswith("refs/") else ""
    here = Checkout(ref, version.revision, int(version.commit_date.timestamp()))
    return look(session.workspace, checkout=here)


def _tags(
    session: Session,
    service: Service | None,
    context: RefContext,
    rules: Sequence[TagRule] = (),
    flavor: TagFlavor | None = None,
) -> Tags:
    from hullwright.tagging.services import of_service

    def image_tag() -> str:
        version = session.versions[service.name] if service else session.version
        # The version is that of what is checked out, which may be another commit than asked for.
        return version.image_tag if version.revision == context.sha else ""

    return of_service(session.config, service, context, image_tag, rules=rules, flavor=flavor)


def _known(session: Session, name: str) -> Service | None:
    from hullwright.errors import unknown

    if name and name not in session.config.services:
        raise unknown("service", name, session.config.services)
    return session.config.services[name] if name else None


def _rules(name: str) -> tuple[Sequence[TagRule], TagFlavor | None]:
    """Return the rules of a file; `-` is standard input."""
    import sys
    from pathlib import Path

    from hullwright.errors import UsageError
    from hullwright.tagging import parse

    if not name:
        return (), None
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{name} cannot be read", why=why or "") from None
    return parse(text, name)
