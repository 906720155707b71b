"""The same for many things at once: what waits for a registry waits for all of them together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

T = TypeVar("T")
U = TypeVar("U")

# Requests in flight: enough to hide the way to a registry, few enough not to be throttled.
WORKERS: Final = 8


def together(
    function: Callable[[T], U],
    things: Sequence[T],
    *,
    workers: int = WORKERS,
    stop: threading.Event | None = None,
) -> list[U]:
    """Return what a function gives for each thing, in their order; all are tried.

    After Ctrl-C nothing else begins, and what is under way is waited for.

    Args:
        function: called in a thread of its own for each thing, where there are several.
        things: what it gets.
        workers: calls at once.
        stop: set at Ctrl-C, so that calls which try again and again can end.

    Raises:
        Exception: the first one, in the order of the things, that a call raised.
    """
    if len(things) < 2:
        return [function(thing) for thing in things]
    with ThreadPoolExecutor(min(workers, len(things))) as pool:
        futures = [pool.submit(function, thing) for thing in things]
        try:
            wait(futures)
        except BaseException:
            if stop is not None:
                stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]
