"""What a layer holds, told entry by entry; and layers that are made to hurt."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tracemalloc
from typing import TYPE_CHECKING, Final

import pytest

from archives import tar
from hullwright.tools import layers
from hullwright.tools.layers import File, LayerContent, Room, read_layer
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS: Final = b"Package: libc6\nStatus: install ok installed\n"


def read(archive: bytes, room: Room | None = None) -> LayerContent:
    return read_layer(io.BytesIO(archive), "sha256:layer", room)


def entry(name: str, **values: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(made, key, value)
    return made


def documents(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return dict(read(tar(files)).documents)


def test_each_entry_is_told_with_its_kind() -> None:
    content = read(
        tar(
            {"bin/tool": b"x" * 10, "empty": b""},
            [
                entry("etc", type=tarfile.DIRTYPE, mode=0o700, uid=7, gid=8),
                entry("soft", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
                entry("hard", type=tarfile.LNKTYPE, linkname="./bin/tool"),
                entry("device", type=tarfile.CHRTYPE),
                entry("pipe", type=tarfile.FIFOTYPE),
            ],
        )
    )
    digest = hashlib.sha256(b"x" * 10).hexdigest()[:32]
    assert content.files == (
        File("bin/tool", "file", 10, 0o644, content=digest),
        File("empty", "file"),
        File("etc", "folder", mode=0o700, uid=7, gid=8),
        File("soft", "symlink", link="/etc/passwd"),
        File("hard", "hardlink", link="bin/tool"),
        File("device", "other"),
        File("pipe", "other"),
    )
    assert content.unpacked_bytes == 10


def test_whiteouts_are_what_they_remove() -> None:
    content = read(tar({"etc/.wh.hosts": b"", "var/.wh..wh..opq": b"", ".wh.top": b""}))
    assert content.files == (
        File("etc/hosts", "whiteout"),
        File("var", "opaque"),
        File("top", "whiteout"),
    )


def test_what_aufs_kept_for_itself_stands_for_no_file() -> None:
    plnk = entry(".wh..wh.plnk", type=tarfile.DIRTYPE)
    assert read(tar({".wh..wh.aufs": b"", "a": b"x"}, [plnk])).files[0].path == "a"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("../../etc/passwd", "etc/passwd"),
        ("a/../../b", "b"),
        ("a//b/./c", "a/b/c"),
        ("././a", "a"),
        ("a..b/c", "a..b/c"),
        ("x" * 5000, "x" * 4096),
    ],
)
def test_no_name_leads_outside(name: str, path: str) -> None:
    assert [each.path for each in read(tar({name: b"1"})).files] == [path]


def test_the_root_itself_is_no_file() -> None:
    assert read(tar({}, [entry("./", type=tarfile.DIRTYPE)])).files == ()


@pytest.mark.parametrize(
    "path",
    [
        "var/lib/dpkg/status",
        "var/lib/dpkg/status.d/base-files",
        "var/lib/dpkg/info/libc6.list",
        "lib/apk/db/installed",
        "usr/lib/python3/dist-packages/six-1.dist-info/METADATA",
        "usr/lib/python3/dist-packages/six-1.dist-info/RECORD",
        "opt/x.egg-info/PKG-INFO",
        "app/node_modules/left-pad/package.json",
        "node_modules/@scope/name/package.json",
    ],
)
def test_databases_of_packages_are_kept(path: str) -> None:
    assert documents({path: STATUS}) == {path: STATUS}


@pytest.mark.parametrize(
    "path", ["etc/passwd", "app/package.json", "app/node_modules/a/lib/package.json"]
)
def test_other_files_are_not(path: str) -> None:
    assert documents({path: STATUS}) == {}


def test_of_a_document_beyond_all_measure_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_DOCUMENT_BYTES", 1000)
    monkeypatch.setattr(layers, "_DOCUMENTS_BYTES", 1500)
    lists = {f"var/lib/dpkg/info/{name}.list": b"x" * 900 for name in "ab"}
    kept = documents({"var/lib/dpkg/status": b"x" * 1001, **lists})
    assert list(kept) == ["var/lib/dpkg/info/a.list"]


def test_a_file_larger_than_a_piece_has_the_digest_of_all_of_it() -> None:
    content = bytes(range(256)) * 10_000
    (file,) = read(tar({"large": content})).files
    assert file.content == hashlib.sha256(content).hexdigest()[:32]


def test_a_layer_of_too_many_entries_is_hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MOST_FILES", 100)
    assert len(read(tar({f"{number}": b"" for number in range(100)})).files) == 100
    with pytest.raises(ArchiveError, match="hostile") as raised:
        read(tar({f"{number}": b"" for number in range(101)}))
    assert "more than 100 entries" in str(raised.value)


def test_layers_that_are_read_together_share_their_room() -> None:
    room = Room(10_000)
    archive = tar({f"{'x' * 100}{number}": b"" for number in range(12)})
    read(archive, room)
    with pytest.raises(ArchiveError, match="the image is hostile") as raised:
        read(archive, room)
    assert "the names of its files" in str(raised.value)


def test_long_names_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_ROOM_BYTES", 1 << 20)
    # 2,000 entries whose names take 8 MB: an extended header with the name before each.
    archive = io.BytesIO(tar({f"{number:04}{'x' * 4000}": b"" for number in range(2000)}))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match="hostile"):
            read_layer(archive, "sha256:layer", Room(1 << 20))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_sparse_file_that_claims_all_the_world_is_only_counted() -> None:
    claimed = 8 * 1024**5
    sparse = entry("disk", pax_headers={"GNU.sparse.realsize": str(claimed)})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(sparse)
    tracemalloc.start()
    try:
        assert read(buffer.getvalue()).unpacked_bytes == claimed
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_claims_more_than_there_is_is_cut_off() -> None:
    archive = bytearray(tar({"a": b"x" * 1000}))
    archive[124:136] = b"77777777777\0"
    archive[148:156] = b" " * 8
    archive[148:156] = f"{sum(archive[:512]):06o}\0 ".encode()
    with pytest.raises(ArchiveError, match="cut off"):
        read(bytes(archive))
