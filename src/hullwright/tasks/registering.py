"""Tasks of registries' logins: login, logout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.secret import Secret
    from hullwright.tasks.session import Session


@task(
    operands="registry",
    flags={
        "registry": "its host, such as ghcr.io or 127.0.0.1:5000; default the configuration's",
        "username": "whose login it is; the password comes through standard input",
        "format": FORMATS,
    },
)
def login(session: Session, registry: str = "", username: str = "", format: str = "text") -> None:
    """Log in to a registry; the password comes through standard input or a hidden prompt."""
    from hullwright.errors import UsageError
    from hullwright.report import login as report
    from hullwright.tools import credentials

    domain = _domain(session, registry)
    if not username:
        raise UsageError(
            f"nobody is named who logs in to {domain}",
            next_step=f"invoke login --registry {domain} --username NAME",
        )
    password = _password(session, domain, username)
    answer = credentials.login(session.runner, domain, username, password)
    if not answer.ok:
        _explain(session, domain, username, password, answer.stderr)
    if not session.dry:
        store = credentials.store(session.environ, domain)
        session.show(report, report.Login(domain, username, f"{store}", bool(store.helper)), format)


@task(
    operands="registry",
    flags={
        "registry": "its host; default the configuration's",
        "format": FORMATS,
    },
)
def logout(session: Session, registry: str = "", format: str = "text") -> None:
    """Remove the login of a registry from where Docker keeps it."""
    from hullwright.errors import UnavailableError
    from hullwright.report import logout as report
    from hullwright.tools import credentials

    domain = _domain(session, registry)
    known = credentials.stored(session.runner, session.environ, domain)
    answer = credentials.logout(session.runner, domain)
    # Docker warns of a login that it could not remove, and ends with 0.
    if not session.dry and known and credentials.stored(session.runner, session.environ, domain):
        raise UnavailableError(
            f"the login of {domain} is still there",
            why=[("said", "\n".join(answer.tail(3)))],
            next_step="remove it where it is kept: "
            f"{credentials.store(session.environ, domain)}, or DOCKER_AUTH_CONFIG",
        )
    if not session.dry:
        session.show(report, report.Logout(domain, known is not None), format)


def _domain(session: Session, given: str) -> str:
    from hullwright.errors import UsageError
    from hullwright.images import Reference
    from hullwright.tools.credentials import domain_of

    if given:
        return domain_of(given)
    if not session.config.registry:
        raise UsageError(
            "no registry is named, and the configuration has none",
            next_step="add --registry HOST, such as ghcr.io; Docker's own is docker.io",
        )
    return Reference.parse(f"{session.config.registry}/name").domain


def _password(session: Session, domain: str, username: str) -> Secret:
    """Return the password from standard input, or from a prompt that shows nothing."""
    import sys
    from getpass import getpass

    from hullwright.errors import UsageError
    from hullwright.secret import Secret

    if session.dry:
        return Secret("")
    if sys.stdin.isatty():
        try:
            text = getpass(f"password of {username} at {domain}: ", session.console.err)
        except EOFError:
            # Ctrl-D: whoever was asked gives none.
            text = ""
    else:
        text = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if not text:
        raise UsageError(
            "no password was typed"
            if sys.stdin.isatty()
            else "no password came through standard input",
            next_step='printf %s "$PASSWORD" | '
            f"invoke login --registry {domain} --username {username}",
        )
    return Secret(text)


def _explain(session: Session, domain: str, username: str, password: Secret, said: str) -> None:
    """Raise the reason why a login did not succeed: our own question tells it apart."""
    from hullwright.errors import UnavailableError
    from hullwright.tools.credentials import Credential
    from hullwright.tools.registryclient import Patience, connect_as

    credential = Credential(username, password)
    patience = Patience(attempts=1)
    connect_as(session.workspace, domain, credential, patience=patience).check_login()
    raise UnavailableError(
        f"docker could not log in to {domain}",
        why=[("said", session.runner.redacted(said.strip()))],
        next_step="docker info   (says whether the engine answers, and which registries it knows)",
    )
