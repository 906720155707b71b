"""The task that runs a command with the secrets of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    lists=("only",),
    words="command",
    flags={
        "command": "the command, in one word as a shell splits it; hullwright takes words after --",
        "env": "the environment whose secrets are handed over; default development",
        "file": "another encrypted file, instead of an environment's",
        "only": "hand over these variables alone",
    },
)
def run_with(
    session: Session,
    command: str = "",
    env: str | None = None,
    file: str = "",
    only: list[str] | None = None,
) -> None:
    """Run a command with the decrypted values in its environment, and end as it does."""
    import shlex

    from hullwright import secrets
    from hullwright.errors import UsageError

    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"the command cannot be split into words: {error}",
            next_step="close its quotes, or give words: hullwright run-with -- …",
        ) from error
    if not words:
        raise UsageError(
            "run-with needs a command",
            next_step="invoke run-with --command 'make x'   or   hullwright run-with -- make x",
        )
    code = secrets.run_with(session.workspace, words, env=env, file=file, only=only or ())
    session.end(code)
