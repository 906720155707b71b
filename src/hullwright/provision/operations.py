"""What a plan is made of: actions, operations and blockers, with one stable text form.

The text is what setup prints without `--install` and what golden tests assert. Actions are data;
`execute` is the only module that carries them out.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Command:
    """A program and its words, with additions to its environment and a folder to run in."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: Path | None = None

    def lines(self) -> list[str]:
        """Return the command so that it can be pasted into a shell."""
        words = [f"{name}={shlex.quote(value)}" for name, value in self.env]
        place = f"cd {shlex.quote(str(self.cwd))} && " if self.cwd else ""
        return [f"$ {place}{' '.join([*words, shlex.join(self.argv)])}"]


@dataclass(frozen=True)
class WriteFile:
    """A file that is written whole; its folder is made where it is missing."""

    path: Path
    content: str
    mode: int = 0o644

    def lines(self) -> list[str]:
        """Return the file's path, then its content, indented."""
        return [f"write {self.path}", *(f"  | {line}" for line in self.content.splitlines())]


@dataclass(frozen=True)
class RemoveFile:
    """A file that is removed if it is there."""

    path: Path

    def lines(self) -> list[str]:
        """Return the file's path."""
        return [f"remove {self.path}"]


@dataclass(frozen=True)
class Download:
    """A program that is fetched, and kept only if its SHA-256 is the pinned one."""

    url: str
    sha256: str
    path: Path

    def lines(self) -> list[str]:
        """Return address, checksum and path."""
        return [f"download {self.url}", f"  | sha256 {self.sha256}", f"  | to {self.path}"]


@dataclass(frozen=True)
class WaitForEngine:
    """Waits until the engine answers.

    Attributes:
        log: the engine's log file, shown if it does not; empty where a service manager has it.
        pid_file: names its process, so that its end is noticed; empty likewise.
    """

    log: str = ""
    pid_file: str = ""
    timeout_s: float = 60.0

    def lines(self) -> list[str]:
        """Return what is waited for."""
        return [f"wait until docker version answers, at most {self.timeout_s:.0f} s"]


@dataclass(frozen=True)
class WaitForRegistry:
    """Waits until a registry on loopback answers.

    Attributes:
        address: its `host:port`.
        log: its log file, shown if it does not.
        pid_file: names its process, so that its end is noticed.
    """

    address: str
    log: str
    pid_file: str
    timeout_s: float = 20.0

    def lines(self) -> list[str]:
        """Return what is waited for."""
        return [f"wait until http://{self.address}/v2/ answers, at most {self.timeout_s:.0f} s"]


Action = Command | WriteFile | RemoveFile | Download | WaitForEngine | WaitForRegistry


@dataclass(frozen=True)
class Operation:
    """One change to the machine.

    Attributes:
        resource: what is changed.
        cause: why.
        actions: what is done, in this order.
        cleanup: what is done afterwards even if an action failed.
        optional: whether setup is complete without it; its failure is a warning.
    """

    resource: str
    cause: str
    actions: tuple[Action, ...]
    cleanup: tuple[Action, ...] = ()
    optional: bool = False

    def lines(self) -> list[str]:
        """Return resource and cause, then the indented lines of each action."""
        kind = " (optional)" if self.optional else ""
        told = [f"{self.resource}{kind} — {self.cause}"]
        told += [f"     {line}" for action in self.actions for line in action.lines()]
        told += [f"     finally {line}" for action in self.cleanup for line in action.lines()]
        return told


@dataclass(frozen=True)
class Blocker:
    """Something that setup needs and may not or cannot change itself."""

    resource: str
    what: str
    why: str
    next_step: str


@dataclass(frozen=True)
class Plan:
    """What setup would do on one machine.

    Attributes:
        machine: the system in words.
        operations: in the order in which they are done.
        blockers: with any of these, nothing is done at all.
        warnings: what works less well here, and why.
    """

    machine: str
    operations: tuple[Operation, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[Operation, ...]:
        """The operations without which setup is not complete."""
        return tuple(operation for operation in self.operations if not operation.optional)

    def text(self) -> str:
        """Return the stable text form: everything that would be done, and what prevents it."""
        count = len(self.operations)
        word = "operation" if count == 1 else "operations"
        told = [f"{self.machine}: {count or 'no'} {word}"]
        for number, operation in enumerate(self.operations, start=1):
            first, *rest = operation.lines()
            told += ["", f"{number:>2}. {first}", *rest]
        for blocker in self.blockers:
            told += ["", f"✗ {blocker.what}", f"     why   {blocker.why}"]
            told += [f"     next  {blocker.next_step}"]
        if self.warnings:
            told += ["", *(f"! {warning}" for warning in self.warnings)]
        return "\n".join(told)
