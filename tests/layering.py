"""Images in memory, layer by layer, as they are measured: for tests of what follows from files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullwright.sizes.contents import Contents
from hullwright.sizes.models import Figures, ImageSizes, LayerSize, Subject
from hullwright.sizes.ondisk import snapshot_bytes, used_bytes
from hullwright.sizes.overlay import applied
from hullwright.tools.layers import File, LayerContent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.sizes.contents import Package
    from hullwright.sizes.models import Origin


@dataclass(frozen=True)
class Layer:
    """A step, and the files that it makes, by path; a size of -1 deletes.

    Attributes:
        step: such as `COPY a /`.
        files: bytes of each file. Two files have the same content where `contents` says so.
        origin: whose it is.
        contents: names of contents, by path; default one of its own for each path and size.
    """

    step: str
    files: Mapping[str, int]
    origin: Origin | None = "own"
    contents: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> LayerContent:
        """Return the layer as it would be read."""
        files = tuple(
            File(path, "whiteout")
            if size < 0
            else File(path, "file", size, content=self.contents.get(path, f"{path} {size}"))
            for path, size in sorted(self.files.items())
        )
        told = hashlib.sha256(repr((self.step, files)).encode()).hexdigest()
        total = sum(max(0, size) for size in self.files.values())
        return LayerContent(f"sha256:{told}", total, files)


def image(
    *layers: Layer,
    packages: Sequence[Package] = (),
    deep: bool = True,
    unpacked: bool = True,
    service: str = "api",
    base: str = "",
    base_name: str = "",
    stored: bool = True,
) -> ImageSizes:
    """Return what is measured of an image; its compressed bytes are half of what they hold.

    Args:
        layers: the lowest first.
        packages: that were found in it.
        deep: whether its files are known.
        unpacked: whether layers were read at all.
        service: whose it is.
        base: digest of what it says that it is built on.
        base_name: the name of that.
        stored: whether it is in the engine.
    """
    contents = [layer.content() for layer in layers]
    overlay = applied(contents)
    sizes = tuple(
        LayerSize(
            digest=f"sha256:{content.digest[::-1][:64]}",
            diff_id=content.digest,
            compressed_bytes=content.unpacked_bytes // 2,
            unpacked_bytes=content.unpacked_bytes if unpacked else None,
            created_by=layer.step,
            origin=layer.origin,
            step=layer.step,
            snapshot_bytes=snapshot_bytes(content) if unpacked else None,
        )
        for layer, content in zip(layers, contents, strict=True)
    )
    figures = Figures(
        platform="linux/amd64",
        digest="sha256:" + hashlib.sha256(repr(sizes).encode()).hexdigest(),
        compressed_bytes=sum(layer.compressed_bytes or 0 for layer in sizes),
        unpacked_bytes=sum(content.unpacked_bytes for content in contents) if unpacked else None,
        layers=sizes,
        visible_bytes=overlay.visible_bytes if unpacked else None,
        waste_bytes=overlay.waste_bytes if unpacked else None,
        efficiency=overlay.efficiency if unpacked else None,
        base=base,
        base_name=base_name,
    )
    return ImageSizes(
        Subject(f"{service}:1", service, "production"),
        figures,
        on_disk_bytes=used_bytes([sizes]) if stored and unpacked else None,
        contents=Contents(overlay.seen, tuple(packages), overlay.waste) if deep else None,
    )
