"""The one runner of processes.

A command is an argument list, never a shell string; what it printed is captured, and shown when it
fails. `read` is for looking at the world; `run`, `stream`, `attach` and `become` are for changing
it, which is why a dry run is another runner (`DryRunner`) that only tells of those.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from hullwright.becoming import become
from hullwright.outcome import CommandError, Result
from hullwright.pasting import pasted
from hullwright.places import cache_dir, machine_state_dir
from hullwright.secret import Secret, redact
from hullwright.unstarted import missing, silent, unstarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["CommandError", "DryRunner", "Result", "Runner", "cache_dir", "machine_state_dir"]

# How long an interrupted or overdue child may take for its own clean-up before it is killed.
_GRACE_S: Final = 10.0


@dataclass
class Runner:
    """Runs programs; the only code of the package that starts a process.

    Attributes:
        environ: the environment that children get; additions come with each call.
        echo: gets each command as it can be pasted into a shell, secrets masked.
        secrets: values that captured and replayed output never shows; features add to it.
    """

    environ: Mapping[str, str]
    echo: Callable[[str], None] | None = None
    secrets: set[Secret] = field(default_factory=set)
    # What `stream` runs now, and whether Ctrl-C was passed on to it.
    _streams: dict[subprocess.Popen[str], bool] = field(default_factory=dict, repr=False)

    def read(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        timeout_s: float | None = 60.0,
        check: bool = True,
    ) -> Result:
        """Return the result of a command that only looks at the world.

        Raises:
            UnavailableError: the program is missing, or did not answer in `timeout_s` seconds.
            CommandError: `check` is set and the command did not end with 0.
        """
        return self._captured(argv, cwd, env, stdin, timeout_s, check=check)

    def read_bytes(
        self, *argv: str, env: Mapping[str, str | Secret] | None = None, timeout_s: float = 60.0
    ) -> tuple[Result, bytes]:
        """Return the result of a command that only looks, and its exact output."""
        self._tell(argv, env, None)
        program, environ = self.resolve(argv[0]), self._environment(env)
        words = (program, *argv[1:])
        quiet = subprocess.DEVNULL
        try:
            done = subprocess.run(
                words, env=environ, stdin=quiet, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise silent(argv, timeout_s) from None
        except (OSError, ValueError) as error:
            raise unstarted(argv, program, None, environ, error) from error
        said = done.stderr.decode("utf-8", errors="replace")
        return Result(argv, done.returncode, "", said), done.stdout

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> Result:
        """Return the result of a command that changes the world; otherwise as `read`."""
        return self._captured(argv, cwd, env, stdin, timeout_s, check=check)

    def stream(
        self,
        *argv: str,
        on_line: Callable[[str], None],
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        check: bool = True,
    ) -> Result:
        """Run a command that changes the world, handing over each line of both its streams.

        Lines are redacted before `on_line` gets them. `stdin` must be short enough for a pipe's
        buffer (64 KiB), because it is written before the output is read.
        """
        started = time.monotonic()
        lines: list[str] = []
        with self._process(argv, cwd, env, stdin=stdin, merge=True) as process:
            self._streams[process] = False
            if stdin is not None and process.stdin:
                # A child that fails at once does not read; what it says comes below.
                with suppress(BrokenPipeError):
                    process.stdin.write(stdin)
                with suppress(BrokenPipeError):
                    process.stdin.close()
            for raw in process.stdout or ():
                line = self.redacted(raw.rstrip("\r\n"))
                lines.append(line)
                on_line(line)
            code = process.wait()
            del self._streams[process]
        result = Result(argv, code, "\n".join(lines), "", time.monotonic() - started)
        if check and code != 0:
            raise CommandError(result)
        return result

    def interrupt(self, *, kill: bool = False) -> None:
        """Pass Ctrl-C on to everything that `stream` runs in other threads, to each once.

        Children in our process group may have got it already; a second one does no harm to those
        that clean up.
        """
        for process, told in list(self._streams.items()):
            if kill:
                process.kill()
            elif not told and process in self._streams:
                self._streams[process] = True
                process.send_signal(signal.SIGINT)

    def attach(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
    ) -> int:
        """Return the exit code of a command that has the terminal to itself."""
        self._tell(argv, env, cwd)
        with self._started(argv, cwd, env) as process:
            return _wait(process, None)

    def become(self, *argv: str, env: Mapping[str, str | Secret] | None = None) -> int:
        """Turn this process into a command, its signals and exit code; only a dry run returns."""
        self._tell(argv, env, None)
        program, environment = self.resolve(argv[0]), self._environment(env)
        try:
            become(program, argv, environment)
        except (OSError, ValueError) as error:
            raise unstarted(argv, program, None, environment, error) from error

    @contextmanager
    def following(
        self, *argv: str, env: Mapping[str, str | Secret] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Yield a running command that only looks, such as `docker events`; ended afterwards."""
        with self._process(argv, None, env, stdin=None, merge=False) as process:
            try:
                yield process
            finally:
                process.terminate()
                if process.stdout:
                    process.stdout.close()
                if process.stderr:
                    process.stderr.close()
                _wait(process, _GRACE_S)

    @contextmanager
    def beside(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
    ) -> Iterator[subprocess.Popen[str]]:
        """Yield a command that changes the world while the caller watches what it does.

        Its standard error comes with its output. It is asked to end when the block is left first.
        """
        with self._process(argv, cwd, env, stdin=None, merge=True) as process:
            try:
                yield process
            finally:
                process.terminate()
                if process.stdout:
                    process.stdout.close()
                _wait(process, _GRACE_S)

    def resolve(self, program: str) -> str:
        """Return the path of a program on PATH, else in the folder of tools that setup built.

        Raises:
            UnavailableError: it is in neither.
        """
        found = self.find(program)
        if found is None:
            raise missing(program)
        return found

    def find(self, program: str) -> str | None:
        """Return the path of a program, or None where it is missing."""
        path = self.environ.get("PATH", os.defpath)
        return shutil.which(program, path=path) or shutil.which(
            program, path=str(cache_dir(self.environ) / "bin")
        )

    def redacted(self, text: str) -> str:
        """Return `text` without the values of `secrets`."""
        return redact(text, self.secrets) if self.secrets else text

    def _captured(
        self,
        argv: tuple[str, ...],
        cwd: Path | None,
        env: Mapping[str, str | Secret] | None,
        stdin: str | None,
        timeout_s: float | None,
        *,
        check: bool,
    ) -> Result:
        started = time.monotonic()
        with self._process(argv, cwd, env, stdin=stdin, merge=False) as process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                raise silent(argv, timeout_s) from None
        # What a program answered is data for us; what a person is shown is redacted in `tail`.
        result = Result(argv, process.returncode, stdout, stderr, time.monotonic() - started)
        if check and not result.ok:
            raise CommandError(
                Result(
                    argv,
                    result.returncode,
                    self.redacted(stdout),
                    self.redacted(stderr),
                    result.duration_s,
                )
            )
        return result

    @contextmanager
    def _process(
        self,
        argv: Sequence[str],
        cwd: Path | None,
        env: Mapping[str, str | Secret] | None,
        *,
        stdin: str | None,
        merge: bool,
    ) -> Iterator[subprocess.Popen[str]]:
        self._tell(argv, env, cwd, stdin)
        with self._started(
            argv,
            cwd,
            env,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        ) as process:
            try:
                yield process
            except KeyboardInterrupt:
                _wait(process, _GRACE_S)
                raise
            except BaseException:
                process.terminate()
                _wait(process, _GRACE_S)
                raise

    def _started(
        self,
        argv: Sequence[str],
        cwd: Path | None,
        env: Mapping[str, str | Secret] | None,
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> subprocess.Popen[str]:
        program, environment = self.resolve(argv[0]), self._environment(env)
        try:
            return subprocess.Popen(
                (program, *argv[1:]),
                cwd=cwd,
                env=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except (OSError, ValueError) as error:
            raise unstarted(argv, program, cwd, environment, error) from error

    def _environment(self, env: Mapping[str, str | Secret] | None) -> dict[str, str]:
        added = {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in (env or {}).items()
        }
        return {**self.environ, **added}

    def _tell(
        self,
        argv: Sequence[str],
        env: Mapping[str, str | Secret] | None,
        cwd: Path | None,
        stdin: str | None = None,
    ) -> None:
        if self.echo is not None:
            self.echo(self.redacted(pasted(argv, env=env, cwd=cwd, stdin=stdin)))


@dataclass
class DryRunner(Runner):
    """Looks at the world as a runner does, and only tells of what would change it."""

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> Result:
        """Tell of the command; the result says that it printed nothing and ended with 0."""
        self._tell(argv, env, cwd, stdin)
        return Result(argv, 0)

    def stream(
        self,
        *argv: str,
        on_line: Callable[[str], None],
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        check: bool = True,
    ) -> Result:
        """As `run`; no line is handed over."""
        self._tell(argv, env, cwd, stdin)
        return Result(argv, 0)

    def beside(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
    ) -> NoReturn:
        """Refuse: what is watched while it works cannot be told of; a dry run ends at the plan."""
        self._tell(argv, env, cwd)
        raise RuntimeError("a dry run ends at the plan of what is watched")

    def become(self, *argv: str, env: Mapping[str, str | Secret] | None = None) -> int:
        """Tell of the command and return 0."""
        return self.attach(*argv, env=env)

    def attach(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
    ) -> int:
        """Tell of the command and return 0."""
        self._tell(argv, env, cwd)
        return 0


def _wait(process: subprocess.Popen[str], grace_s: float | None) -> int:
    """Return the exit code of a child; past `grace_s` it is terminated, then killed.

    A Ctrl-C reaches the child by itself, for it shares our process group: so a first interrupt
    waits for the child's own clean-up, and a second one ends it.
    """
    while True:
        try:
            return process.wait(timeout=grace_s)
        except KeyboardInterrupt:
            if grace_s is not None:
                process.kill()
            grace_s = _GRACE_S
        except subprocess.TimeoutExpired:
            if process.poll() is None:
                process.kill()
            grace_s = None
