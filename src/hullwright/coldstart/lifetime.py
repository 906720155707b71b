"""How long a throwaway project lives: a name that one run holds, and nothing left at its end."""

from __future__ import annotations

import re
import secrets
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.coldstart import teardown
from hullwright.errors import UsageError
from hullwright.files import lock
from hullwright.run import machine_state_dir
from hullwright.tools import engine, secretfolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.stack import Selection
    from hullwright.workspace import Workspace

# The end of a name that was made up for one run.
_MADE_UP: Final = re.compile(r"-cold-[0-9a-f]{8}$")


def throwaway_name(project: str) -> str:
    """Return a new name for a throwaway project: `PROJECT-cold-` and eight hex digits."""
    base = re.sub(r"[^a-z0-9_-]+", "-", project.lower()).strip("-_") or "stack"
    return f"{base}-cold-{secrets.token_hex(4)}"


@contextmanager
def reserved(ws: Workspace, project: str | None) -> Iterator[str]:
    """Yield the name of a project that is this run's alone, with nothing of an earlier one in it.

    Args:
        ws: the repository.
        project: the name; None makes one up.

    Raises:
        UsageError: it is no name, or belongs to something that is no throwaway.
        LockedError: another run uses it; it is named.
    """
    given = project is not None
    name = _checked(project) if project is not None else throwaway_name(ws.config.project)
    with _held(ws, name, given=given):
        _clear(ws, name, given=given)
        _forget_crashed(ws)
        yield name


def remove(ws: Workspace, started: Selection) -> None:
    """Remove the project and all that stands on this machine for it.

    A person who interrupts once more does not stop it half-way.
    """
    with uninterrupted(), ws.console.step(f"remove {started.call.project}"):
        teardown.remove(ws.runner, started.call.project)
        secretfolder.remove(ws.environ, started.call.project)
        for path in started.call.overrides:
            Path(path).unlink(missing_ok=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a request to end (SIGTERM, as CI sends it) be an interrupt, so that all is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put interrupts off until the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    blocked = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _checked(project: str) -> str:
    # https://docs.docker.com/compose/how-tos/project-name/
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]*", project) is None:
        raise UsageError(
            f'"{project}" is no name for a project',
            why="expected lower-case letters, digits, - and _, a letter or a digit first",
        )
    return project


@contextmanager
def _held(ws: Workspace, project: str, *, given: bool) -> Iterator[None]:
    # The engine is the whole machine's, so the lock is too.
    path = machine_state_dir(ws.environ) / "locks" / f"{project}.lock"
    with lock(path, f"the throwaway project {project}"):
        try:
            yield
        finally:
            if not given:
                # Nobody else waits for a name that was made up for this run.
                path.unlink(missing_ok=True)


def _clear(ws: Workspace, project: str, *, given: bool) -> None:
    """Remove what an earlier run of this name left; refuse a name that is somebody's.

    A name that was made up for this run has no earlier run: what carries it was kept by a person.
    """
    if not given:
        there = teardown.remains(ws.runner, project)
        if there:
            raise UsageError(
                f"{project} was made up for this run, and a throwaway of that name was kept",
                why=[("it has", there.text())],
                next_step="run it again: the next name is another one",
            )
        return
    others = teardown.strangers(ws.runner, project)
    if others:
        raise UsageError(
            f"{project} is a project that this suite did not make",
            why=[("it has", others.text())],
            next_step="take another name, or none",
        )
    teardown.remove(ws.runner, project)


def _forget_crashed(ws: Workspace) -> None:
    """Remove secrets in memory that a throwaway of a run left which was killed."""
    for project in secretfolder.projects(ws.environ):
        made_up = _MADE_UP.search(project)
        if made_up and not engine.of_project(ws.runner, project):
            secretfolder.forget(ws.environ, project)
