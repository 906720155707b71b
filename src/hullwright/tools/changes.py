"""What differs between the work tree and the commit where it left another branch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError, suggestion
from hullwright.tools.git import Git, find_git_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.workspace import Workspace

_REFS: Final = (
    *("for-each-ref", "--format=%(refname:short)"),
    *("refs/heads", "refs/remotes", "refs/tags"),
)


def changed_since(ws: Workspace, ref: str) -> frozenset[str]:
    """Return the files that changed since HEAD's history left that of `ref`.

    They are relative to the repository's root, with `..` for those outside of it. Of a renamed
    file both names are there; what is not committed and what Git does not know yet counts too,
    what it ignores does not.

    Raises:
        UsageError: `ref` is unknown, or has no common history with HEAD as far as this clone
            knows.
    """
    git, base = _left(ws, ref)
    top = Path(git.read("rev-parse", "--show-toplevel").stdout.removesuffix("\n"))
    differing = git.read(
        *("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative"),
        *("--ignore-submodules=dirty", base, "--"),
    ).stdout
    untracked = git.read("ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/")
    paths = (*_paths(differing), *_paths(untracked.stdout))
    root = ws.root.resolve()
    return frozenset(Path(os.path.relpath(top.resolve() / path, root)).as_posix() for path in paths)


def text_since(ws: Workspace, ref: str, path: str) -> str | None:
    """Return a file as it was where HEAD's history left that of `ref`; None where it was not there.

    Args:
        ws: the repository.
        ref: as in `changed_since`.
        path: of the file, from the repository's root.

    Raises:
        UsageError: as in `changed_since`.
    """
    git, base = _left(ws, ref)
    found = git.read("show", f"{base}:./{path}", check=False)
    return found.stdout if found.ok else None


def _left(ws: Workspace, ref: str) -> tuple[Git, str]:
    """Return Git, and the commit where HEAD's history left that of `ref`."""
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        raise UsageError(
            f'--changed-since "{ref}" asks Git, and {ws.root} is in no repository',
            next_step="leave the flag out: everything is built then, or found to be current",
        )
    git = Git(ws.runner, ws.root, git_dir)
    return git, _merge_base(git, named_commit(git, ref), ref)


def named_commit(git: Git, ref: str) -> str:
    """Return the full name of the commit that a branch, tag or commit means.

    Raises:
        UsageError: it is unknown, with the closest known one.
    """
    found = git.read(
        *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"), check=False
    )
    if found.ok and not ref.startswith("-"):
        return found.stdout.strip()
    known = git.read(*_REFS, check=False).stdout.split()
    raise UsageError(
        f'unknown ref "{ref}"{suggestion(ref, known)}',
        why="this clone is shallow: it has a part of the history only" if _shallow(git) else "",
        next_step=_fetching(ref)
        if _shallow(git)
        else "git fetch   (for a branch of a remote, such as origin/main)",
    )


def _merge_base(git: Git, commit: str, ref: str) -> str:
    base = git.read("merge-base", commit, "HEAD", check=False)
    if base.ok:
        return base.stdout.split()[0]
    if not git.read("rev-parse", "--verify", "--quiet", "HEAD", check=False).ok:
        raise UsageError("there is no commit yet, so nothing changed since one")
    raise UsageError(
        f'where HEAD left "{ref}" is not known',
        why="this clone is shallow, and ends before that"
        if _shallow(git)
        else "the two have no commit in common",
        next_step=_fetching(ref) if _shallow(git) else "name a ref that HEAD descends from",
    )


def _shallow(git: Git) -> bool:
    return (git.common_dir / "shallow").is_file()


def _fetching(ref: str) -> str:
    remote, slash, branch = ref.partition("/")
    # In full: a clone of one branch has no rule that would write another one's name.
    what = f" {remote} +refs/heads/{branch}:refs/remotes/{ref}" if slash else ""
    return (
        f"git fetch --unshallow{what}   "
        "(on GitHub Actions: fetch-depth: 0, on GitLab: GIT_DEPTH: 0)"
    )


def _paths(listed: str) -> Iterator[str]:
    return (path for path in listed.split("\0") if path)
