"""The bytes of a blob without its compression, in bounded pieces: gzip, zstd, or none at all.

gzip is read by ISA-L (`isal`), which is four times as fast as zlib and leaves the interpreter's
lock to others meanwhile.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, Literal

from isal import isal_zlib

from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    from hullwright.tools.tarstream import Source

Compression = Literal["none", "gzip", "zstd"]

_CHUNK_BYTES: Final = 256 * 1024
# The window of a zstd frame, which is kept in memory; the format's own tools refuse above this.
_LARGEST_WINDOW_LOG: Final = 27
# gzip and zstd make a thousandth and less of zeros. No layer is that large and that empty at once.
_SUSPECT_BYTES: Final = 4 * 1024**3
_SUSPECT_TIMES: Final = 200


def opened(first: bytes, rest: Source) -> tuple[Compression, Source]:
    """Return how a blob is compressed, and its content; `first` was read of it already."""
    whole = Prefixed(first, rest)
    kind = compression(first)
    if kind == "none":
        return kind, whole
    stored = _Counted(whole)
    return kind, _Bounded(Gunzip(stored) if kind == "gzip" else Unzstd(stored), stored)


def compression(first: bytes) -> Compression:
    """Return how the blob of these first bytes is compressed."""
    if first.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if first.startswith(b"\x28\xb5\x2f\xfd") else "none"


class _Counted:
    """A source that counts what was read of it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.size_bytes = 0

    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        self.size_bytes += len(piece)
        return piece


class _Bounded:
    """What comes of compressed bytes, unless it is beyond all measure."""

    def __init__(self, content: Source, stored: _Counted) -> None:
        self._content = content
        self._stored = stored
        self._size_bytes = 0

    def read(self, size: int, /) -> bytes:
        piece = self._content.read(size)
        self._size_bytes += len(piece)
        if self._size_bytes > max(_SUSPECT_BYTES, _SUSPECT_TIMES * self._stored.size_bytes):
            raise ArchiveError(
                "the archive is hostile",
                why=f"of {self._stored.size_bytes:,} compressed bytes came {self._size_bytes:,},"
                " and no end",
            )
        return piece


class Prefixed:
    """A source whose first bytes were looked at already."""

    def __init__(self, first: bytes, source: Source) -> None:
        self._rest = first
        self._source = source

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end."""
        if self._rest:
            piece, self._rest = self._rest[:size], self._rest[size:]
            return piece
        return self._source.read(size)


class Gunzip:
    """The decompressed bytes of a gzip source of one or several members, in bounded pieces."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._inflate = isal_zlib.decompressobj(wbits=31)
        self._pending = b""
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end.

        Raises:
            ArchiveError: the data is corrupt or cut off.
        """
        while not self._ended:
            if not self._pending:
                self._pending = self._source.read(_CHUNK_BYTES)
                if not self._pending:
                    if not self._inflate.eof:
                        raise ArchiveError("the archive is cut off", why="its gzip data ends early")
                    break
            if self._inflate.eof:
                # Padding after the last member is allowed; anything else is a next member.
                self._pending = self._pending.lstrip(b"\0")
                if not self._pending:
                    continue
                self._inflate = isal_zlib.decompressobj(wbits=31)
            if piece := self._some(size):
                return piece
        self._ended = True
        return b""

    def _some(self, size: int) -> bytes:
        try:
            piece: bytes = self._inflate.decompress(self._pending, size)
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub does not say what it is
            raise ArchiveError("the archive is corrupt", why=f"gzip: {error}") from error
        self._pending = (
            self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        )
        return piece


class Unzstd:
    """The decompressed bytes of a zstd source of one or several frames, in bounded pieces."""

    def __init__(self, source: Source) -> None:
        # Imported where it is met: hardly any image has it.
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        self._source = source
        self._zstd = zstd
        self._frame = self._new()

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end.

        Raises:
            ArchiveError: the data is corrupt or cut off.
        """
        while True:
            if self._frame.eof:
                rest = self._frame.unused_data or self._source.read(_CHUNK_BYTES)
                if not rest:
                    return b""
                self._frame = self._new()
            else:
                rest = self._source.read(_CHUNK_BYTES) if self._frame.needs_input else b""
                if self._frame.needs_input and not rest:
                    raise ArchiveError("the archive is cut off", why="its zstd data ends early")
            try:
                piece: bytes = self._frame.decompress(rest, size)
            except self._zstd.ZstdError as error:
                raise ArchiveError("the archive is corrupt", why=f"zstd: {error}") from error
            if piece:
                return piece

    def _new(self) -> zstd.ZstdDecompressor:
        option = self._zstd.DecompressionParameter.window_log_max
        return self._zstd.ZstdDecompressor(options={option: _LARGEST_WINDOW_LOG})
