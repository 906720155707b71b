"""Each layer's step in the words of its Dockerfile, and whether it is the base's or its own. Pure.

An image says of each layer what made it, but in the builder's words, with the shell and the
arguments before a command. A base's layers are the first ones of whatever is built on it, so they
are told by their digests.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.sizes.models import LayerSize
    from hullwright.tools.dockerfile import Instruction, Stage

_BUILDKIT: Final = "# buildkit"
_NOP: Final = re.compile(r"(?:\|\d+ .*?)?/bin/sh -c #\(nop\) +")
_ARGUMENTS: Final = re.compile(r"\|(\d{1,4}) ")
_SHELL: Final = re.compile(r"/[\w./-]*sh (?:-[\w-]+ (?:pipefail )?)*?-\w*c ")
_FLAGS: Final = re.compile(r"(?:--[a-z]\S*\s+)+")
# What the image of a Dockerfile's step begins with; anything else is another tool's.
_KEYWORDS: Final = re.compile(r"(?:RUN|COPY|ADD|WORKDIR)(?= )")
_WITH_FLAGS: Final = ("COPY", "ADD")
_MAKING_LAYERS: Final = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
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
        for text in (_text(step),)
    }


def own_layers(layers: Sequence[LayerSize], stages: Sequence[Stage]) -> int | None:
    """Return how many layers the steps of a Dockerfile made; None where they do not fit.

    For a base that is gone: the last layers have to be exactly the steps, one for one, and at
    least one of them by its words and not by its keyword alone.

    Args:
        layers: the lowest first.
        stages: what the image is, and below it what each starts from.
    """
    steps = [
        step
        for stage in reversed(stages)
        for step in stage.instructions
        if step.keyword in _MAKING_LAYERS
    ]
    last = layers[len(layers) - len(steps) :] if steps else ()
    if not steps or len(steps) >= len(layers):
        return None
    fits = [_fits(step, layer) for step, layer in zip(steps, last, strict=True)]
    return len(steps) if "words" in fits and "" not in fits else None


def key_of(step: str) -> str:
    """Return what an instruction has in common with what an image says of it: all but flags."""
    keyword = _KEYWORDS.match(step)
    if keyword is None or keyword[0] not in _WITH_FLAGS:
        return step
    return f"{keyword[0]} {_FLAGS.sub('', step[keyword.end() :].lstrip(), count=1)}"


def marked(
    layers: Sequence[LayerSize],
    base: Sequence[str] | None,
    written: Mapping[str, str] | None = None,
) -> tuple[LayerSize, ...]:
    """Return the layers with their steps, and, where the base's are known, whose each is.

    Args:
        layers: the lowest first.
        base: diff ids of the layers of the image that it is built on; None where they are not
            known.
        written: instructions of its Dockerfile, as `instructions` gives them.
    """
    count = None if base is None else len(base)
    return tuple(
        replace(
            layer,
            step=step_of(layer.created_by, written),
            origin=None if count is None else "base" if number < count else "own",
        )
        for number, layer in enumerate(layers)
    )


def begins_with(layers: Sequence[LayerSize], base: Sequence[str]) -> bool:
    """Return whether layers stand on those of a base."""
    return [layer.diff_id for layer in layers[: len(base)]] == list(base)


def _fits(step: Instruction, layer: LayerSize) -> str:
    """Return by what a step is the one of a layer: `words`, `keyword`; empty for another one."""
    told = step_of(layer.created_by)
    if key_of(told) == key_of(_text(step)):
        return "words"
    # Variables, lists and heredocs are told otherwise than they are written.
    loose = step.keyword != "RUN" and "$" in step.value
    loose = loose or step.value.startswith("[") or "<<" in step.value
    return "keyword" if loose and told.startswith(f"{step.keyword} ") else ""


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


def _text(step: Instruction) -> str:
    flags = [f"--{name}={value}" if value else f"--{name}" for name, value in step.flags]
    # A command's mounts are no part of what an image tells, nor of what people look for.
    kept = flags if step.keyword in _WITH_FLAGS else []
    return " ".join([step.keyword, *kept, *step.value.split()])
