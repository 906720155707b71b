"""What a program's file says of itself while it passes by: its symbols, and how Go built it.

https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html and, for Go,
https://pkg.go.dev/debug/buildinfo
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_MAGIC: Final = b"\x7fELF"
_GO_MAGIC: Final = b"\xff Go buildinf:"
# From the magic on: 32 bytes of header, then the compiler's version and the modules.
_GO_BYTES: Final = 256 * 1024
_GO_INLINE: Final = 2
_GO_SENTINEL_BYTES: Final = 16
# Names of sections stand right before the table of sections, and both at the end of the file.
_NAMES_BYTES: Final = 64 * 1024
_TAIL_BYTES: Final = 1024 * 1024
_SYMBOLS: Final = frozenset({b".symtab", b".strtab"})
_DEBUG: Final = (b".debug_", b".zdebug_")


@dataclass(frozen=True, slots=True)
class Sections:
    """Bytes of a program's sections that it runs without."""

    symbol_bytes: int = 0
    debug_bytes: int = 0


def is_elf(first: bytes) -> bool:
    """Return whether a file's first bytes are those of an ELF program or library."""
    return first.startswith(_MAGIC) and len(first) >= 64


class Watched:
    """A program while its file is read; little of it is kept.

    Attributes:
        go: its build information as Go writes it; empty for what Go did not build.
    """

    def __init__(self, first: bytes, size_bytes: int) -> None:
        self.go = b""
        self._wide = first[4] == 2
        self._order = "<" if first[5] == 1 else ">"
        layout = "Q" if self._wide else "I"
        at = 40 if self._wide else 32
        (self._table,) = struct.unpack_from(f"{self._order}{layout}", first, at)
        self._entry_bytes, self._count, self._names = struct.unpack_from(
            f"{self._order}HHH", first, 58 if self._wide else 46
        )
        begin = self._table - _NAMES_BYTES
        # A table elsewhere than at the end is legal, rare, and then not looked at.
        self._begin = max(begin, 0) if 0 < size_bytes - begin <= _TAIL_BYTES else size_bytes
        self._tail: list[bytes] = []
        self._position = 0
        self._before = b""
        self._go = bytearray()
        self.feed(first)

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes of the file."""
        end = self._position + len(piece)
        if end > self._begin:
            self._tail.append(piece[max(self._begin - self._position, 0) :])
        self._look_for_go(piece)
        self._position = end

    def sections(self) -> Sections:
        """Return what its sections take; zeros where its table cannot be read."""
        tail = b"".join(self._tail)
        headers = []
        for number in range(self._count):
            at = self._table - self._begin + number * self._entry_bytes
            if at < 0 or at + self._entry_bytes > len(tail) or self._entry_bytes < 40:
                return Sections()
            if self._wide:
                name, offset, size = struct.unpack_from(f"{self._order}I20xQQ", tail, at)
            else:
                name, offset, size = struct.unpack_from(f"{self._order}I12xII", tail, at)
            headers.append((name, offset, size))
        if self._names >= len(headers):
            return Sections()
        names = headers[self._names][1] - self._begin
        symbols = debug = 0
        for name, _, size in headers:
            title = tail[names + name : names + name + 64].split(b"\0", 1)[0] if names >= 0 else b""
            if title in _SYMBOLS:
                symbols += size
            elif title.startswith(_DEBUG):
                debug += size
        # A table that lies claims more than the file has.
        return Sections(min(symbols, self._position), min(debug, self._position))

    def _look_for_go(self, piece: bytes) -> None:
        if self.go:
            return
        # Mostly nothing is found, and then nothing is copied but what may hold half of the mark.
        border = self._before + piece[: len(_GO_MAGIC)]
        if not self._go and _GO_MAGIC not in border and _GO_MAGIC not in piece:
            self._before = (self._before + piece[1 - len(_GO_MAGIC) :])[1 - len(_GO_MAGIC) :]
            return
        self._go += self._before + piece
        self._before = b""
        while (at := self._go.find(_GO_MAGIC)) >= 0:
            del self._go[:at]
            self.go = _go_modules(bytes(self._go[:_GO_BYTES]))
            if self.go or len(self._go) < _GO_BYTES:
                return
            # Programs that read build information have the mark as a constant, too.
            del self._go[: len(_GO_MAGIC)]
        self._before = bytes(self._go[1 - len(_GO_MAGIC) :])
        self._go.clear()


def _go_modules(content: bytes) -> bytes:
    """Return the lines of modules and settings that Go 1.18 and later write into a program."""
    if len(content) < 33 or not content[15] & _GO_INLINE:
        return b""
    version, rest = _lengthened(content, 32)
    modules, _ = _lengthened(content, rest)
    inner = modules[_GO_SENTINEL_BYTES:-_GO_SENTINEL_BYTES]
    return b"go\t" + version + b"\n" + inner if version and inner else b""


def _lengthened(content: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes behind a length in base 128, and where they end."""
    length = shift = 0
    while at < len(content) and shift <= 28:
        byte = content[at]
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return (
                (content[at : at + length], at + length)
                if at + length <= len(content)
                else (b"", at)
            )
    return b"", at
