# /// script
# dependencies = ["nox", "hullwright"]
# ///
"""Sessions of this repository: the suite's own, and the quality gates of this project."""

import os
import sys
from pathlib import Path

import nox

from hullwright.run import Runner
from hullwright.sessions import register

register()
nox.options.sessions = [*(nox.options.sessions or ()), "lint", "types", "tests"]

BIN = Path(sys.executable).parent
# All of them share one engine, which builds and removes images no faster for more of them.
MOST_WORKERS = 6
EXAMPLES = "tests/integration/examples"
# They compile and start whole stacks: more of them only take each other's processors.
EXAMPLES_AT_ONCE = 2
PYTHON = ("src", "tests", "bench", "deploy", "examples", "tasks.py", "noxfile.py")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check style: Python, shell scripts, Dockerfiles, and the CI files."""
    session.run(sys.executable, "-m", "ruff", "check", *PYTHON, external=True)
    session.run(sys.executable, "-m", "ruff", "format", "--check", *PYTHON, external=True)
    tracked = session.run("git", "ls-files", silent=True, external=True, log=False)
    files = [Path(name) for name in str(tracked).splitlines() if Path(name).is_file()]
    # A file that others source has no interpreter line of its own.
    shell = [
        str(f)
        for f in files
        if f.suffix == ".sh" or _first_line(f).startswith(("#!/bin/sh", "#!/usr/bin/env bash"))
    ]
    # Those of the tests are there to be read, with all that a Dockerfile may hold.
    docker = [
        str(f) for f in files if f.name.lower().endswith("dockerfile") and f.parts[0] != "tests"
    ]
    session.run(str(BIN / "shellcheck"), *shell, external=True)
    session.run(str(BIN / "hadolint"), *docker, external=True)
    # Setup builds it into the cache folder, which need not be on PATH.
    session.run(Runner(os.environ).resolve("actionlint"), external=True)


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Check types, strictly, of the package and its tests."""
    session.run(sys.executable, "-m", "mypy", *session.posargs, external=True)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the test suite, or what is named: unit, golden, integration and end to end.

    Several workers share it, one more than there are processors: tests wait for the engine too.
    Each gets a file at a time, for fixtures are shared in one. The order is that of the folders:
    quick files come last, so that no worker is left alone with a slow one.
    """
    workers = min(len(os.sched_getaffinity(0)) + 1, MOST_WORKERS)
    spread = (f"--numprocesses={workers}", "--no-loadscope-reorder")
    session.run(
        sys.executable, "-m", "pytest", *spread, "--durations=20", *session.posargs, external=True
    )


@nox.session(venv_backend="none")
def examples(session: nox.Session) -> None:
    """Run the examples: five small systems are built, started cold and asked, each by its tasks.

    They are no part of `tests`, for they compile Go and Rust. One worker has an example to itself.
    """
    named = session.posargs or [EXAMPLES]
    session.run(
        *(sys.executable, "-m", "pytest", f"--numprocesses={EXAMPLES_AT_ONCE}"),
        *("--no-loadscope-reorder", "--durations=20", *named),
        external=True,
    )


@nox.session(venv_backend="none")
def examples_figures(session: nox.Session) -> None:
    """Measure the examples, and write the table of docs/examples.md: minutes of an idle machine."""
    session.run(sys.executable, "bench/examples.py", *session.posargs, external=True)


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return file.readline(80).decode("utf-8", "replace").strip()
