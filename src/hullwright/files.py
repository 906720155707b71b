"""State on disk: written whole or not at all, by one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.errors import HullwrightError, LockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO


def write_atomic(
    path: Path, content: str | bytes, *, mode: int = 0o644, by: Path | None = None
) -> None:
    """Replace `path` by `content`; a crash or a full disk leaves the old file as it was.

    The file has `mode` from its first byte. Content and folder entry are synced to disk.

    Args:
        path: the file.
        content: all of it.
        mode: its permissions.
        by: where the content is written first, for this caller alone; a kill may leave it there,
            and the next write replaces it. Default a new name beside `path`, which is also taken
            where `by` is on another file system.

    Raises:
        HullwrightError: the disk is full, or the folder cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        try:
            _replace(path, data, mode, by)
        except OSError as error:
            if by is None or error.errno != errno.EXDEV:
                raise
            _replace(path, data, mode, None)
    except OSError as error:
        raise HullwrightError(
            f"{path} could not be written",
            why=f"{error.strerror or error}; what stood there before is unchanged",
            next_step="free space or permissions on that folder, then run it again",
        ) from error


def _replace(path: Path, data: bytes, mode: int, by: Path | None) -> None:
    temporary = None
    try:
        descriptor, temporary = _new_file(path, by)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()


def _new_file(path: Path, by: Path | None) -> tuple[int, str]:
    # Both make it 0600, so a wider mode is only ever given to the finished content.
    if by is None:
        return tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    by.unlink(missing_ok=True)
    return os.open(by, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), str(by)


def make_folder(folder: Path) -> Path:
    """Return a folder, made with its parents where it is missing.

    Raises:
        HullwrightError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HullwrightError(
            f"the folder {folder} cannot be made",
            why=error.strerror or str(error),
            next_step="free space or permissions on the folder above it, then run it again",
        ) from error
    return folder


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def lock(path: Path, what: str) -> Iterator[None]:
    """Hold the lock of `what`; the kernel releases it however this process ends.

    The lock file keeps its name when it is released: removing it would let two runs hold two
    different files of the same name.

    Raises:
        LockedError: another process holds it; the message says which.
        HullwrightError: the lock file cannot be made or locked.
    """
    with _locked(path, what) as file:
        _note(file, json.dumps({"pid": os.getpid(), "command": _own_command()}))
        try:
            yield
        finally:
            _note(file, "")


def _locked(path: Path, what: str) -> FileIO:
    make_folder(path.parent)
    try:
        # Without a buffer: closing would write once more what a full disk did not take.
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise _unlockable(path, what, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if not isinstance(error, BlockingIOError):
            raise _unlockable(path, what, error) from error
        raise LockedError(
            f"{what} is in use by another run",
            why=[("holder", _holder(path))],
            next_step="wait for it to end, or end it",
        ) from None
    return file


def _unlockable(path: Path, what: str, error: OSError) -> HullwrightError:
    return HullwrightError(
        f"{what} cannot be locked",
        why=f"{path}: {error.strerror or error}",
        next_step="free space or permissions on that folder, then run it again",
    )


def _note(file: FileIO, holder: str) -> None:
    # The kernel holds the lock; that the disk has no room for our name is no reason to fail.
    with suppress(OSError):
        file.truncate(0)
        file.write(holder.encode())


def _own_command() -> str:
    words = Path("/proc/self/cmdline")
    if not words.exists():
        return "hullwright"
    # Only the task's words, for an interpreter's path says nothing; others can read this file, so
    # of NAME=VALUE and --flag=VALUE the name alone.
    told = words.read_text(encoding="utf-8", errors="replace").split("\0")[1:4]
    return " ".join(f"{word.partition('=')[0]}=…" if "=" in word else word for word in told).strip()


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return f"process {held['pid']}: {held['command']}"
    except (OSError, ValueError, TypeError, KeyError):
        return "unknown (it is just starting, or its disk is full)"
