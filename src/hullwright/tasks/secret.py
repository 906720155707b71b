"""Tasks of secrets and environment files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    flags={
        "env": "the environment whose secrets are wanted; default development",
        "output": "where to write; default .env, or .env.NAME for another environment",
        "format": FORMATS,
    }
)
def decrypt(
    session: Session,
    env: str | None = None,
    output: str = "",
    format: str = "text",
) -> None:
    """Decrypt the secrets file to a dotenv file of mode 0600 that Git ignores."""
    from hullwright import secrets
    from hullwright.report import secrets as report

    # Another environment's values must not take the place of the developer's own.
    own = env in {None, secrets.DEVELOPMENT}
    output = output or (".env" if own else f".env.{env}")
    if session.dry:
        plan = secrets.plan_decrypt(session.workspace, env=env, output=output)
        session.console.result(plan.text())
        return
    session.show(report, secrets.decrypt(session.workspace, env=env, output=output), format)


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
