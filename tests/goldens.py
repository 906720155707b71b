"""Golden files: texts that were read once, and are held to what they said."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def goldens(folder: Path, *, end: str = "\n") -> Callable[[str, str], None]:
    """Return what asserts that a text is what a golden file of `folder` says, by its name.

    UPDATE_GOLDEN=1 writes the file.

    Args:
        folder: where the files are.
        end: what the file has behind the text.
    """

    def held(name: str, text: str) -> None:
        golden = folder / name
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(f"{text}{end}", encoding="utf-8")
        assert f"{text}{end}" == golden.read_text(encoding="utf-8")

    return held
