"""How tests are spread over worker processes: what shares something stays together."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Folders whose tests take milliseconds: to hand out each alone would take longer than to run it.
_QUICK: Final = ("tests/unit/", "tests/golden/")
# Fixtures for more than one test that cost each worker next to nothing.
_CHEAP: Final = frozenset({"busybox", "engine", "postgres_image", "python_image"})
# What xdist puts between the id of a test and its group.
_SIGN: Final = "@"


def group(items: Iterable[pytest.Item]) -> None:
    """Let tests of one file run in one worker, where they are quick or share a dear fixture.

    All others are handed out one by one, so that no worker waits for the last long file. A test
    that has a group of its own (`pytest.mark.xdist_group`) keeps it.
    """
    for item in items:
        file = item.nodeid.partition("::")[0]
        kept = item.get_closest_marker("xdist_group")
        if kept is None and (file.startswith(_QUICK) or _shares(item)):
            item.add_marker(pytest.mark.xdist_group(file))


def ungrouped(nodeid: str) -> str:
    """Return the id of a test as it can be pasted, without the group that xdist added."""
    name, sign, _ = nodeid.rpartition(_SIGN)
    # The name of a case may have the sign too, in its brackets.
    return name if sign and nodeid.rfind("]") < len(name) else nodeid


class Naming:
    """Calls each test by the name under which it can be run alone, and each failure at once."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the group away from what a worker reports."""
        report.nodeid = ungrouped(report.nodeid)
        if report.failed:
            # Dots of several workers do not tell which test it was; what it said comes at the end.
            self._terminal.ensure_newline()
            self._terminal.write_line(f"FAILED {report.nodeid} ({report.when})")


@contextmanager
def one_at_a_time(shared: Path) -> Iterator[None]:
    """Hold that one worker at a time does this; what `shared` names need not be there.

    The kernel releases the lock however a worker ends.
    """
    shared.parent.mkdir(parents=True, exist_ok=True)
    with shared.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _shares(item: pytest.Item) -> bool:
    """Return whether a fixture of the test is made once for several, and is dear."""
    if not isinstance(item, pytest.Function):
        return True
    return any(
        definitions[-1].scope != "function" and definitions[-1].baseid
        for name, definitions in item._fixtureinfo.name2fixturedefs.items()
        if name not in _CHEAP
    )
