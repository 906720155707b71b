"""What tests need where several workers share the suite."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# They build the image of this repository: beside each other, BuildKit tells each build of the
# steps that it runs for another one as its own, and what is counted as cached differs.
_ROOT_IMAGE: Final = (
    "tests/e2e/test_main_job.py",
    "tests/e2e/test_quickstart.py",
    "tests/e2e/test_two_services.py",
    "tests/integration/containers/",
)


class Files(LoadFileScheduling):  # type: ignore[misc]  # … so its classes have none
    """Gives each worker a file at a time, and those that must not meet to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        """Return what a test is handed out with."""
        return "the root image" if nodeid.startswith(_ROOT_IMAGE) else nodeid.split("::", 1)[0]


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
