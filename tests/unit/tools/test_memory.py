"""Folders in memory, by a table of mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tools.memory import folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_counts_by_the_mount_that_it_is_on(tmp_path: Path) -> None:
    mounts, place = tmp_path / "mounts", tmp_path / "run time"
    place.mkdir()
    environ = {"XDG_RUNTIME_DIR": str(place)}
    escaped = str(place).replace(" ", "\\040")
    mounts.write_text(f"/dev/a / ext4 rw 0 0\ntmpfs {escaped} tmpfs rw 0 0\n", encoding="utf-8")
    assert folder(environ, mounts) == place
    # A later mount lies over it.
    mounts.write_text(
        f"/dev/a / ext4 rw 0 0\ntmpfs {escaped} tmpfs rw 0 0\n/dev/b {escaped} ext4 rw 0 0\n",
        encoding="utf-8",
    )
    assert folder(environ, mounts) is None


def test_without_a_table_there_is_none(tmp_path: Path) -> None:
    assert folder({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path / "absent") is None


def test_what_is_below_such_a_mount_is_in_memory_too(tmp_path: Path) -> None:
    mounts, place = tmp_path / "mounts", tmp_path / "a/b"
    place.mkdir(parents=True)
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nx {tmp_path} tmpfs rw 0 0\n", encoding="utf-8")
    assert folder({"XDG_RUNTIME_DIR": str(place)}, mounts) == place
    assert folder({"XDG_RUNTIME_DIR": str(place / "absent")}, mounts) != place / "absent"
