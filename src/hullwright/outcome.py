"""What became of a command: its result, and the error of one that failed."""

from __future__ import annotations

import shlex
import signal
from dataclasses import dataclass
from typing import Final

from hullwright.errors import HullwrightError

_REPLAYED_LINES: Final = 25


@dataclass(frozen=True, slots=True)
class Result:
    """What a command gave: its exit code, its captured output, and how long it took.

    Attributes:
        argv: the words of the command; never holds a secret.
        returncode: the exit code; negative for a signal, as subprocess has it.
        stdout: captured text; of a streamed command both streams in order.
        stderr: captured text; empty for a streamed command.
        duration_s: seconds from start to exit.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str = ""
    stderr: str = ""
    duration_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the command ended with 0."""
        return self.returncode == 0

    def tail(self, count: int = _REPLAYED_LINES) -> list[str]:
        """Return the last `count` lines of the command's output, standard error last."""
        return [*self.stdout.splitlines(), *self.stderr.splitlines()][-count:]


class CommandError(HullwrightError):
    """A command ended with another exit code than 0; its last lines are in the message."""

    def __init__(self, result: Result) -> None:
        code = result.returncode
        ended = f"ended with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
        shown = "\n".join(result.tail()) or "(it printed nothing)"
        super().__init__(
            f"{result.argv[0]} {ended}",
            why=[("command", shlex.join(result.argv)), ("output", shown)],
        )
        self.result = result
