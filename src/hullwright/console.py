"""The one thing that prints: results to standard output, everything else to standard error.

It knows whether a person, GitHub Actions or GitLab CI reads: steps fold there, errors become
annotations, and Markdown goes to the job summary. Colour only repeats what the words say.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COLOURS: Final = {"✓": "32", "✗": "31"}
_GREY: Final = "2"


@dataclass
class Console:
    """Prints for one run.

    Attributes:
        environ: decides colour (`NO_COLOR`, `FORCE_COLOR`) and the CI provider.
        out: gets results and nothing else, so that `--format json` can be piped.
        err: gets progress, notes and errors.
        verbose: whether notes of detail are printed.
    """

    environ: Mapping[str, str]
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    verbose: bool = False
    _status_shown: bool = field(default=False, repr=False)
    # Builds that run beside each other tell of themselves from threads of their own.
    _printing: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _folds: int = field(default=0, repr=False)

    @property
    def github(self) -> bool:
        """Whether GitHub Actions reads the output."""
        return self.environ.get("GITHUB_ACTIONS") == "true"

    @property
    def gitlab(self) -> bool:
        """Whether GitLab CI reads the output."""
        return self.environ.get("GITLAB_CI") == "true"

    @property
    def interactive(self) -> bool:
        """Whether a person is there to answer a question or to watch a moving line."""
        return sys.stdin.isatty() and self.live

    @property
    def live(self) -> bool:
        """Whether standard error can show a line that changes: a terminal, and no CI."""
        return self.err.isatty() and not self.environ.get("CI")

    def result(self, text: str, *, coloured: bool = True) -> None:
        """Print a result, which is what standard output is for; as it is, if not `coloured`."""
        with self._printing:
            self._clear_status()
            print(self._coloured(text, self.out) if coloured else text, file=self.out, flush=True)

    def content(self, data: bytes) -> None:
        """Print what is to be piped or kept exactly as it is: no byte of it is changed."""
        self._clear_status()
        self.out.flush()
        self.out.buffer.write(data)
        self.out.flush()

    def note(self, text: str) -> None:
        """Print a line that tells of progress or of a decision."""
        with self._printing:
            self._clear_status()
            print(self._coloured(text, self.err), file=self.err, flush=True)

    def detail(self, text: str) -> None:
        """Print a note only where more was asked for (`--verbose`, `--echo`)."""
        if self.verbose:
            self.note(text)

    def command(self, line: str) -> None:
        """Print a command so that it can be pasted into a shell."""
        self.note(self._paint(f"+ {line}", _GREY, self.err))

    def warn(self, text: str) -> None:
        """Print a warning; an annotation on GitHub Actions."""
        self._annotated("warning", "!", text)

    def error(self, text: str, *, file: str = "", line: str = "") -> None:
        """Print an error; on GitHub Actions an annotation, at a line of a file where one is given.

        `file` is a path from the top of the repository; a line counts from 1.
        """
        self._annotated("error", "✗", text, {"file": file, "line": line})

    def status(self, text: str) -> None:
        """Show a line that the next one replaces; nothing where no terminal can show it."""
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            with self._printing:
                self.err.write(f"\r\x1b[K{text[:width]}")
                self.err.flush()
                self._status_shown = True

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell that a step began and, with its seconds, how it ended; folded in CI."""
        started = time.monotonic()
        self._open_fold(title)
        self.status(f"… {title}")
        try:
            yield
        except BaseException:
            self._close_fold()
            self.note(f"✗ {title}  {time.monotonic() - started:.1f} s")
            raise
        self._close_fold()
        self.note(f"✓ {title}  {time.monotonic() - started:.1f} s")

    def summarise(self, markdown: str) -> None:
        """Append to the job summary, where the CI provider has one.

        A summary that cannot be written is warned of: what it sums up was done all the same.
        """
        target = self.environ.get("GITHUB_STEP_SUMMARY")
        if not target:
            return
        try:
            with Path(target).open("a", encoding="utf-8") as summary:
                summary.write(f"{markdown}\n")
        except OSError as error:
            self.warn(f"the job summary {target} cannot be written: {error.strerror or error}")

    def ask(self, question: str) -> bool:
        """Return whether the person said yes; never asked, and no, where nobody is there."""
        if not self.interactive:
            return False
        self._clear_status()
        self.err.write(f"{question} [y/N] ")
        self.err.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def _annotated(
        self, level: str, mark: str, text: str, where: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.note(f"{mark} {text}")
        if self.github:
            # https://docs.github.com/actions/reference/workflow-commands-for-github-actions
            given = [
                f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}"
                for key, value in where.items()
                if value
            ]
            command = " ".join([level, ",".join(given)]).rstrip()
            print(f"::{command}::{_escaped(text)}", file=self.err, flush=True)

    def _open_fold(self, title: str) -> None:
        self._folds += 1
        if self.github:
            self.note(f"::group::{title}")
        elif self.gitlab:
            # https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
            name = f"hullwright_{self._folds}"
            self.note(f"\x1b[0Ksection_start:{time.time():.0f}:{name}\r\x1b[0K{title}")
        elif not self.live:
            self.note(f"{datetime.now(UTC):%H:%M:%S} {title}")

    def _close_fold(self) -> None:
        if self.github:
            self.note("::endgroup::")
        elif self.gitlab:
            self.note(f"\x1b[0Ksection_end:{time.time():.0f}:hullwright_{self._folds}\r\x1b[0K")

    def _clear_status(self) -> None:
        if self._status_shown:
            self.err.write("\r\x1b[K")
            self._status_shown = False

    def _coloured(self, text: str, stream: TextIO) -> str:
        if not self._colour(stream):
            return text
        for mark, code in _COLOURS.items():
            text = text.replace(mark, f"\x1b[{code}m{mark}\x1b[0m")
        return text

    def _paint(self, text: str, code: str, stream: TextIO) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour(stream) else text

    def _colour(self, stream: TextIO) -> bool:
        if self.environ.get("NO_COLOR"):
            return False
        return bool(self.environ.get("FORCE_COLOR")) or stream.isatty()


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
