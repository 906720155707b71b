"""A command as text that can be pasted into a shell, where it does what the runner did."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def pasted(
    argv: Sequence[str],
    *,
    env: Mapping[str, str | Secret] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> str:
    """Return a command for a POSIX shell, with its variables, folder and standard input.

    A secret variable is taken from the shell's own environment, which stops where it has none:
    stars in its place would be handed over as the value. Standard input is a here-document; it
    ends with a line break, also where the text did not.

    Args:
        argv: the words of the command.
        env: variables that are added for it.
        cwd: its folder; not part of the text where that is the shell's own.
        stdin: text that it reads.
    """
    elsewhere = None if cwd is None or _is_here(cwd) else cwd
    words = [_assignment(name, value) for name, value in (env or {}).items()]
    line = " ".join([*words, shlex.join(argv)])
    if stdin is not None:
        end, text = _end(stdin), stdin.removesuffix("\n")
        # The end of a here-document has its line to itself.
        line += "".join(
            (f" <<'{end}'\n", f"{text}\n" if text else "", end, "\n" if elsewhere else "")
        )
    # In a subshell, so that the person's own stays where it is.
    return f"(cd {shlex.quote(f'{elsewhere}')} && {line})" if elsewhere else line


def _assignment(name: str, value: str | Secret) -> str:
    if isinstance(value, Secret):
        return f'{name}="${{{name}:?}}"'
    return f"{name}={shlex.quote(value)}"


def _is_here(folder: Path) -> bool:
    try:
        return folder == Path.cwd()
    except FileNotFoundError:
        # The folder that we were called in is gone.
        return False


def _end(text: str) -> str:
    lines, end = set(text.splitlines()), "EOF"
    while end in lines:
        end += "_"
    return end
