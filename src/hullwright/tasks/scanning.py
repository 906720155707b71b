"""The task `secrets.scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.findings import Finding
    from hullwright.secret import Secret
    from hullwright.tasks.session import Session


@task(
    lists=("image", "env"),
    flags={
        "image": "a reference in the local store; repeatable; default what builds recorded",
        "git-history": "search every object of the Git repository too",
        "context": "search the build contexts too, as they are sent",
        "env": "only the secrets of these environments; default all that can be decrypted here",
        "format": FORMATS,
    },
)
def scan(
    session: Session,
    image: list[str] | None = None,
    git_history: bool = False,
    context: bool = False,
    env: list[str] | None = None,
    format: str = "text",
) -> None:
    """Search images, files, contexts and history for the decrypted values; never shows one."""
    from hullwright import scan as feature
    from hullwright.report import scan as report

    request = feature.ScanRequest(tuple(image or ()), git_history=git_history, context=context)
    if session.dry:
        session.console.result(feature.plan(session.workspace, request).text())
        return
    read, unread = _read(session, env or [])
    plan = feature.plan(session.workspace, request)
    found = feature.execute(session.workspace, plan, _secret(session, read))
    found = found.beside(read, unread)
    session.show(report, found, format, summarise=True)
    session.leave(held=not found.failed, why=report.verdict(found))


def _read(
    session: Session, wanted: list[str]
) -> tuple[dict[str, dict[str, Secret]], list[Finding]]:
    """Return the values of each environment, and a finding for each whose file is damaged.

    Without `--env` an environment whose key is not here is told of and left out.
    """
    from hullwright import secrets
    from hullwright.errors import HullwrightError
    from hullwright.findings import Finding
    from hullwright.secrets.source import known

    ws = session.workspace
    names = wanted or sorted(name for name in known(ws) if secrets.available(ws, name))
    found: dict[str, dict[str, Secret]] = {}
    failures: list[HullwrightError] = []
    unread: list[Finding] = []
    for name in names or [secrets.DEVELOPMENT]:
        try:
            found[name] = secrets.environment(ws, name)
        except HullwrightError as error:
            if wanted:
                raise
            failures.append(error)
            if isinstance(error, secrets.MissingKeyError):
                session.console.warn(f"the values of {name} are not searched for: {error.what}")
                continue
            why = f"are not searched for: {error.what}"
            unread.append(
                Finding("scan.unread", "error", f"the values of {name}", why, error.next_step)
            )
    if not found:
        raise failures[0]
    return found, unread


def _secret(session: Session, read: Mapping[str, dict[str, Secret]]) -> dict[str, Secret]:
    """Return the values that are secrets, by name and, beside development, environment."""
    from hullwright import secrets

    public = secrets.public_names(session.config.secrets)
    return {
        key if name == secrets.DEVELOPMENT else f"{key} of {name}": value
        for name, values in read.items()
        for key, value in values.items()
        if key not in public and value not in {values[one] for one in public & values.keys()}
    }
