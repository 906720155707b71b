"""A runner that plays back what a program said, so that unit tests start nothing."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.run import CommandError, Result, Runner
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullwright.secret import Secret


@dataclass(frozen=True)
class Call:
    """One command as the runner was asked for it."""

    argv: tuple[str, ...]
    cwd: Path | None
    env: Mapping[str, str | Secret] | None
    stdin: str | None


@dataclass
class Replay(Runner):
    """Answers every command with one recording, and keeps what was asked.

    Attributes:
        lines: what a streamed command says.
        metadata: content of the file that `--metadata-file` names; empty writes none.
        results: what `read` and `run` answer, by the first words of the command.
    """

    lines: tuple[str, ...] = ()
    code: int = 0
    metadata: str = ""
    results: Mapping[tuple[str, ...], Result] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def stream(
        self,
        *argv: str,
        on_line: Callable[[str], None],
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        check: bool = True,
    ) -> Result:
        self.calls.append(Call(argv, cwd, env, stdin))
        for line in self.lines:
            on_line(line)
        if self.metadata:
            path = Path(argv[argv.index("--metadata-file") + 1])
            path.write_text(self.metadata, encoding="utf-8")
        return Result(argv, self.code, "\n".join(self.lines), "", 1.25)

    def read(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        timeout_s: float | None = 60.0,
        check: bool = True,
    ) -> Result:
        return self._answered(argv, cwd, env, stdin, check=check)

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> Result:
        return self._answered(argv, cwd, env, stdin, check=check)

    def _answered(
        self,
        argv: tuple[str, ...],
        cwd: Path | None,
        env: Mapping[str, str | Secret] | None,
        stdin: str | None,
        *,
        check: bool,
    ) -> Result:
        self.calls.append(Call(argv, cwd, env, stdin))
        for words, result in self.results.items():
            if argv[: len(words)] == words:
                if check and not result.ok:
                    raise CommandError(result)
                return result
        raise AssertionError(f"nobody said what this answers: {argv}")


def workspace(
    root: Path, config: Config | None = None, runner: Runner | None = None, **environ: str
) -> Workspace:
    """Return a workspace whose console prints into buffers and whose cache is below `root`."""
    known = {"XDG_CACHE_HOME": str(root / "cache"), **environ}
    console = Console(known, out=io.StringIO(), err=io.StringIO())
    return Workspace(root, config or Config("shop"), runner or Replay(known), console, known)
