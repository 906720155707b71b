"""What holds for every test."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

import imaging
import spreading

# Whoever starts the suite in the background may have Ctrl-C ignored, and ignoring is inherited: the
# programs that the tests interrupt would never notice.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline, for these machines are noisy. CI takes the same examples each time, so that a change
# is judged by what it changed; new ones are searched for wherever people work.
settings.register_profile("person", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "person")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests stay together, where workers share the suite."""
    # Only workers have the option; they are the ones that collect.
    if getattr(config.option, "loadgroup", False):
        spreading.group(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Call each test by the name under which it can be run alone."""
    # A worker's own reports are held against the names that it collected.
    if hasattr(report, "node"):
        report.nodeid = spreading.ungrouped(report.nodeid)


def pytest_sessionfinish() -> None:
    """Remove the images that the tests of this process left without a name."""
    imaging.sweep()
