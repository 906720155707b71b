"""What holds for every test."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

import imaging
import spreading

# Whoever starts the suite in the background may have Ctrl-C ignored, and ignoring is inherited: the
# programs that the tests interrupt would never notice.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline, and none for making examples: these machines are noisy. CI takes the same examples
# each time, so that a change is judged by what it changed; new ones are searched for wherever
# people work.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("person", _PATIENT)
settings.register_profile("ci", _PATIENT, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "person")


EXAMPLES: Final = Path(__file__).parent / "integration/examples"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the examples out where nobody names them: they are five systems, and take minutes."""
    if collection_path != EXAMPLES:
        return None
    here = config.invocation_params.dir
    named = [(here / words.split("::", 1)[0]).resolve() for words in config.args]
    return None if any(path.is_relative_to(EXAMPLES) for path in named) else True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> spreading.Files:
    """Hand out tests by files, whatever way of workers was asked for."""
    return spreading.Files(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have failed tests named at once where workers run them."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and getattr(session.config.option, "numprocesses", None):
        session.config.pluginmanager.register(spreading.Naming(terminal))


def pytest_sessionfinish() -> None:
    """Remove the images that the tests of this process left without a name."""
    imaging.sweep()
