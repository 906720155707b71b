"""A commit in a folder of its own beside the work tree, by `git worktree`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.tools.git import Git

# A person's hooks are about work that is done by hand.
_QUIET: Final = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")
# What says where a hook's repository is would turn Git away from the new folder.
_WHERE: Final = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
)


def without_place(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which Git finds a repository by the folder alone."""
    return {name: value for name, value in environ.items() if name not in _WHERE}


def check_out(git: Git, commit: str, folder: Path) -> None:
    """Check a commit out into a new folder; refs and the work tree stay as they are.

    Raises:
        CheckFailedError: Git cannot; its own words are given.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    words = ("worktree", "add", "--quiet", "--detach", "--force", str(folder), commit)
    done = git.runner.run("git", *_QUIET, *words, cwd=git.root, check=False)
    if not done.ok:
        raise CheckFailedError(
            f"Git cannot check out {commit[:12]} beside the work tree",
            why=[("git", "\n".join(done.tail(5)))],
            next_step=f"git worktree add --detach /tmp/other {commit[:12]}   (shows the same)",
        )


def remove(git: Git, folder: Path) -> None:
    """Remove such a folder and what Git knows of it; one that is gone is fine."""
    words = ("worktree", "remove", "--force", "--force", str(folder))
    git.runner.run("git", *words, cwd=git.root, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def left_out(git: Git, commit: str) -> tuple[str, ...]:
    """Return what a checkout of a commit leaves out, for people: submodules, files of Git LFS."""
    found = []
    if git.read("cat-file", "-e", f"{commit}:.gitmodules", check=False).ok:
        found.append("submodules are not checked out")
    attributes = ("--", ":(top,glob)**/.gitattributes")
    if git.read("grep", "--quiet", "filter=lfs", commit, *attributes, check=False).ok:
        found.append("files of Git LFS are what git lfs makes of them here, or else pointers")
    return tuple(found)
