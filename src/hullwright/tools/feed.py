"""Bytes from the thread that has them to a thread that reads them, with a bound between the two."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, Self, TypeVar

from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

R = TypeVar("R")

# Pieces in flight: with pieces of 256 KiB these are 8 MiB for each feed.
_PIECES: Final = 32
_PATIENCE_S: Final = 0.1


class Feed:
    """What one thread puts, another reads; whoever stops first, the other is never stuck."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_PIECES)
        self._done = threading.Event()
        self._cut_off = False
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._cut_off = kind is not None
        self._put(None)

    def put(self, piece: bytes) -> None:
        """Hand a piece over; it is dropped where nobody reads any more."""
        self._put(piece)

    @property
    def dropped(self) -> bool:
        """Whether nobody reads any more."""
        return self._done.is_set()

    def consumed(self, read: Callable[[Feed], R]) -> R:
        """Return what a function makes of the content, in the reader's thread."""
        try:
            return read(self)
        finally:
            self._done.set()

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end.

        Raises:
            ArchiveError: whoever put the pieces could not go on.
        """
        if not self._rest:
            piece = self._pieces.get()
            if piece is None:
                # For whoever asks again after the end.
                self._pieces.put(None)
                if self._cut_off:
                    raise ArchiveError("the archive is cut off", why="it ends within a layer")
                return b""
            self._rest = piece
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def _put(self, piece: bytes | None) -> None:
        while not self._done.is_set():
            try:
                self._pieces.put(piece, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return
