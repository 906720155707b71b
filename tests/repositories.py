"""Git repositories that tests build, isolated from the settings of who runs them."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.workspace import Workspace

# The commit date of the first commit; each further one is a minute later.
FIRST_S: Final = 1_700_000_000
_STEP_S: Final = 60


def isolated(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which neither Git nor sops finds anything of this machine's."""
    names = ("PATH", "PYTHONPATH", "SSL_CERT_FILE")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    # Tools that setup built are found by the home folder, which is another one here.
    built = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hullwright/bin"
    return {
        **kept,
        "PATH": f"{kept.get('PATH', os.defpath)}{os.pathsep}{built}",
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.com",
        **more,
    }


def workspace(
    root: Path, environ: dict[str, str], config: Config | None = None, *, verbose: bool = False
) -> Workspace:
    """Return the workspace of a folder; what is told goes to `told`."""
    told = io.StringIO()
    console = Console(environ, out=told, err=told, verbose=verbose)
    return Workspace(root, config or Config(root.name), Runner(environ), console, environ)


def told(ws: Workspace) -> str:
    """Return what a workspace of `workspace` was told."""
    assert isinstance(ws.console.err, io.StringIO)
    return ws.console.err.getvalue()


@dataclass
class Repository:
    """A repository under construction."""

    root: Path
    environ: dict[str, str]
    commits: int = field(default=0)

    @classmethod
    def made(cls, root: Path, environ: dict[str, str], branch: str = "main") -> Repository:
        """Return a new repository without commits."""
        root.mkdir(parents=True, exist_ok=True)
        repository = cls(root, environ)
        repository.git("init", "--quiet", f"--initial-branch={branch}")
        return repository

    def git(self, *words: str) -> str:
        """Return what a Git command printed; each has the next date of the clock."""
        date = f"{FIRST_S + self.commits * _STEP_S} +0200"
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            ("git", *words),
            cwd=self.root,
            env={**self.environ, **dates},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Write a file of the work tree."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, *tags: str, file: str = "file", text: str = "") -> str:
        """Commit a change and tag it; return the commit."""
        self.commits += 1
        self.write(file, text or f"{self.commits}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message=change {self.commits}")
        for tag in tags:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    def workspace(self, config: Config | None = None, *, verbose: bool = False) -> Workspace:
        """Return the workspace of this repository."""
        return workspace(self.root, self.environ, config, verbose=verbose)
