"""What programs say of themselves: made byte by byte, true ones and such that lie."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from elves import program
from hullwright.tools.elf import Sections, Watched, is_elf

MAGIC: Final = b"\xff Go buildinf:"
MODULES: Final = b"path\texample.com/app\nmod\texample.com/app\tv1.2.3\t\n"


def watched(content: bytes, *, piece: int = 1 << 20) -> Watched:
    first = max(piece, 64)
    found = Watched(content[:first], len(content))
    for at in range(first, len(content), piece):
        found.feed(content[at : at + piece])
    return found


def lengthened(content: bytes) -> bytes:
    length, told = len(content), b""
    while True:
        more = length >> 7
        told += bytes([(length & 0x7F) | (0x80 if more else 0)])
        if not more:
            return told + content
        length = more


def buildinfo(modules: bytes = MODULES) -> bytes:
    """Return what Go's linker writes: 16 bytes of a mark stand before and after the modules."""
    head = (MAGIC + b"\x08\x02").ljust(32, b"\0")
    return head + lengthened(b"go1.26.1") + lengthened(b"0" * 16 + modules + b"1" * 16)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("piece", [7, 1000, 1 << 20])
def test_symbols_and_debug_information_are_counted(wide: bool, order: str, piece: int) -> None:  # noqa: FBT001  a case
    sections = {".text": 9000, ".symtab": 480, ".strtab": 77, ".debug_info": 3000, ".zdebug_x": 11}
    content = program(sections, wide=wide, order=order)
    assert watched(content, piece=piece).sections() == Sections(557, 3011)


def test_a_stripped_program_has_neither() -> None:
    assert watched(program({".text": 5000, ".dynsym": 100})).sections() == Sections()


def test_a_table_that_claims_more_than_the_file_is_held_to_it() -> None:
    content = bytearray(program({".symtab": 480}))
    # The size of the first section after the empty one.
    at = len(content) - 2 * 64 + 32
    content[at : at + 8] = struct.pack("<Q", 1 << 62)
    assert watched(bytes(content)).sections() == Sections(len(content), 0)


@pytest.mark.parametrize("offset", [0, 40, 58, 60, 62])
@pytest.mark.parametrize("value", [b"\0" * 8, b"\xff" * 8])
def test_a_header_that_makes_no_sense_tells_nothing(offset: int, value: bytes) -> None:
    content = bytearray(program({".symtab": 480}))
    width = 8 if offset == 40 else 2
    if offset:
        content[offset : offset + width] = value[:width]
    found = watched(bytes(content)).sections()
    assert found.symbol_bytes in {0, 480}
    assert watched(bytes(content[:100])).sections() == Sections()


@pytest.mark.parametrize("piece", [7, 100, 1 << 20])
@pytest.mark.parametrize("before", [0, 50, 93, 1000])
def test_the_build_information_of_go_is_found_across_pieces(piece: int, before: int) -> None:
    content = program({".text": 300}, body=b"\1" * before + buildinfo())
    assert watched(content, piece=piece).go == b"go\tgo1.26.1\n" + MODULES


def test_a_program_that_only_knows_the_mark_does_not_hide_what_follows() -> None:
    body = MAGIC + b"\0" * 300_000 + b"\1" * 5 + buildinfo()
    assert watched(program({".text": 30}, body=body), piece=4096).go.startswith(b"go\tgo1.26.1\n")


def test_without_modules_there_is_no_build_information() -> None:
    assert watched(program({".text": 300}, body=MAGIC + b"\x08\x00" + b"\0" * 500)).go == b""
    assert watched(program({".text": 300}, body=buildinfo(b""))).go == b""
    assert watched(program({".text": 300})).go == b""


def test_lengths_that_lie_tell_nothing() -> None:
    head = (MAGIC + b"\x08\x02").ljust(32, b"\0")
    for lie in (b"\xff" * 40, b"\x80" * 40, b"\x7fgo"):
        assert watched(program({".text": 10}, body=head + lie)).go == b""


def test_only_what_is_whole_is_a_program() -> None:
    assert is_elf(program({".text": 1}))
    assert not is_elf(b"\x7fELF")
    assert not is_elf(b"#!/bin/sh\n" + b"\0" * 100)
