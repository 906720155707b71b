"""What comes of compressed bytes: all of it in bounded pieces, or why not."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable

import pytest

from archives import zstd
from hullwright.tools import decompress
from hullwright.tools.decompress import compression, opened
from hullwright.tools.tarstream import ArchiveError

Compress = Callable[[bytes], bytes]

DATA = bytes(range(256)) * 1000


def read(stored: bytes, *, at_once: int = 1 << 20) -> bytes:
    """Return the content; its first bytes were looked at before, as they are in blobs."""
    source = io.BytesIO(stored)
    _, content = opened(source.read(100), source)
    pieces = []
    while piece := content.read(at_once):
        assert len(piece) <= at_once
        pieces.append(piece)
    assert content.read(at_once) == b""
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("stored", "kind"),
    [(gzip.compress(b"a"), "gzip"), (zstd.compress(b"a"), "zstd"), (b"a/b", "none"), (b"", "none")],
    # Names of their own: gzip holds the time, and workers have to find the same tests.
    ids=["gzip", "zstd", "text", "nothing"],
)
def test_the_first_bytes_tell_the_compression(stored: bytes, kind: str) -> None:
    assert compression(stored) == kind


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_several_members_are_read_in_bounded_pieces(compress: Compress) -> None:
    assert read(compress(DATA) + compress(b"b" * 5), at_once=1000) == DATA + b"b" * 5


def test_padding_after_gzip_is_no_content() -> None:
    assert read(gzip.compress(DATA) + b"\0" * 600) == DATA


def test_what_is_not_compressed_is_as_it_is() -> None:
    assert read(DATA) == DATA


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_what_is_cut_off_is_refused(compress: Compress, kept: float) -> None:
    stored = compress(DATA)
    with pytest.raises(ArchiveError, match="cut off") as raised:
        read(stored[: int(len(stored) * kept)])
    assert "data ends early" in str(raised.value)


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_what_is_corrupt_is_refused(compress: Compress) -> None:
    stored = compress(DATA)
    with pytest.raises(ArchiveError, match="corrupt"):
        read(stored[:12] + b"\xff" * 50 + stored[62:])


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_what_follows_a_member_and_is_none_is_refused(compress: Compress) -> None:
    with pytest.raises(ArchiveError, match="corrupt"):
        read(compress(DATA) + b"this is no other member of it")


def test_a_window_beyond_all_measure_is_not_kept() -> None:
    # A frame that asks for a window of 2 GiB: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1
    with pytest.raises(ArchiveError, match="corrupt"):
        read(b"\x28\xb5\x2f\xfd" + b"\x00\xa8" + b"\x01\x00\x00")


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_a_bomb_is_given_up(compress: Compress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompress, "_SUSPECT_BYTES", 1 << 20)
    assert read(compress(bytes(1 << 20))) == bytes(1 << 20)
    with pytest.raises(ArchiveError, match="hostile") as raised:
        read(compress(bytes(32 << 20)))
    assert "and no end" in str(raised.value)


def test_much_that_is_no_bomb_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompress, "_SUSPECT_BYTES", 1000)
    text = "".join(f"line {number}\n" for number in range(50_000)).encode()
    assert read(gzip.compress(text)) == text
