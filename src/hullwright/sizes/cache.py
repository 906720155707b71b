"""Figures that were measured before, by the digest of what was measured.

A digest names exact bytes, so an entry never becomes wrong; it can be removed at any time.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import HullwrightError
from hullwright.files import write_atomic
from hullwright.images import DIGEST
from hullwright.sizes.contents import Contents, Package, Seen, Waste
from hullwright.sizes.models import Figures, LayerSize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hullwright.tools.layers import LayerContent

# In the folder's name, so that two versions of the package do not read each other's entries.
_SCHEMA: Final = 3
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

    def layer(self, digest: str) -> LayerContent | None:
        """Return what a layer holds, or None where it is not known."""
        from hullwright.tools.layers import File, LayerContent

        path = self._path("layers", digest)
        if path is None:
            return None
        try:
            entry = json.loads(zlib.decompress(path.read_bytes()))
            documents = {
                name: base64.b64decode(content) for name, content in entry["documents"].items()
            }
            return LayerContent(
                digest,
                entry["unpacked_bytes"],
                tuple(File(*row) for row in entry["files"]),
                documents,
            )
        except (OSError, ValueError, KeyError, TypeError, zlib.error):
            return None

    def keep_layer(self, content: LayerContent) -> None:
        """Keep what a layer holds."""
        path = self._path("layers", content.digest)
        if path is None or path.exists():
            return
        entry = {
            "unpacked_bytes": content.unpacked_bytes,
            "files": _rows(content.files),
            "documents": {
                name: base64.b64encode(each).decode() for name, each in content.documents.items()
            },
        }
        self._write(path, entry)

    def contents(self, digest: str) -> Contents | None:
        """Return what the files of one platform's image are, by its manifest, or None."""
        path = self._path("contents", digest)
        if path is None:
            return None
        try:
            entry = json.loads(zlib.decompress(path.read_bytes()))
            return Contents(
                tuple(Seen(*row) for row in entry["seen"]),
                tuple(Package(*row) for row in entry["packages"]),
                tuple(Waste(*row) for row in entry["waste"]),
            )
        except (OSError, ValueError, KeyError, TypeError, zlib.error):
            return None

    def keep_contents(self, digest: str, contents: Contents) -> None:
        """Keep what the files of one platform's image are; advice follows from more than those."""
        entry = {
            kind: _rows(rows)
            for kind, rows in (
                ("seen", contents.seen),
                ("packages", contents.packages),
                ("waste", contents.waste),
            )
        }
        self._write(self._path("contents", digest), entry)

    def _write(self, path: Path | None, entry: dict[str, Any]) -> None:
        # A cache that cannot be written costs time, and is no reason to fail.
        with suppress(OSError, HullwrightError):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, zlib.compress(json.dumps(entry).encode(), 1))

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


def _rows(values: Sequence[Any]) -> list[Any]:
    """Return the fields of values of one class; there are some hundred thousand of them."""
    return (
        list(map(attrgetter(*(each.name for each in fields(values[0]))), values)) if values else []
    )


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(**{**row, "layers": tuple(LayerSize(**layer) for layer in row["layers"])})
