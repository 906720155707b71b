"""Tasks of secrets and environment files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    flags={
        "env": "the environment whose secrets are wanted; default development",
        "output": "where to write; default .env",
        "format": FORMATS,
    }
)
def decrypt(
    session: Session,
    env: str | None = None,
    output: str = ".env",
    format: str = "text",  # noqa: A002
) -> None:
    """Decrypt the secrets file to a dotenv file of mode 0600 that Git ignores."""
    from hullwright.report import secrets as report
    from hullwright.secrets import decrypt as write

    session.show(report, write(session.workspace, env=env, output=output), format)


@task(
    flags={
        "init": "make .env from .env.example, with strong values for placeholders",
        "format": FORMATS,
    }
)
def env(session: Session, init: bool = False, format: str = "text") -> None:  # noqa: A002
    """List the variables of .env.example and where each is set; never a value."""
    from hullwright import envfile
    from hullwright.report import env as report

    if init:
        envfile.init(session.workspace)
    session.show(report, envfile.listing(session.workspace), format)
