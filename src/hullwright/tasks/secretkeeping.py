"""Tasks that keep encrypted files: `secrets.edit`, `.set`, `.list`, `.rotate` and others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.secret import Secret
    from hullwright.tasks.session import Session

_ENV: Final = "the environment whose file is meant; default development"
_ALL: Final = "only this environment; default all that have a file"


@task(flags={"env": _ENV})
def edit(session: Session, env: str | None = None) -> None:
    """Open the secrets in $EDITOR, decrypted in memory, and encrypt what is saved."""
    import sys

    from hullwright.errors import UsageError
    from hullwright.report import secretkept as report
    from hullwright.secrets import keeping

    if session.dry:
        session.console.result(keeping.plan_edit(session.workspace, env=env))
        return
    if not sys.stdin.isatty():
        # Where what was saved cannot be encrypted, sops asks, and would ask nobody without end.
        raise UsageError(
            "secrets.edit needs a terminal",
            next_step="invoke secrets.set --key NAME <FILE   (takes a value from standard input)",
        )
    session.show(report, keeping.edit(session.workspace, env=env), "text")


@task(
    name="set",
    flags={
        "key": "the name, as it stands in the file (db.password) or as a variable (DB_PASSWORD)",
        "env": _ENV,
        "format": FORMATS,
    },
)
def set_(session: Session, key: str = "", env: str | None = None, format: str = "text") -> None:
    """Set one secret; its value comes from standard input or a hidden prompt, never as a word."""
    from hullwright.errors import UsageError
    from hullwright.report import secretkept as report
    from hullwright.secrets import keeping

    if not key or "=" in key:
        # What stands after a sign of equality is a value, so it is not repeated.
        raise UsageError(
            "secrets.set takes the name of a key, and no value on the command line",
            why="every program on this machine can read a command line, and shells keep it",
            next_step="invoke secrets.set --key NAME   (asks for it; or: … --key NAME <FILE)",
        )
    plan = keeping.plan_set(session.workspace, key, env=env)
    if session.dry:
        session.console.result(plan.text())
        return
    value = _value(plan.key)
    session.show(report, keeping.set_value(session.workspace, key, value, env=env), format)


@task(name="list", flags={"env": _ALL, "format": FORMATS})
def list_(session: Session, env: str | None = None, format: str = "text") -> None:
    """List the names of the secrets of each environment; never a value, and no key is needed."""
    from hullwright.report import secretnames as report
    from hullwright.secrets import recipients

    session.show(report, recipients.listing(session.workspace, env=env), format)


@task(flags={"env": _ENV, "format": FORMATS})
def rotate(session: Session, env: str | None = None, format: str = "text") -> None:
    """Encrypt a file again under a new data key, and tell what else a leak demands."""
    from hullwright.report import secretkept as report
    from hullwright.secrets import keeping

    if session.dry:
        session.console.result(keeping.plan_rotate(session.workspace, env=env))
        return
    session.show(report, keeping.rotate(session.workspace, env=env), format)


@task(
    lists=("add", "remove"),
    flags={
        "add": "public keys that are to decrypt as well: age1…, ssh-ed25519 …, PGP fingerprints",
        "remove": "recipients that are to decrypt no longer; the data key is renewed then",
        "env": _ALL,
        "format": FORMATS,
    },
)
def recipients(
    session: Session,
    add: list[str] | None = None,
    remove: list[str] | None = None,
    env: str | None = None,
    format: str = "text",
) -> None:
    """Show who can decrypt which file; add and remove people, in the files and in .sops.yaml."""
    from hullwright.report import recipients as report
    from hullwright.secrets import recipients as feature

    words = {"add": add or [], "remove": remove or [], "env": env}
    if not add and not remove:
        session.show(report, feature.access(session.workspace, env=env), format)
    elif session.dry:
        session.console.result(feature.plan_recipients(session.workspace, **words).text())  # type: ignore[arg-type]  # a mapping of keywords has one type of values
    else:
        done = feature.change_recipients(session.workspace, **words)  # type: ignore[arg-type]  # the same
        session.show(report, done, format)


@task(flags={"env": "only this environment; default all", "format": FORMATS})
def check(session: Session, env: str | None = None, format: str = "text") -> None:
    """Check names, recipients, rules and checksums of the secrets; 1 where something is wrong."""
    from hullwright.report import secretcheck as report
    from hullwright.secrets import checking
    from hullwright.tasks.wanting import wanted

    asked = wanted(session, env)
    done = checking.check(session.workspace, asked, env=env)
    session.show(report, done, format, summarise=True)
    session.leave(held=done.held, why=report.verdict(done))


@task(flags={"env": "the environment that the rule is for; default development", "format": FORMATS})
def init(session: Session, env: str | None = None, format: str = "text") -> None:
    """Make an age key where sops looks for one, and a rule in .sops.yaml; what is there stays."""
    from hullwright.report import secretinit as report
    from hullwright.secrets import starting

    if session.dry:
        session.console.result(starting.plan_init(session.workspace, env=env).text())
        return
    session.show(report, starting.init(session.workspace, env=env), format)


def _value(key: str) -> Secret:
    """Return the value that somebody types or pipes in; a terminal does not show it.

    The line end of a value of one line comes from `echo` and is left out; a value of several
    lines, such as a key in PEM, stays as it is.
    """
    import sys

    from hullwright.errors import UsageError
    from hullwright.secret import Secret

    if sys.stdin.isatty():
        return Secret(_asked(key))
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(
            f"the value of {key} on standard input is not UTF-8",
            next_step="put it in base64 first: base64 <FILE | invoke secrets.set --key …",
        ) from None
    line = text.removesuffix("\n").removesuffix("\r")
    value = text if "\n" in line else line
    if not value:
        raise UsageError(
            f"no value for {key} came on standard input",
            why="a command before the pipe may have failed",
            next_step="invoke secrets.edit   (sets an empty value, where that is meant)",
        )
    return Secret(value)


def _asked(key: str) -> str:
    import getpass
    import warnings

    from hullwright.errors import UsageError

    with warnings.catch_warnings():
        # Where the terminal cannot hide it, it would be read all the same.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            value = getpass.getpass(f"value of {key} (not shown): ")
        except (getpass.GetPassWarning, EOFError):
            value = ""
    if not value:
        raise UsageError(
            f"no value for {key} was given",
            next_step="again, or by a pipe: … | invoke secrets.set --key NAME",
        )
    return value
