"""State on disk: whole or not at all, and by one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from hullwright.errors import ExitCode, HullwrightError, LockedError
from hullwright.files import lock, write_atomic


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_content_and_mode_are_as_asked_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        write_atomic(tmp_path / "a", "text ✓\n")
        write_atomic(tmp_path / "b", b"\0bytes", mode=0o600)
    finally:
        os.umask(old)
    assert (tmp_path / "a").read_text(encoding="utf-8") == "text ✓\n"
    assert (tmp_path / "b").read_bytes() == b"\0bytes"
    assert (mode(tmp_path / "a"), mode(tmp_path / "b")) == (0o644, 0o600)


def test_a_narrow_mode_holds_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def looking(descriptor: int, wanted: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        os.chmod(descriptor, wanted)

    monkeypatch.setattr(os, "fchmod", looking)
    target = tmp_path / "secret"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o644)
    write_atomic(target, "new", mode=0o600)
    assert seen == [0o600]
    assert mode(target) == 0o600


@pytest.mark.parametrize("failing", ["fsync", "fchmod"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    target = tmp_path / "state.json"
    write_atomic(target, "old")

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(HullwrightError, match="could not be written") as raised:
        write_atomic(target, "new")
    assert "No space left on device; what stood there before is unchanged" in str(raised.value)
    assert raised.value.exit_code == ExitCode.FAILED
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "state.json"
    write_atomic(target, "old")

    def interrupted(_: int) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(target, "new")
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_content_is_written_first_where_the_caller_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = tmp_path / "own" / "new"
    by.parent.mkdir()
    by.write_text("left by a kill, and longer than what follows")
    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append((by.read_text(), mode(by))))
    monkeypatch.setattr("hullwright.files._sync_folder", lambda _: None)
    write_atomic(tmp_path / "a", "text", mode=0o600, by=by)
    assert seen == [("text", 0o600)]
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["a", "own"]


def test_another_file_system_is_written_to_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by, real = tmp_path / "elsewhere", Path.replace

    def moved(self: Path, target: Path) -> Path:
        if self == by:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", moved)
    write_atomic(tmp_path / "a", "text", mode=0o600, by=by)
    assert (tmp_path / "a").read_text() == "text"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_missing_folder_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(HullwrightError, match="No such file or directory"):
        write_atomic(tmp_path / "missing" / "file", "x")


def test_the_file_and_its_folder_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    real = os.fsync

    def syncing(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", syncing)
    write_atomic(tmp_path / "a", "x")
    assert synced == [False, True]


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "up"
    with (
        lock(path, "the stack default"),
        pytest.raises(LockedError, match="the stack default is in use by another run") as raised,
        lock(path, "the stack default"),
    ):
        pytest.fail("two hold one lock")
    assert raised.value.exit_code == ExitCode.LOCKED
    assert f"process {os.getpid()}:" in str(raised.value)


def test_a_released_lock_can_be_taken_and_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "up"
    with lock(path, "it"):
        assert json.loads(path.read_text(encoding="utf-8"))["pid"] == os.getpid()
    assert path.read_text(encoding="utf-8") == ""
    with pytest.raises(ValueError, match="boom"), lock(path, "it"):
        raise ValueError("boom")
    with lock(path, "it"):
        pass


def test_a_holder_that_has_not_said_its_name_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "up"
    with path.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="unknown"), lock(path, "it"):
            pytest.fail("two hold one lock")


def test_a_holder_that_is_no_holder_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "up"
    with path.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for content in ("5", "{}", '{"pid": 1}', "[]"):
            path.write_text(content, encoding="utf-8")
            with pytest.raises(LockedError, match="unknown"), lock(path, "it"):
                pytest.fail("two hold one lock")


def test_a_lock_file_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with (
        pytest.raises(HullwrightError, match=r"the folder .*file/locks cannot be made") as raised,
        lock(tmp_path / "file" / "locks" / "up", "it"),
    ):
        pytest.fail("nothing was locked")
    assert raised.value.exit_code == ExitCode.FAILED
    assert "Not a directory" in str(raised.value)
    with (
        pytest.raises(HullwrightError, match="it cannot be locked") as raised,
        lock(tmp_path, "it"),
    ):
        pytest.fail("nothing was locked")
    assert f"{tmp_path}: Is a directory" in str(raised.value)


def test_a_file_system_without_locks_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with (
        pytest.raises(HullwrightError, match="No locks available") as raised,
        lock(tmp_path / "up", "it"),
    ):
        pytest.fail("nothing was locked")
    assert not isinstance(raised.value, LockedError)


def test_a_holder_is_named_without_the_values_of_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("python", "build", "--build-arg=TOKEN=hunter2", "TOKEN=hunter2", "more")
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "\0".join(words))
    with lock(tmp_path / "up", "it"):
        note = json.loads((tmp_path / "up").read_bytes())
    assert note["command"] == "build --build-arg=… TOKEN=…"
