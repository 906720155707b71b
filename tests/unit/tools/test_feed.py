"""Bytes between two threads: whoever stops first, the other is never stuck."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from hullwright.tools.feed import Feed
from hullwright.tools.tarstream import ArchiveError

# More than stand between the two.
MANY: Final = 200
_DEADLINE_S: Final = 30


def drained(feed: Feed) -> bytes:
    pieces = []
    while piece := feed.read(1000):
        pieces.append(piece)
    assert feed.read(1000) == b""
    return b"".join(pieces)


def test_what_is_put_is_read_in_its_order() -> None:
    with ThreadPoolExecutor(1) as pool:
        with Feed() as feed:
            found = pool.submit(feed.consumed, drained)
            for number in range(MANY):
                feed.put(bytes([number]) * 3000)
        assert found.result(_DEADLINE_S) == b"".join(bytes([n]) * 3000 for n in range(MANY))


def test_a_reader_that_stops_early_does_not_hold_the_writer() -> None:
    with ThreadPoolExecutor(1) as pool, Feed() as feed:
        found = pool.submit(feed.consumed, lambda rest: rest.read(10))
        for _ in range(MANY):
            feed.put(b"x" * 100)
        assert found.result(_DEADLINE_S) == b"x" * 10
        assert feed.dropped


def test_a_reader_that_fails_does_not_hold_the_writer() -> None:
    def fail(_: Feed) -> None:
        raise ValueError("as it likes")

    with ThreadPoolExecutor(1) as pool, Feed() as feed:
        found = pool.submit(feed.consumed, fail)
        for _ in range(MANY):
            feed.put(b"x" * 100)
        with pytest.raises(ValueError, match="as it likes"):
            found.result(_DEADLINE_S)


def test_a_writer_that_fails_is_told_to_the_reader() -> None:
    with ThreadPoolExecutor(1) as pool:
        feed = Feed()
        found = pool.submit(feed.consumed, drained)
        feed.put(b"x")
        feed.__exit__(OSError, OSError("gone"), None)
        with pytest.raises(ArchiveError, match="cut off"):
            found.result(_DEADLINE_S)
