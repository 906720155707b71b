"""State on disk: written whole or not at all, by one writer at a time."""

from __future__ import annotations

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


def write_atomic(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `content`; a crash or a full disk leaves the old file as it was.

    The file has `mode` from its first byte. Content and folder entry are synced to disk.

    Raises:
        HullwrightError: the disk is full, or the folder cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        # mkstemp makes it 0600, so a wider mode is only ever given to the finished content.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise HullwrightError(
            f"{path} could not be written",
            why=f"{error.strerror or error}; what stood there before is unchanged",
            next_step="free space or permissions on that folder, then run it again",
        ) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()


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
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"{what} is in use by another run",
                why=[("holder", _holder(path))],
                next_step="wait for it to end, or end it",
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "command": _own_command()}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _own_command() -> str:
    words = Path("/proc/self/cmdline")
    if not words.exists():
        return "hullwright"
    # Only the task's words: an interpreter's path says nothing, and values are never in argv.
    return " ".join(words.read_text(encoding="utf-8", errors="replace").split("\0")[1:4]).strip()


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "unknown (it is just starting)"
    return f"process {held.get('pid')}: {held.get('command')}"
