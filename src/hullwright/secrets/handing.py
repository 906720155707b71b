"""A command with the decrypted values in its environment, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullwright.errors import UsageError, unknown
from hullwright.secrets.flatten import public_names
from hullwright.secrets.keys import HOLD_A_KEY
from hullwright.secrets.read import read
from hullwright.secrets.source import find
from hullwright.unstarted import is_variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.secret import Secret
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace


def run_with(
    ws: Workspace,
    words: Sequence[str],
    *,
    env: str | None = None,
    file: str = "",
    only: Sequence[str] = (),
) -> int:
    """Turn this process into a command that has the values of an environment in its own.

    So its signals, its terminal and its exit code are the command's, and no process that knows the
    values stays beside it. A value takes the place of a variable of the same name. The variables
    that hold a key of sops, or say where one is, are left out. Only a dry run returns.

    Args:
        ws: the repository.
        words: the program and its arguments, as they are.
        env: the environment; default `development`.
        file: another encrypted file than the environment's.
        only: variables that are handed over; all without.

    Raises:
        UsageError: the environment or a variable is unknown, or a value is too long.
        CheckFailedError: the file is missing, not decryptable, tampered with or no secrets file.
        UnavailableError: sops or the program is missing.
    """
    source = find(ws, env, file)
    # A program that is not there is told of before anything is decrypted.
    ws.runner.resolve(words[0])
    values = _handed_over(source, read(ws, source), only)
    public = public_names(ws.config.secrets)
    given: dict[str, str | Secret] = {
        name: value.reveal() if name in public else value for name, value in values.items()
    }
    # The command was to get these values, and not what opens the file for ever.
    kept = {name: each for name, each in ws.runner.environ.items() if name not in HOLD_A_KEY}
    return replace(ws.runner, environ=kept).become(*words, env=given)


def _handed_over(
    source: Source, values: Mapping[str, Secret], only: Sequence[str]
) -> dict[str, Secret]:
    for name in only:
        if name not in values:
            raise unknown(f"variable of {source.name}", name, values)
    chosen = {name: values[name] for name in only or values}
    for name, value in chosen.items():
        if not is_variable(name, value.reveal()):
            size = len(value.reveal().encode())
            raise UsageError(
                f"the value of {name} is too long for a variable: {size:,} bytes",
                why="the system takes 131,072 bytes for NAME=value",
                next_step="leave it out: name the others with --only NAME,NAME",
            )
    return chosen
