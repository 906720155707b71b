"""Archives that are made to hurt, given to the program: little memory, some seconds, no file."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from archives import Layout, tar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_BYTES: Final = 200_000_000
_PROGRAM: Final = Path(sys.executable).parent / "hullwright"
_BOMB_BYTES: Final = 1 << 30
_ENTRIES: Final = 30_000
# In a small process of its own: the kernel counts to a program what the one that started it had in
# use then, and the one that runs tests has much.
_MEASURING: Final = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield a repository in a folder of its own; nothing may be written but the cache."""
    inner = tmp_path / "outer" / "repository"
    inner.mkdir(parents=True)
    (inner / "hullwright.toml").write_text('project = "shop"\n', encoding="utf-8")
    yield inner
    # What the archives lead to is not there, neither above nor below.
    left = {path.name for path in inner.iterdir()}
    assert left - {".hullwright"} == {"hullwright.toml", "image.tar"}
    assert [path.name for path in inner.parent.iterdir()] == ["repository"]


def measured(folder: Path, layer: bytes) -> tuple[int, str, int]:
    """Return the exit code, what was told, and the most bytes of memory of the program."""
    layout = Layout()
    layout.image(layer, compress=False)
    (folder / "image.tar").write_bytes(layout.archive())
    environ: Mapping[str, str] = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "XDG_CACHE_HOME": str(folder.parent.parent / "cache"),
        "XDG_STATE_HOME": str(folder.parent.parent / "state"),
    }
    words = [str(_PROGRAM), "sizes", "--deep", "--image", "image.tar"]
    with (folder.parent.parent / "told").open("w+b") as told:
        done = subprocess.run(
            (sys.executable, "-c", _MEASURING, *words),
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            check=True,
        )
        told.seek(0)
        code, most_kib = map(int, done.stdout.split())
        return code, told.read().decode(), most_kib * 1024


def header(name: str, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


def test_a_gzip_bomb_passes_by(folder: Path) -> None:
    # One member of zeros, as often as it takes.
    piece = gzip.compress(bytes(1 << 24), mtime=0)
    bomb = gzip.compress(header("zeros", _BOMB_BYTES), mtime=0) + piece * (_BOMB_BYTES >> 24)
    code, told, most = measured(folder, bomb)
    assert (code, "1.1 GB" in told) == (0, True), told
    assert most < _MOST_BYTES


def test_very_many_entries_take_little_memory(folder: Path) -> None:
    stream = io.BytesIO()
    for number in range(_ENTRIES):
        stream.write(header(f"folder/{number}"))
    code, told, most = measured(folder, gzip.compress(stream.getvalue(), 1, mtime=0))
    assert code == 0, told
    assert most < _MOST_BYTES


def test_names_and_links_that_lead_outside_write_nothing(folder: Path) -> None:
    links = []
    for name, target in (("out", "../../../.."), ("etc", "/"), ("hard", "../../told")):
        link = tarfile.TarInfo(name)
        link.type = tarfile.LNKTYPE if name == "hard" else tarfile.SYMTYPE
        link.linkname = target
        links.append(link)
    code, told, _ = measured(
        folder, tar({"../../outside": b"x", "out/beside": b"y", "/absolute": b"z"}, links)
    )
    assert code == 0, told


def test_a_sparse_file_that_claims_the_world_takes_no_room(folder: Path) -> None:
    info = tarfile.TarInfo("disk")
    info.pax_headers = {"GNU.sparse.realsize": str(8 * 1024**5)}
    code, told, most = measured(folder, tar({}, [info]))
    assert code == 0, told
    assert most < _MOST_BYTES


def test_an_archive_that_is_cut_off_is_said(folder: Path) -> None:
    code, told, _ = measured(folder, gzip.compress(tar({"a": b"x" * 5000}), mtime=0)[:-40])
    assert code == 1
    assert "image.tar cannot be measured: the layer sha256:" in told
    assert "its gzip data ends early" in told
