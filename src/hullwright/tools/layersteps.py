"""What made a layer: the builder's words in an image as the step of a Dockerfile. Pure.

An image says of each layer what made it, but with the shell and the arguments before a command,
and without the flags of a `COPY`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.tools.dockerfile import Instruction, Stage

_BUILDKIT: Final = "# buildkit"
_NOP: Final = re.compile(r"(?:\|\d+ .*?)?/bin/sh -c #\(nop\) +")
_ARGUMENTS: Final = re.compile(r"\|(\d{1,4}) ")
_SHELL: Final = re.compile(r"/[\w./-]*sh (?:-[\w-]+ (?:pipefail )?)*?-\w*c ")
_FLAGS: Final = re.compile(r"(?:--[a-z]\S*\s+)+")
# What the image of a Dockerfile's step begins with; anything else is another tool's.
_KEYWORDS: Final = re.compile(r"(?:RUN|COPY|ADD|WORKDIR)(?= )")
_WITH_FLAGS: Final = ("COPY", "ADD")
_LONGEST: Final = 4000


def step_of(created_by: str, written: Mapping[str, str] | None = None) -> str:
    """Return the instruction that made a layer, in one line; empty where the image says nothing.

    Args:
        created_by: the image's own words.
        written: the instructions of its Dockerfile by `key_of` each, whose words stand first:
            an image does not tell `--from`.
    """
    words = " ".join(created_by[:_LONGEST].split()).removesuffix(_BUILDKIT).strip()
    words = words if words.isprintable() else "".join(c if c.isprintable() else "�" for c in words)
    plain = _NOP.match(words)
    if plain is not None:
        # The classic builder's form of all but RUN.
        words = words[plain.end() :]
    elif words.startswith(("RUN ", "|")) or _SHELL.match(words):
        words = f"RUN {_command(words.removeprefix('RUN '))}"
    words = words.strip()
    return (written or {}).get(key_of(words), words)


def instructions(stages: Iterable[Stage]) -> dict[str, str]:
    """Return the instructions of stages that take files from elsewhere, by their key."""
    return {
        key_of(text): text
        for stage in stages
        for step in stage.instructions
        if step.keyword in _WITH_FLAGS
        for text in (text_of(step),)
    }


def key_of(step: str) -> str:
    """Return what an instruction has in common with what an image says of it: all but flags."""
    keyword = _KEYWORDS.match(step)
    if keyword is None or keyword[0] not in _WITH_FLAGS:
        return step
    return f"{keyword[0]} {_FLAGS.sub('', step[keyword.end() :].lstrip(), count=1)}"


def text_of(step: Instruction) -> str:
    """Return an instruction as people know it, in one line; of a command without its mounts."""
    flags = [f"--{name}={value}" if value else f"--{name}" for name, value in step.flags]
    # A command's mounts are no part of what an image tells, nor of what people look for.
    kept = flags if step.keyword in _WITH_FLAGS else []
    return " ".join([step.keyword, *kept, *step.value.split()])


def _command(words: str) -> str:
    """Return a command without the arguments and the shell that stand before it."""
    arguments = _ARGUMENTS.match(words)
    if arguments is None:
        shell = _SHELL.match(words)
        return words[shell.end() :] if shell else words
    # Values of arguments may hold spaces, so the shell is the surer end of them.
    shell = _SHELL.search(words, arguments.end())
    if shell is not None:
        return words[shell.end() :]
    left = words[arguments.end() :].split(" ")
    for _ in range(int(arguments[1])):
        if left and "=" in left[0]:
            del left[0]
    return " ".join(left)
