"""Work that goes on beside a block, again and again, in a thread of its own."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def repeated(pause_s: float, work: Callable[[], float]) -> Iterator[None]:
    """Do some work again and again while the block runs; none of it goes on afterwards.

    Args:
        pause_s: seconds before the first time.
        work: is done; returns the seconds to wait before the next time.
    """
    over = threading.Event()

    def repeat() -> None:
        every_s = pause_s
        while not over.wait(every_s):
            every_s = work()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
