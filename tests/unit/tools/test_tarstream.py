"""Tar streams: the same entries as the standard library sees, and bounded memory."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives import tar
from hullwright.tools.tarstream import ArchiveError, Entry, TarStream

NAMES = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=150
)


def entries(archive: bytes) -> list[Entry]:
    return list(TarStream(io.BytesIO(archive)))


def written(*infos: tarfile.TarInfo, format_: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format_) as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(b"x" * info.size) if info.isreg() else None)
    return buffer.getvalue()


def info(name: str, **values: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(made, key, value)
    return made


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_kind_of_entry_is_told_apart(format_: int) -> None:
    archive = written(
        info("folder", type=tarfile.DIRTYPE),
        info("folder/file", size=513),
        info("hard", type=tarfile.LNKTYPE, linkname="folder/file"),
        info("soft", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        info("device", type=tarfile.CHRTYPE),
        info("empty"),
        format_=format_,
    )
    told = [(e.name.rstrip("/"), e.size_bytes, e.regular, e.link) for e in entries(archive)]
    assert told == [
        ("folder", 0, False, ""),
        ("folder/file", 513, True, ""),
        ("hard", 0, False, "folder/file"),
        ("soft", 0, False, "/etc/passwd"),
        ("device", 0, False, ""),
        ("empty", 0, True, ""),
    ]


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_links_are_whole(format_: int) -> None:
    name, link = "ä/" * 90 + "name", "x" * 300
    archive = written(
        info(name, size=3), info("l", type=tarfile.SYMTYPE, linkname=link), format_=format_
    )
    assert entries(archive) == [
        Entry(name, 3, regular=True),
        Entry("l", 0, regular=False, link=link),
    ]


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=5))
def test_the_sum_is_what_the_standard_library_sees(files: dict[str, bytes]) -> None:
    archive = tar(files)
    with tarfile.open(fileobj=io.BytesIO(archive)) as other:
        expected = [(member.name, member.size) for member in other]
    assert [(entry.name, entry.size_bytes) for entry in entries(archive)] == expected


def test_content_can_be_read_and_what_is_left_is_skipped() -> None:
    stream = TarStream(io.BytesIO(tar({"a": b"0123456789", "b": b"abc"})))
    first, second = ((entry.name, stream.read(4)) for entry in stream)
    assert first == ("a", b"0123")
    assert second == ("b", b"abc")


class Zeros:
    """A source of a header and then of as many zeros as it is asked for."""

    def __init__(self, header: bytes, length: int) -> None:
        self.header, self.left = header, length

    def read(self, size: int, /) -> bytes:
        if self.header:
            piece, self.header = self.header[:size], self.header[size:]
            return piece
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


def header(**values: object) -> bytes:
    return info("x", **values).tobuf(tarfile.GNU_FORMAT)[:512]


def test_a_large_entry_is_passed_over_in_bounded_memory() -> None:
    size = 300 * 1024 * 1024
    tracemalloc.start()
    names = [entry.name for entry in TarStream(Zeros(header(size=size), size + 1024))]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert names == ["x"]
    assert peak_bytes < 4 * 1024 * 1024


def test_many_entries_are_not_kept() -> None:
    class Many:
        count = 20_000
        block = header(size=0)

        def read(self, _: int, /) -> bytes:
            self.count -= 1
            return self.block * 100 if self.count > 19_800 else b""

    tracemalloc.start()
    seen = sum(1 for _ in TarStream(Many()))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 19_900
    assert peak_bytes < 4 * 1024 * 1024


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_an_extended_header_that_claims_gigabytes_is_refused(kind: bytes) -> None:
    claimed = 8 * 1024**3
    with pytest.raises(ArchiveError, match="corrupt or hostile"):
        list(TarStream(Zeros(header(type=kind, size=claimed), claimed)))


def test_a_size_that_no_stream_has_is_a_cut_off_archive() -> None:
    with pytest.raises(ArchiveError, match="cut off"):
        list(TarStream(Zeros(header(size=2**60), 10_000)))


def records(*pairs: bytes) -> bytes:
    content = b"".join(pairs)
    extended = header(type=tarfile.XHDTYPE, size=len(content))
    return extended + content.ljust(512, b"\0") + header(size=0) + bytes(1024)


@pytest.mark.parametrize(
    "record",
    [b"path=x\n", b"99999999999 path=x\n", b"0 path=x\n", b"12 size=-1\n", b"x", b"11 size=9a\n"],
)
def test_extended_headers_that_lie_are_refused(record: bytes) -> None:
    with pytest.raises(ArchiveError):
        entries(records(record))


def test_a_sparse_file_counts_as_large_as_it_says() -> None:
    made = bytearray(header(type=b"S", size=0))
    made[483:495] = b"00000100000\0"
    made[148:156] = b"        "
    made[148:156] = b"%06o\0 " % sum(made)
    assert entries(bytes(made) + bytes(1024)) == [Entry("x", 0o100000, regular=True)]


WHOLE: Final = tar({"a": b"x" * 600})


@pytest.mark.parametrize(
    "archive",
    [b"y" + WHOLE[1:], WHOLE[:148] + b"zzzzzzzz" + WHOLE[156:], WHOLE[:300], WHOLE[:900]],
)
def test_a_damaged_archive_is_refused(archive: bytes) -> None:
    with pytest.raises(ArchiveError):
        entries(archive)
