"""What a feature works with: a repository, its configuration, a runner and a console."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.files import lock, make_folder, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullwright.config.models import Config
    from hullwright.console import Console
    from hullwright.run import Runner


@dataclass(frozen=True)
class Workspace:
    """One repository as one run of a task sees it.

    Attributes:
        root: top folder of the repository, absolute.
        config: its configuration, validated.
        runner: starts programs; a dry one where only the plan is wanted.
        console: tells of progress; features hand results back instead of printing them.
        environ: the environment of this run.
    """

    root: Path
    config: Config
    runner: Runner
    console: Console
    environ: Mapping[str, str]

    @property
    def state_dir(self) -> Path:
        """The repository's folder for history, recorded images and locks; Git ignores it.

        It is made when it is first asked for, and ignores itself, so that a repository needs no
        line of its own for it.

        Raises:
            HullwrightError: it cannot be made.
        """
        folder = make_folder(self.root / ".hullwright")
        if not os.path.lexists(folder / ".gitignore"):
            write_atomic(folder / ".gitignore", "*\n")
        return folder

    @contextmanager
    def writing(self, target: Path, what: str) -> Iterator[Path]:
        """Hold the one lock of all tasks that write the file `target`; `what` is its name.

        It yields a path that Git ignores and that belongs to the holder alone, for the new content.

        Raises:
            LockedError: another run is writing it.
            HullwrightError: the lock file cannot be made.
        """
        # The folder's real place, so that two ways to one file have one lock.
        place = target.parent.resolve() / target.name
        digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
        held = self.state_dir / "locks" / f"output-{digest}.lock"
        with lock(held, what):
            yield held.with_suffix(".new")
