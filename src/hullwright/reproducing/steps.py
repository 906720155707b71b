"""The steps of a Dockerfile by what an image says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tools.dockerfile import read
from hullwright.tools.layersteps import key_of, text_of
from hullwright.tools.lineage import lineage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Steps:
    """Finds the instruction that made a layer.

    Args:
        file: the Dockerfile.
        name: of it, as people know it.
        target: stage that is built; empty for the last.
        arguments: of the build.
    """

    def __init__(self, file: Path, name: str, target: str, arguments: Mapping[str, str]) -> None:
        stages = lineage(read(file), target, arguments)
        self._found = {
            key_of(text): (text, f"{name}:{step.line}")
            for stage in reversed(stages)
            for step in stage.instructions
            for text in (text_of(step),)
        }

    def __call__(self, step: str) -> tuple[str, str]:
        """Return the instruction in the Dockerfile's words, and its place; empty if not found."""
        return self._found.get(key_of(step), (step, ""))
