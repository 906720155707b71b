"""Carries out a plan: each action as it stands there, with everything logged. Decides nothing."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError, UnavailableError
from hullwright.files import make_folder, write_atomic
from hullwright.provision.observe_registry import is_registry
from hullwright.provision.operations import (
    Action,
    Command,
    Download,
    Operation,
    Plan,
    RemoveFile,
    WaitForEngine,
    WaitForRegistry,
    WriteFile,
)

if TYPE_CHECKING:
    from hullwright.console import Console
    from hullwright.run import Runner

_POLL_S: Final = 0.1
# By then an engine has written its process number.
_STARTING_S: Final = 5.0
_LOG_LINES: Final = 10


@dataclass
class Executor:
    """Carries out operations, each as one timed step.

    Attributes:
        runner: starts programs.
        console: tells of the steps.
        log: gets every action and every line that a program printed.
    """

    runner: Runner
    console: Console
    log: Path

    def execute(self, plan: Plan) -> None:
        """Carry out all operations; an optional one that fails is a warning.

        Raises:
            UnavailableError: a required operation failed; later ones were not begun.
        """
        make_folder(self.log.parent)
        for operation in plan.operations:
            try:
                with self.console.step(operation.resource):
                    self._operation(operation)
            except HullwrightError as error:
                self._write(f"failed: {error}")
                if not operation.optional:
                    raise self._failure(operation, error) from error
                self.console.warn(f"{operation.resource} is not possible here: {_reason(error)}")

    def _operation(self, operation: Operation) -> None:
        self._write(f"{operation.resource} — {operation.cause}")
        try:
            for action in operation.actions:
                self._action(action)
        finally:
            for action in operation.cleanup:
                self._action(action)

    def _action(self, action: Action) -> None:
        self._write(action.lines()[0])
        match action:
            case Command():
                self._command(action)
            case WriteFile():
                _folder(action.path.parent)
                write_atomic(action.path, action.content, mode=action.mode)
            case RemoveFile():
                action.path.unlink(missing_ok=True)
            case Download():
                download(action)
            case WaitForEngine():
                self._wait(action)
            case WaitForRegistry():
                wait_for_registry(action)

    def _command(self, command: Command) -> None:
        if command.cwd is not None:
            _folder(command.cwd)

        def told(line: str) -> None:
            self._write(f"  {line}")
            self.console.status(f"… {line}")

        self.runner.stream(*command.argv, on_line=told, cwd=command.cwd, env=dict(command.env))

    def _wait(self, wait: WaitForEngine) -> None:
        started = time.monotonic()
        while True:
            # The client starts in 14 ms, and an engine sends no event before it listens.
            if self.runner.read("docker", "version", check=False).ok:
                return
            waited = time.monotonic() - started
            if waited > wait.timeout_s or (waited > _STARTING_S and _ended(wait.pid_file)):
                break
            time.sleep(_POLL_S)
        raise UnavailableError(
            f"the Docker engine did not answer within {waited:.0f} s",
            why=_tail(wait.log) if wait.log else "journalctl --unit docker says more",
        )

    def _failure(self, operation: Operation, error: HullwrightError) -> UnavailableError:
        rows = [("why", error.why)] if isinstance(error.why, str) else list(error.why)
        rows.insert(0, ("cause", error.what))
        rows.append(("log", str(self.log)))
        return UnavailableError(
            f"setup could not complete: {operation.resource}",
            why=[(name, fact) for name, fact in rows if fact],
            next_step=error.next_step or "remove the cause, then run it again: it goes on there",
        )

    def _write(self, line: str) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n")


def download(wanted: Download) -> None:
    """Fetch a program; it gets its name only once its checksum is the pinned one.

    Raises:
        UnavailableError: it cannot be fetched, or is not the file that was pinned.
    """
    try:
        # The address is a constant of ours, so its scheme is known.
        with urllib.request.urlopen(wanted.url, timeout=60) as answer:  # noqa: S310  a pinned https address
            content = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise UnavailableError(
            f"{wanted.path.name} could not be downloaded",
            why=f"{wanted.url}: {getattr(error, 'reason', error)}",
            next_step=f"install {wanted.path.name}, or Go to build it, and run it again",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.sha256:
        raise UnavailableError(
            f"{wanted.path.name} is not the file that was pinned, and was not kept",
            why=[("from", wanted.url), ("sha256", found), ("pinned", wanted.sha256)],
            next_step="find out who changed it before anything is installed from there",
        )
    _folder(wanted.path.parent)
    write_atomic(wanted.path, content, mode=0o755)


def wait_for_registry(wait: WaitForRegistry) -> None:
    """Return once the registry answers.

    Raises:
        UnavailableError: it ended, or did not answer in time; with what it logged last.
    """
    port = int(wait.address.rpartition(":")[2])
    started = time.monotonic()
    while not is_registry(port):
        waited = time.monotonic() - started
        if waited > wait.timeout_s or (waited > _STARTING_S and _ended(wait.pid_file)):
            raise UnavailableError(
                f"the registry on {wait.address} did not answer within {waited:.0f} s",
                why=_tail(wait.log),
            )
        time.sleep(_POLL_S)


def _folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{path} could not be made", why=f"{error.strerror}") from error


def _ended(pid_file: str) -> bool:
    """Return whether a process that names itself in a file is not there."""
    if not pid_file:
        return False
    try:
        return not Path("/proc", Path(pid_file).read_text(encoding="utf-8").strip()).exists()
    except OSError:
        return True


def _tail(log: str) -> str:
    with suppress(OSError):
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])
    return ""


def _reason(error: HullwrightError) -> str:
    result = getattr(error, "result", None)
    lines = result.tail(1) if result is not None else []
    return lines[0] if lines else error.what
