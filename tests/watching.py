"""Watching for plaintext: every file that is made somewhere, and every argument list."""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

# https://man7.org/linux/man-pages/man7/inotify.7.html
_CREATE: Final = 0x100
_CLOSE_WRITE: Final = 0x8
_MOVED_TO: Final = 0x80
_MODIFY: Final = 0x2
_OVERFLOW: Final = 0x4000
_EVENT: Final = struct.Struct("iIII")
# Each program that is started first notes what all processes of the machine are called with.
_SHIM: Final = """#!/bin/sh
cat /proc/[0-9]*/cmdline >> '{log}' 2>/dev/null
exec '{program}' "$@"
"""


@dataclass
class Watch:
    """Reads whatever is written below some folders, from inotify's events, until it is left.

    Attributes:
        folders: watched with all that is below them, what is made later too.
        seen: paths of which something was told.
        content: by path, what stood in the file whenever it was told of.
    """

    folders: Iterable[Path]
    seen: set[str] = field(default_factory=set)
    content: dict[str, bytes] = field(default_factory=dict)
    overflown: bool = False
    _held: dict[str, int] = field(default_factory=dict)
    _paths: dict[int, Path] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = self._libc.inotify_init()
        assert self._inotify >= 0, os.strerror(ctypes.get_errno())
        self._stop, self._stopped = os.pipe()
        for folder in self.folders:
            self._add(folder)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._stopped)
        self._thread.join()
        for path, descriptor in self._held.items():
            self._take(path, descriptor)
            os.close(descriptor)
        os.close(self._inotify)
        os.close(self._stop)

    def holding(self, value: bytes) -> list[str]:
        """Return the files in which a value stood."""
        return sorted(path for path, content in self.content.items() if value in content)

    def _add(self, folder: Path) -> None:
        mask = _CREATE | _CLOSE_WRITE | _MOVED_TO | _MODIFY
        number = self._libc.inotify_add_watch(self._inotify, os.fsencode(folder), mask)
        if number < 0:
            return
        self._paths[number] = folder
        # What was made in it before it was watched.
        with suppress(OSError):
            for path in sorted(folder.iterdir()):
                self._told(path)

    def _told(self, path: Path) -> None:
        self.seen.add(str(path))
        if path.is_dir() and not path.is_symlink():
            self._add(path)
            return
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            # Held, so that what is written next is read even where its name is gone by then.
            name = f"{path}#{os.fstat(descriptor).st_ino}"
            if name in self._held:
                os.close(descriptor)
            else:
                self._held[name] = descriptor
            self._take(name, self._held[name])

    def _take(self, name: str, descriptor: int) -> None:
        with suppress(OSError):
            size = os.fstat(descriptor).st_size
            self.content[name] = self.content.get(name, b"") + os.pread(descriptor, size, 0)

    def _read(self) -> None:
        import select

        poll = select.poll()
        poll.register(self._inotify, select.POLLIN)
        poll.register(self._stop, select.POLLHUP)
        while True:
            ready = dict(poll.poll())
            if self._inotify in ready:
                self._events(os.read(self._inotify, 65536))
            elif ready:
                return

    def _events(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            number, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            self.overflown = self.overflown or bool(mask & _OVERFLOW)
            if number in self._paths and name:
                self._told(self._paths[number] / os.fsdecode(name))


def shims(folder: Path, *programs: str, path: str) -> Path:
    """Put programs into a folder that note every process's words first; return those notes."""
    folder.mkdir()
    log = folder / "words"
    log.touch()
    for program in programs:
        real = shutil.which(program, path=path)
        assert real, f"{program} is missing"
        (folder / program).write_text(_SHIM.format(log=log, program=real), encoding="utf-8")
        (folder / program).chmod(0o755)
    return log
