"""Why a program was not started, or did not answer, in words that say what to do."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Linux: MAX_ARG_STRLEN, 32 pages of 4 KiB with the NUL that ends a string (execve(2)).
_LONGEST_STRING_BYTES: Final = 32 * 4096
_REMEDIES: Final = {
    "git": "install git (Debian: apt-get install git)",
    "docker": "invoke setup   (says what is missing; --install installs it on Debian and Ubuntu)",
    "sops": "invoke setup --install, or see https://github.com/getsops/sops/releases",
}


def missing(program: str) -> UnavailableError:
    """Return the error of a program that is not there, with how to get it where that is known."""
    if "/" in program:
        return _no_program(program)
    remedy = _REMEDIES.get(program, f"install {program}")
    return UnavailableError(f"{program} is not on PATH", next_step=remedy)


def _no_program(path: str) -> UnavailableError:
    """Return why what was named by its path, and so is not looked for on PATH, is no program."""
    if Path(path).is_dir():
        return UnavailableError(f"{path} is a folder, no program", next_step="name a program in it")
    if Path(path).exists():
        return UnavailableError(f"{path} is not executable", next_step=f"chmod +x {path}")
    return UnavailableError(f"there is no program {path}", next_step="correct its path")


def silent(argv: Sequence[str], timeout_s: float | None) -> UnavailableError:
    """Return the error of a program that did not answer in time."""
    what = f"{argv[0]} did not answer within {timeout_s:.0f} s"
    return UnavailableError(what, why=[("command", shlex.join(argv))])


def is_variable(name: str, value: str) -> bool:
    """Return whether the system takes a value as one environment string."""
    return _size(f"{name}={value}") <= _LONGEST_STRING_BYTES


def unstarted(
    argv: Sequence[str],
    program: str,
    cwd: Path | None,
    environment: Mapping[str, str],
    error: OSError | ValueError,
) -> UnavailableError:
    """Return the error for a program that was found and could not be started.

    It names a variable or an option, and never the value of one.
    """
    why, next_step = _reason(argv, program, cwd, environment, error)
    return UnavailableError(f"{argv[0]} cannot be started", why=why, next_step=next_step)


def _reason(
    argv: Sequence[str],
    program: str,
    cwd: Path | None,
    environment: Mapping[str, str],
    error: OSError | ValueError,
) -> tuple[str, str]:
    if not isinstance(error, OSError):
        return _no_text(argv, environment, error)
    said = error.strerror or str(error)
    match error.errno:
        case errno.E2BIG:
            return _too_long(argv, environment)
        case _ if cwd is not None and not cwd.is_dir():
            return f"its folder {cwd} is not there: {said}", "change into a folder that exists"
        case errno.ENOEXEC:
            return (
                f"{program} is neither a program of this machine nor a script that names its shell",
                "a script needs a first line such as #!/bin/sh",
            )
        case errno.ENOENT:
            return _no_interpreter(program, said)
    return f"{program}: {said}", ""


def _no_interpreter(program: str, said: str) -> tuple[str, str]:
    """A program that is there is not found where the one that would read it is missing."""
    try:
        with Path(program).open("rb") as file:
            first = file.readline(256).decode("utf-8", "replace").rstrip("\n")
    except OSError:
        return f"{program}: {said}", ""
    if not first.startswith("#!"):
        return f"the loader that {program} asks for is missing", "install it for this machine"
    interpreter = first[2:].strip(" \t")
    if interpreter.endswith("\r"):
        return f"the first line of {program} ends with a carriage return", "give it LF line ends"
    return (
        f"its first line names a program that is missing: {interpreter}",
        f"install that, or correct the first line of {program}",
    )


def _too_long(argv: Sequence[str], environment: Mapping[str, str]) -> tuple[str, str]:
    sizes = {f"the variable {name}": _size(f"{name}={each}") for name, each in environment.items()}
    # The word of an option may hold a value of its own after the sign.
    for number, each in enumerate(argv[1:], 1):
        option = f" ({each.partition('=')[0]})" if _option(each) else ""
        sizes[f"argument {number}{option}"] = _size(each)
    longest = max(sizes, key=lambda name: sizes[name])
    if sizes[longest] > _LONGEST_STRING_BYTES:
        why = f"{longest} has {sizes[longest]:,} bytes; the system takes {_LONGEST_STRING_BYTES:,}"
    else:
        total = sum(sizes.values())
        why = (
            f"its arguments and variables have {total:,} bytes, more than the system takes; "
            f"the longest is {longest} with {sizes[longest]:,}"
        )
    return why, "shorten it, or hand its content over in a file"


def _no_text(
    argv: Sequence[str], environment: Mapping[str, str], error: ValueError
) -> tuple[str, str]:
    """A NUL ends a string for the system, so it can be in none that a program gets."""
    names = [f"the variable {name}" for name, each in environment.items() if "\0" in each]
    names += [f"argument {number}" for number, each in enumerate(argv) if "\0" in each]
    if not names:
        return str(error), ""
    return f"{', '.join(names)}: a NUL character cannot be handed to a program", "remove it there"


def _option(word: str) -> bool:
    return word.startswith("-") and "=" in word and len(word.partition("=")[0]) < 40


def _size(word: str) -> int:
    return len(os.fsencode(word)) + 1
