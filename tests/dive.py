"""What dive says of an image, which other people measure images with."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiling import compiled

_PACKAGE: Final = "github.com/wagoodman/dive"
# Pinned, so that a figure means the same tomorrow.
_VERSION: Final = "v0.13.1"


@dataclass(frozen=True)
class Told:
    """The figures that dive writes: bytes of all layers, and its efficiency from 0 to 1."""

    unpacked_bytes: int
    efficiency: float


def program() -> Path:
    """Return dive."""
    return compiled("dive", _PACKAGE, _VERSION)


def told(reference: str) -> Told:
    """Return what dive says of an image of the local store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dive.json"
        words = (str(program()), reference, "--json", str(path))
        subprocess.run(words, check=True, capture_output=True)
        image = json.loads(path.read_text(encoding="utf-8"))["image"]
    return Told(image["sizeBytes"], image["efficiencyScore"])
