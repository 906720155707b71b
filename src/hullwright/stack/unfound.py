"""What a shell says of a health check's own programs: `curl … || exit 1` without curl ends with 1.

Only the shell's words tell it then from a service that is not ready yet. So they count only where
they name a program that the check itself runs, and where nothing else of the check could hold.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# `/bin/sh: curl: not found`, `sh: 1: curl: not found`, `bash: line 1: curl: command not found`
_SAID: Final = re.compile(
    r"^(?:\S*/)?\w*sh: (?:(?:line )?\d+: )?(?P<program>[^\s:]+): "
    r"(?:(?:command )?not found|No such file or directory|Permission denied|Exec format error"
    r"|cannot execute\b.*)$",
    re.MULTILINE,
)
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "zsh"})
# Either of two commands may hold where these stand between them.
_APART: Final = re.compile(r"\|\||[;\n]|(?<!&)&(?!&|\d)(?<!>&)")
_TOGETHER: Final = re.compile(r"&&|\||\$?\(|`|\{")
# What stands before a command's own name.
_BEFORE: Final = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "exec"})
# What only says how the check ends, and cannot make it hold.
_IDLE: Final = frozenset(
    {"exit", "false", "return", "echo", "printf", "kill", "cd", "set", "export", "fi", "done", "}"}
)


def program(test: Sequence[str], output: str) -> str:
    """Return the program of a health check without which it cannot hold, by its shell's words.

    Empty where the words name none that it runs, and where another command of it may hold.
    """
    text = _shell_text(test)
    missing = {match["program"] for match in _SAID.finditer(output)} if text else set()
    if not missing:
        return ""
    parts = [names for part in _APART.split(text) if (names := _programs(part)) - _IDLE]
    if not parts or any(not names & missing for names in parts):
        return ""
    return min(parts[0] & missing)


def is_shell(test: Sequence[str]) -> bool:
    """Return whether a health check is run by a shell, so that its exit code may be any."""
    return bool(_shell_text(test))


def _shell_text(test: Sequence[str]) -> str:
    if test[:1] == ("CMD-SHELL",):
        return " ".join(test[1:])
    shell = len(test) > 3 and PurePosixPath(test[1]).name in _SHELLS
    return test[3] if shell and re.fullmatch(r"-\w*c", test[2]) else ""


def _programs(part: str) -> set[str]:
    """Return the names of the commands in a part of a shell's text."""
    found = set()
    for command in _TOGETHER.split(part):
        words = command.replace('"', " ").replace("'", " ").split()
        while words and (words[0] in _BEFORE or re.match(r"\w+=", words[0])):
            del words[0]
        if words:
            found.add(words[0].rstrip(")"))
    return found - {""}
