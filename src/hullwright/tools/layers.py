"""One layer of an image as its files, read from its tar stream; nothing is unpacked.

https://specs.opencontainers.org/image-spec/layer/
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from hullwright.tools import elf
from hullwright.tools.tarstream import ArchiveError, TarStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.tools.tarstream import Entry, Source

Kind = Literal["file", "folder", "symlink", "hardlink", "other", "whiteout", "opaque"]

_KINDS: Final[Mapping[str, Kind]] = {"1": "hardlink", "2": "symlink", "5": "folder"}
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_CHUNK_BYTES: Final = 1024 * 1024
# Images for machine learning have some hundreds of thousands of files.
MOST_FILES: Final = 1_000_000
_LONGEST_PATH: Final = 4096
# By these files others are attributed to packages. Of each no more than this is kept.
_DOCUMENT: Final = re.compile(
    r"var/lib/dpkg/(?:status|status\.d/[^/]+|info/[^/]+\.list)|(?:usr/)?lib/apk/db/installed"
    r"|.+\.dist-info/(?:METADATA|RECORD)|.+\.egg-info/PKG-INFO"
    r"|(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+/package\.json"
)
_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
_DOCUMENTS_BYTES: Final = 48 * 1024 * 1024
# All of the layers that are read together. An entry takes so much beside its names, which are
# counted twice for those beyond ASCII.
_ROOM_BYTES: Final = 384 * 1024 * 1024
_ENTRY_BYTES: Final = 320
_SETTLED_AT_ONCE: Final = 1000


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
        elf: it is a program or library in the ELF format.
        symbol_bytes: what its symbol tables take, which `strip` removes.
        debug_bytes: what its debug information takes, which `strip` removes too.
    """

    path: str
    kind: Kind
    size_bytes: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    link: str = ""
    content: str = ""
    elf: bool = False
    symbol_bytes: int = 0
    debug_bytes: int = 0


@dataclass(frozen=True, slots=True)
class LayerContent:
    """What one layer holds.

    Attributes:
        digest: of its blob.
        unpacked_bytes: sum of its regular files.
        files: its entries in their order.
        documents: content of small files by which files are attributed to packages, by path: the
            databases of dpkg and apk, metadata of Python and npm packages; and, under the path of
            a Go program, its build information as text.
    """

    digest: str
    unpacked_bytes: int
    files: tuple[File, ...]
    documents: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Room:
    """How much may be kept of the layers that are read together, in several threads."""

    def __init__(self, left_bytes: int = _ROOM_BYTES) -> None:
        self._left_bytes = left_bytes
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> None:
        """Count what is kept.

        Raises:
            ArchiveError: there is no room left.
        """
        with self._lock:
            self._left_bytes -= size_bytes
            if self._left_bytes < 0:
                raise ArchiveError(
                    "the image is hostile",
                    why=f"the names of its files take more than {_ROOM_BYTES >> 20} MiB",
                )


def read_layer(source: Source, digest: str, room: Room | None = None) -> LayerContent:
    """Return what a layer's tar stream holds; its content passes by, and nothing is unpacked.

    Args:
        source: the layer without its compression.
        digest: of its blob, for the result.
        room: how much may be kept of it and of the layers beside it.

    Raises:
        ArchiveError: the stream is cut off or corrupt, or holds more than a layer has.
    """
    archive = TarStream(source)
    reading = _Reading(room or Room())
    for entry in archive:
        if len(reading.files) >= MOST_FILES:
            raise ArchiveError(
                "the layer is hostile", why=f"it has more than {MOST_FILES:,} entries"
            )
        reading.add(entry, archive)
    reading.settle()
    return LayerContent(
        digest,
        sum(each.size_bytes for each in reading.files),
        tuple(reading.files),
        reading.documents,
    )


class _Reading:
    def __init__(self, room: Room) -> None:
        self._room = room
        self._settled = 0
        self.files: list[File] = []
        self.documents: dict[str, bytes] = {}
        self._kept_bytes = 0

    def settle(self) -> None:
        """Take room for the files since the last time."""
        self._room.take(
            sum(
                _ENTRY_BYTES + 2 * (len(each.path) + len(each.link))
                for each in self.files[self._settled :]
            )
        )
        self._settled = len(self.files)

    def add(self, entry: Entry, archive: TarStream) -> None:
        if len(self.files) - self._settled >= _SETTLED_AT_ONCE:
            self.settle()
        path = _inside(entry.name)
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            self.files.append(File(folder, "opaque"))
        elif name.startswith(_WHITEOUT):
            # `.wh..wh.` is aufs's own, and stands for no file.
            gone = posixpath.join(folder, name.removeprefix(_WHITEOUT))
            if not name.startswith(f"{_WHITEOUT}{_WHITEOUT}"):
                self.files.append(File(gone, "whiteout"))
        elif entry.regular:
            self.files.append(self._file(path, entry, archive))
        elif path:
            kind = _KINDS.get(entry.type, "other")
            link = _inside(entry.link) if kind == "hardlink" else entry.link[:_LONGEST_PATH]
            self.files.append(File(path, kind, 0, entry.mode, entry.uid, entry.gid, link or ""))

    def _file(self, path: str, entry: Entry, archive: TarStream) -> File:
        first = archive.read(_CHUNK_BYTES)
        hashed = hashlib.sha256(first)
        kept = [first] if self._is_kept(path, entry) else None
        program = elf.Watched(first, entry.size_bytes) if elf.is_elf(first) else None
        while piece := archive.read(_CHUNK_BYTES):
            hashed.update(piece)
            if kept is not None:
                kept.append(piece)
            if program is not None:
                program.feed(piece)
        if kept is not None:
            self.documents[path] = b"".join(kept)
        sections = program.sections() if program is not None else elf.Sections()
        if program is not None and program.go:
            self.documents[path] = program.go
        return File(
            path,
            "file",
            entry.size_bytes,
            entry.mode,
            entry.uid,
            entry.gid,
            content=hashed.hexdigest()[:32] if first else "",
            elf=program is not None,
            symbol_bytes=sections.symbol_bytes,
            debug_bytes=sections.debug_bytes,
        )

    def _is_kept(self, path: str, entry: Entry) -> bool:
        if entry.size_bytes > _DOCUMENT_BYTES or _DOCUMENT.fullmatch(path) is None:
            return False
        self._kept_bytes += entry.size_bytes
        if self._kept_bytes > _DOCUMENTS_BYTES:
            return False
        self._room.take(entry.size_bytes)
        return True


def _inside(name: str) -> str:
    """Return a name as a path below the image's root; it is never used as one of this machine."""
    if "/./" not in name and "//" not in name and ".." not in name:
        # The most common ones by far, and this runs for each of some hundred thousand.
        short = name.removeprefix("./").strip("/")
        if not short.startswith("./") and short != ".":
            return short[:_LONGEST_PATH]
    return posixpath.normpath(f"/{name}").strip("/")[:_LONGEST_PATH]
