"""What the engine uses for images: their blobs, and their layers unpacked. Pure.

Measured on Engine 28.5 with the containerd image store: its own count of an image's content is the
sum of its blobs, and that of its snapshots is each regular file in whole blocks of 4 KiB, and one
block for each folder; three images of 0.2 to 0.6 GB were within 0.05 % of `ImageData.Size` of its
API, which no command of the client shows. Folders of some hundred names take more blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.sizes.models import LayerSize
    from hullwright.tools.layers import LayerContent

_BLOCK_BYTES: Final = 4096
# A longer target does not fit into the link's own inode.
_SHORT_LINK: Final = 59


def snapshot_bytes(layer: LayerContent) -> int:
    """Return what one layer takes when it is unpacked: whole blocks of files and of folders."""
    folders: set[str] = set()
    total = _BLOCK_BYTES
    for file in layer.files:
        total += -(-file.size_bytes // _BLOCK_BYTES) * _BLOCK_BYTES
        if file.kind == "symlink" and len(file.link) > _SHORT_LINK:
            total += _BLOCK_BYTES
        folder = file.path if file.kind == "folder" else file.path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return total + len(folders) * _BLOCK_BYTES


def used_bytes(images: Iterable[Sequence[LayerSize]]) -> int | None:
    """Return what the engine uses for images together, what they share once; None if unknown.

    A blob is shared by its digest. An unpacked layer is shared only where all that is below it is
    the same, too: it is known by its chain.
    """
    parts: dict[tuple[str, ...], int] = {}
    for layers in images:
        chain: tuple[str, ...] = ()
        for layer in layers:
            chain = (*chain, layer.diff_id)
            if layer.snapshot_bytes is None:
                return None
            parts[chain] = layer.snapshot_bytes
            # A classic store keeps layers unpacked only.
            parts["blob", layer.digest] = layer.compressed_bytes or 0
    return sum(parts.values()) if parts else None
