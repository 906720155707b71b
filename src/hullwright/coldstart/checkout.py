"""Another revision in a folder of its own for as long as it is compared, and nothing left of it.

    .hullwright/against/NAME/FOLDER     the checkout; its images are called NAME/…

NAME is that of a throwaway, so whatever a run leaves that was killed is known by it, and goes with
the next comparison. The folder is below the repository, because an engine in a virtual machine
may see nothing else, and is called as the repository is, since names are made from that.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.coldstart.lifetime import throwaway_name, uninterrupted
from hullwright.errors import CheckFailedError, UsageError
from hullwright.files import lock
from hullwright.tools import engine, worktrees
from hullwright.tools.changes import named_commit
from hullwright.tools.git import Git, find_git_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullwright.workspace import Workspace

_FOLDER: Final = "against"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A revision that is checked out beside the work tree.

    Attributes:
        root: what is the repository's root there.
        commit: its full name.
        namespace: first part of the names that its images get.
        notes: what it lacks, for people.
    """

    ws: Workspace
    root: Path
    commit: str
    namespace: str
    notes: tuple[str, ...] = ()
    _named: dict[str, str | None] = field(default_factory=dict, repr=False)

    def keep_names(self, references: Iterable[str]) -> None:
        """Let names mean what they mean now once the checkout goes, whatever is done until then."""
        there = engine.images(self.ws.runner, references)
        for name, image in there.items():
            self._named.setdefault(name, image.id if image else None)

    def put_back(self) -> None:
        """Give the names that were kept back to what they named, or to nothing."""
        now = engine.images(self.ws.runner, self._named)
        for name, before in self._named.items():
            image = now[name]
            if before and (image is None or image.id != before):
                self.ws.runner.run("docker", "tag", before, name, check=False)
            elif image and not before:
                self.ws.runner.run("docker", "image", "rm", name, check=False)


def commit_of(ws: Workspace, ref: str) -> str:
    """Return the full name of the commit that is compared with.

    Raises:
        UsageError: it is unknown, or the root is in no repository.
    """
    return named_commit(_git(ws, ref), ref)


@contextmanager
def checked_out(ws: Workspace, ref: str) -> Iterator[Checkout]:
    """Yield a revision in a folder of its own; it and its images are removed however this ends.

    Of what Git ignores, the checkout has `.env` alone.

    Raises:
        UsageError: the revision is unknown, or the root is in no repository.
        CheckFailedError: Git cannot check it out, or it has no such folder.
        LockedError: another run compares here; it is named.
    """
    git, commit = _git(ws, ref), commit_of(ws, ref)
    with lock(ws.state_dir / "locks" / "against.lock", "the checkout that is compared with"):
        _forget_killed(ws, git)
        namespace = re.sub(r"[^a-z0-9]+", "-", throwaway_name(ws.config.project))
        top = Path(git.read("rev-parse", "--show-toplevel").stdout.removesuffix("\n")).resolve()
        folder = ws.state_dir / _FOLDER / namespace / top.name
        root = Path(os.path.normpath(folder / ws.root.resolve().relative_to(top)))
        notes = tuple(f"{ref}: {each}" for each in worktrees.left_out(git, commit))
        made = Checkout(ws, root, commit, namespace, notes)
        try:
            worktrees.check_out(git, commit, folder)
            if not root.is_dir():
                raise CheckFailedError(f"{ref} has no folder {root.relative_to(folder)}")
            _lend_dotenv(ws, root)
            yield made
        finally:
            with uninterrupted():
                made.put_back()
                _forget(ws, git, folder.parent)


def _git(ws: Workspace, ref: str) -> Git:
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        raise UsageError(
            f'--against "{ref}" asks Git, and {ws.root} is in no repository',
            next_step="leave the flag out, or compare where the history is",
        )
    return Git(ws.runner, ws.root, git_dir)


def _lend_dotenv(ws: Workspace, root: Path) -> None:
    """Let the checkout read our `.env`, so that both sides have the same values; no copy is made.

    Where Git would take it up, the checkout would count as changed: then it goes without.
    """
    ours, theirs = ws.root / ".env", root / ".env"
    if not ours.is_file() or os.path.lexists(theirs):
        return
    if ws.runner.read("git", "check-ignore", "--quiet", ".env", cwd=root, check=False).ok:
        theirs.symlink_to(ours.resolve())


def _forget_killed(ws: Workspace, git: Git) -> None:
    """Remove what comparisons left that were killed; under the lock none is running."""
    there = ws.state_dir / _FOLDER
    for left in sorted(there.iterdir()) if there.is_dir() else ():
        _forget(ws, git, left)


def _forget(ws: Workspace, git: Git, place: Path) -> None:
    listed = ws.runner.read(
        *("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"),
        *("--filter", f"reference={place.name}/*"),
        check=False,
    )
    names = [name for name in listed.stdout.split() if not name.endswith(":<none>")]
    if names:
        ws.runner.run("docker", "image", "rm", *names, check=False)
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        worktrees.remove(git, folder)
    shutil.rmtree(place, ignore_errors=True)
