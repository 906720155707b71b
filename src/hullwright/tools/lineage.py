"""What an image inherits along `FROM`: from its stage to the stages that one starts from.

BuildKit hands base image, labels and environment down this line; what a stage only copies from is
not on it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hullwright.tools.dockerfile import WORD, substitute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.tools.dockerfile import Dockerfile, Instruction, Stage

_ESCAPED: Final = re.compile(r"\\(.)")


def lineage(
    dockerfile: Dockerfile, target: str = "", build_args: Mapping[str, str] | None = None
) -> tuple[Stage, ...]:
    """Return a stage and those that it starts from, itself first; empty means the last stage."""
    stages, values = dockerfile.all_stages, dockerfile.values(build_args or {})
    index = dockerfile.index_of(target, len(stages)) if target else len(stages) - 1
    line = []
    while index is not None:
        line.append(stages[index])
        index = dockerfile.index_of(substitute(stages[index].base, values).text, index)
    return tuple(line)


def declared(
    dockerfile: Dockerfile, target: str = "", build_args: Mapping[str, str] | None = None
) -> frozenset[str]:
    """Return the build arguments that the image of a stage has a use for.

    Those before the first `FROM`, and those of each stage that this one is made from.
    """
    own = target or str(len(dockerfile.all_stages) - 1)
    needed = dockerfile.needed_stages(own, build_args)
    return frozenset(dockerfile.globals).union(*(stage.arguments for stage in needed))


def base_image(
    dockerfile: Dockerfile, target: str = "", build_args: Mapping[str, str] | None = None
) -> str:
    """Return the image that a stage is made on; empty for `scratch`, or where it is not certain.

    It is not where a variable has no value, or one that differs from platform to platform.
    """
    base = substitute(
        lineage(dockerfile, target, build_args)[-1].base, dockerfile.values(build_args or {})
    )
    return "" if base.missing or "$" in base.text or base.text == "scratch" else base.text


def written_labels(
    dockerfile: Dockerfile, target: str = "", build_args: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """Return the labels that the Dockerfile itself gives to the image of a stage.

    A value that holds variables is None: only the build knows it.
    """
    found: dict[str, str | None] = {}
    for stage in reversed(lineage(dockerfile, target, build_args)):
        for step in stage.instructions:
            if step.keyword == "LABEL":
                found.update(_pairs(step))
    return found


def _pairs(step: Instruction) -> dict[str, str | None]:
    words = WORD.findall(step.value)
    if words and "=" not in words[0]:
        # The old form: one label, and all that follows is its value.
        words = [f"{words[0]}={step.value.strip()[len(words[0]) :].strip()}"]
    pairs = (word.partition("=") for word in words)
    return {_plain(name) or "": _plain(value) for name, _, value in pairs}


def _plain(word: str) -> str | None:
    if word[:1] == word[-1:] == "'" and len(word) > 1:
        return word[1:-1]
    if "$" in word:
        return None
    quoted = len(word) > 1 and word[:1] == word[-1:] == '"'
    return _ESCAPED.sub(r"\1", word[1:-1] if quoted else word)
