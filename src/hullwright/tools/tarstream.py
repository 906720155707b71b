"""Reads tar streams entry by entry, without unpacking them and in bounded memory.

`tarfile` keeps every member and reads extended headers whole, so a hostile layer could fill the
memory; and it is several times slower on headers alone. This reader keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from hullwright.errors import HullwrightError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BLOCK: Final = 512
_CHUNK_BYTES: Final = 256 * 1024
# The longest names and extended headers that tools write are some kilobytes.
_LONGEST_HEADER_BYTES: Final = 1024 * 1024
_REGULAR: Final = frozenset(b"07S\0")
# Links, devices, folders, pipes: a size in their header is not followed by content.
_WITHOUT_CONTENT: Final = frozenset(b"123456")


class ArchiveError(HullwrightError):
    """An archive is cut off, corrupt, or not what it says it is."""


class Source(Protocol):
    """What bytes are read from: a pipe, a file, a decompressor."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tar archive.

    Attributes:
        name: path as it is written; it is never used as a path of this machine.
        size_bytes: bytes that the file has when it is unpacked.
        regular: whether it is a regular file; hard links, folders and devices are not.
        link: target of a link; empty for others.
        type: the header's type flag, such as `5` for a folder.
        mode: permission bits.
        uid, gid: numbers of its owner.
        modified_s: when its content changed last, in whole seconds since 1970.
        extended: what its extended header says besides, such as parts of seconds and attributes.
    """

    name: str
    size_bytes: int
    regular: bool
    link: str = ""
    type: str = field(default="0", compare=False)
    mode: int = field(default=0o644, compare=False)
    uid: int = field(default=0, compare=False)
    gid: int = field(default=0, compare=False)
    modified_s: int = field(default=0, compare=False)
    extended: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


class Buffered:
    """Exact reads and skips over a source whose reads may be short."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._buffer = b""
        self._position = 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; what is buffered first, then one read of the source."""
        if self._position == len(self._buffer):
            self._buffer = self._source.read(max(size, _CHUNK_BYTES))
            self._position = 0
        piece = self._buffer[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def exactly(self, size: int) -> bytes:
        """Return `size` bytes.

        Raises:
            ArchiveError: there are fewer.
        """
        piece = self.read(size)
        while len(piece) < size:
            more = self.read(size - len(piece))
            if not more:
                raise ArchiveError("the archive is cut off", why="it ends within an entry")
            piece += more
        return piece

    def skip(self, size: int) -> None:
        """Pass over `size` bytes."""
        while size:
            piece = self.read(min(size, _CHUNK_BYTES))
            if not piece:
                raise ArchiveError("the archive is cut off", why="it ends within an entry")
            size -= len(piece)


class TarStream:
    """The entries of a tar stream; the content of the current one can be read, else is skipped."""

    def __init__(self, source: Source) -> None:
        self._input = Buffered(source)
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[Entry]:
        name = link = ""
        extended: dict[str, str] = {}
        while (header := self._header()) is not None:
            kind, stored = header[156], _number(header[124:136])
            self._left, self._padding = stored, -stored % _BLOCK
            if kind == ord("x"):
                extended = _records(self._extension())
            elif kind == ord("g"):
                self._extension()
            elif kind == ord("L"):
                name = _text(self._extension())
            elif kind == ord("K"):
                link = _text(self._extension())
            else:
                yield self._entry(header, kind, stored, name=name, link=link, extended=extended)
                name = link = ""
                extended = {}

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of the current entry's content."""
        piece = self._input.read(min(size, self._left)) if self._left else b""
        if self._left and size and not piece:
            raise ArchiveError("the archive is cut off", why="it ends within an entry")
        self._left -= len(piece)
        return piece

    def _entry(
        self,
        header: bytes,
        kind: int,
        stored: int,
        *,
        name: str,
        link: str,
        extended: dict[str, str],
    ) -> Entry:
        size = stored
        if "size" in extended:
            size = _decimal(extended["size"])
            self._left, self._padding = size, -size % _BLOCK
        if kind == ord("S"):
            size = _number(header[483:495])
            self._sparse_map(header)
        for key in ("GNU.sparse.realsize", "GNU.sparse.size"):
            size = _decimal(extended[key]) if key in extended else size
        path = extended.get("GNU.sparse.name") or extended.get("path") or name or _path(header)
        # Before POSIX a folder was a file whose name ends with a slash.
        regular = kind in _REGULAR and not (kind == 0 and path.endswith("/"))
        if kind in _WITHOUT_CONTENT:
            self._left = self._padding = size = 0
        return Entry(
            path,
            size,
            regular,
            extended.get("linkpath") or link or _text(header[157:257]),
            chr(kind or ord("0")),
            _number(header[100:108]) & 0o7777,
            _decimal(extended["uid"]) if "uid" in extended else _number(header[108:116]),
            _decimal(extended["gid"]) if "gid" in extended else _number(header[116:124]),
            _number(header[136:148]),
            extended,
        )

    def _header(self) -> bytes | None:
        self._input.skip(self._left + self._padding)
        self._left = self._padding = 0
        first = self._input.read(1)
        if not first:
            return None
        header = first + self._input.exactly(_BLOCK - 1)
        if not header.strip(b"\0"):
            return None
        summed = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
        if summed != _number(header[148:156]):
            raise ArchiveError("the archive is corrupt", why="a header's checksum does not hold")
        return header

    def _extension(self) -> bytes:
        if self._left > _LONGEST_HEADER_BYTES:
            raise ArchiveError(
                "the archive is corrupt or hostile",
                why=f"an extended header claims {self._left} bytes",
            )
        content = self._input.exactly(self._left)
        self._left = 0
        return content

    def _sparse_map(self, header: bytes) -> None:
        more = header[482]
        while more:
            more = self._input.exactly(_BLOCK)[504]


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip()
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise ArchiveError("the archive is corrupt", why="a header holds no number") from None


def _decimal(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise ArchiveError("the archive is corrupt", why="an extended header holds no number")
    return int(text)


def _records(content: bytes) -> dict[str, str]:
    """Return the records of a pax header: each is `length key=value` and a line's end."""
    records: dict[str, str] = {}
    position = 0
    while position < len(content) and content[position]:
        space = content.find(b" ", position)
        length = content[position:space] if space > 0 else b""
        if not length.isdigit() or len(length) > 8 or int(length) < len(length) + 3:
            raise ArchiveError("the archive is corrupt", why="an extended header cannot be read")
        record = content[space + 1 : position + int(length) - 1]
        key, _, value = record.partition(b"=")
        records[_text(key)] = value.decode(errors="replace")
        position += int(length)
    return records


def _path(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode(errors="replace")
