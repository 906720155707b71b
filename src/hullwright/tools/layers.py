"""One layer of an image as its files, read from its tar stream; nothing is unpacked.

https://specs.opencontainers.org/image-spec/layer/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["file", "folder", "symlink", "hardlink", "other", "whiteout", "opaque"]


@dataclass(frozen=True, slots=True)
class File:
    """One entry of a layer.

    Attributes:
        path: relative to the image's root, without `./`, `..` and a slash at either end. Of a
            whiteout it is the path that is deleted, of an opaque folder that folder.
        kind: what it is; devices, pipes and sockets are `other`.
        size_bytes: of a regular file, 0 for all else.
        mode: permission bits.
        uid, gid: numbers of its owner.
        link: target of a link, as written.
        content: first 16 bytes of the SHA-256 of its content, in hex; empty for what is no file
            and for empty files.
        binary: of an ELF program or library: `stripped`, `symbols` or `debug` (it holds DWARF);
            empty for all else.
    """

    path: str
    kind: Kind
    size_bytes: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    link: str = ""
    content: str = ""
    binary: Literal["", "stripped", "symbols", "debug"] = ""


@dataclass(frozen=True, slots=True)
class LayerContent:
    """What one layer holds.

    Attributes:
        digest: of its blob.
        unpacked_bytes: sum of its regular files.
        files: its entries in their order.
        documents: content of small files by which files are attributed to packages: the databases
            of dpkg and apk, metadata of Python and npm packages, build information of Go programs
            (as text), by path.
        problem: why it could not be read to its end; empty where it could.
    """

    digest: str
    unpacked_bytes: int
    files: tuple[File, ...]
    documents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    problem: str = ""
