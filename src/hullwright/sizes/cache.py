"""Figures that were measured before, by the digest of what was measured.

A digest names exact bytes, so an entry never becomes wrong; it can be removed at any time.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import HullwrightError
from hullwright.files import write_atomic
from hullwright.images import DIGEST
from hullwright.sizes.models import Figures, LayerSize

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.tools.oci import LayerFigures

# In the folder's name, so that two versions of the package do not read each other's entries.
_SCHEMA: Final = 1
_SAFE: Final = re.compile(DIGEST)


@dataclass(frozen=True, slots=True)
class Cache:
    """Entries below one folder, one small file for each image and each layer."""

    folder: Path

    def figures(self, digest: str) -> tuple[Figures, ...] | None:
        """Return the figures of an image by its digest in the store, or None."""
        entry = self._load("images", digest)
        try:
            return tuple(_figures(row) for row in entry["rows"]) if entry else None
        except (KeyError, TypeError):
            return None

    def keep_figures(self, digest: str, rows: tuple[Figures, ...]) -> None:
        """Keep what was measured of an image."""
        self._save("images", digest, {"rows": [asdict(row) for row in rows]})

    def layer(self, digest: str) -> LayerFigures | None:
        """Return the figures of a layer, or None."""
        from hullwright.tools.oci import LayerFigures

        entry = self._load("layers", digest)
        try:
            return LayerFigures(**entry) if entry else None
        except TypeError:
            return None

    def keep_layer(self, figures: LayerFigures) -> None:
        """Keep what was measured of a layer; what could not be read is read again next time."""
        if figures.unpacked_bytes is not None:
            self._save("layers", figures.digest, asdict(figures))

    def _path(self, kind: str, digest: str) -> Path | None:
        if not _SAFE.fullmatch(digest):
            return None
        return self.folder / f"sizes-{_SCHEMA}" / kind / digest.removeprefix("sha256:")

    def _load(self, kind: str, digest: str) -> dict[str, Any] | None:
        path = self._path(kind, digest)
        if path is None:
            return None
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return entry if isinstance(entry, dict) else None

    def _save(self, kind: str, digest: str, entry: dict[str, Any]) -> None:
        path = self._path(kind, digest)
        # A cache that cannot be written costs time, and is no reason to fail.
        with suppress(OSError, HullwrightError):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, json.dumps(entry) + "\n")


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(**{**row, "layers": tuple(LayerSize(**layer) for layer in row["layers"])})
