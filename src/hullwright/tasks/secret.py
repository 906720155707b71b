"""Tasks of secrets and environment files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    flags={
        "env": "the environment whose secrets are wanted; default development",
        "file": "another encrypted file than the environment's; --output is needed then",
        "format": "dotenv (the default), json or yaml; a binary file is written as it is",
        "output": "where to write; default .env, or .env.NAME for another environment; - prints",
        "report": f"how to tell what was written: {FORMATS}",
    },
    own_formats=("dotenv", "json", "yaml"),
)
def decrypt(
    session: Session,
    env: str | None = None,
    file: str = "",
    format: str = "dotenv",
    output: str = "",
    report: str = "text",
) -> None:
    """Decrypt secrets to a file of mode 0600 that Git ignores, .env by default, or print them."""
    from hullwright import secrets
    from hullwright.errors import unknown
    from hullwright.report import secrets as forms
    from hullwright.tasks.session import FORMS

    if report not in FORMS:
        raise unknown("report", report, FORMS)
    wanted: Any = {"env": env, "file": file, "form": format, "output": output}
    if session.dry:
        session.console.result(secrets.plan_decrypt(session.workspace, **wanted).text())
        return
    done = secrets.decrypt(session.workspace, **wanted)
    note = forms.kept_quotes(done)
    if note:
        session.console.warn(note)
    if done.output == secrets.STANDARD_OUTPUT:
        session.console.content(done.content)
    else:
        session.show(forms, done, report)


@task(
    flags={
        "init": "make .env from .env.example, with strong values for placeholders",
        "merge": "with --init: add to a .env that exists; what it says stays as it is",
        "format": FORMATS,
    }
)
def env(
    session: Session,
    init: bool = False,
    merge: bool = False,
    format: str = "text",
) -> None:
    """List the variables of .env.example and the stacks, and where each is set; never a value."""
    from hullwright import envfile
    from hullwright.report import env as report

    if init and session.dry:
        session.console.result(envfile.plan_init(session.workspace, merge=merge).text())
        return
    if init:
        made = envfile.init(session.workspace, merge=merge)
        session.console.note(report.made(made))
    session.show(report, envfile.listing(session.workspace, _asked_for(session)), format)


def _asked_for(session: Session) -> dict[str, bool]:
    """Return the variables of all stacks' files; without Compose, what is known is shown."""
    from hullwright import stack
    from hullwright.errors import HullwrightError

    found: dict[str, bool] = {}
    for name in session.config.stacks:
        try:
            chosen = stack.select(session.workspace, name)
            asked = stack.asked_for(session.workspace, chosen)
        except HullwrightError as error:
            session.console.note(f"without the variables of stack {name}: {error.what}")
            continue
        found |= {one: must or found.get(one, False) for one, must in asked.items()}
    return found
