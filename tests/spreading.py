"""What tests need where several workers share the suite."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Naming:
    """Names each failed test at once: dots of several workers do not tell which one it was."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the name of a test that failed; what it said comes at the end."""
        if report.failed:
            self._terminal.ensure_newline()
            self._terminal.write_line(f"FAILED {report.nodeid} ({report.when})")


@contextmanager
def one_at_a_time(shared: Path) -> Iterator[None]:
    """Hold that one worker at a time does this; the file `shared` is made for it, and stays.

    The kernel releases the lock however a worker ends.
    """
    shared.parent.mkdir(parents=True, exist_ok=True)
    with shared.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
