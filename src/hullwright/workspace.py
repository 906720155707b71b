"""What a feature works with: a repository, its configuration, a runner and a console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
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
        """
        folder = self.root / ".hullwright"
        if not (folder / ".gitignore").exists():
            folder.mkdir(exist_ok=True)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        return folder
