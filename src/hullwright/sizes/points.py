"""What a name means in Git: a commit, and those whose images stand in where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.tools.git import Git, find_git_dir
from hullwright.tools.gitrefs import commit_of, refs_of

if TYPE_CHECKING:
    from hullwright.tools.gitrefs import Refs
    from hullwright.workspace import Workspace

BRANCHES: Final = "refs/heads/"
TAGS: Final = "refs/tags/"
# How far back an image is looked for; each commit may cost a request.
MOST_COMMITS: Final = 20
SHORT: Final = 7


@dataclass(frozen=True, slots=True)
class Point:
    """A commit that somebody named.

    Attributes:
        asked: as it was named.
        ref: `refs/heads/…` or `refs/tags/…`; empty where a commit itself was named.
        commits: full names; the first is meant. The others are a branch's, where this history
            left it first and then older ones: their images are the nearest to it.
        cut: the history here is shallow, so there may be more of them.
    """

    asked: str
    ref: str
    commits: tuple[str, ...]
    cut: bool = False

    @property
    def revision(self) -> str:
        """The commit that is meant."""
        return self.commits[0]


def point_of(ws: Workspace, name: str) -> Point | None:
    """Return what a name means in Git, or None where it means nothing there.

    A name alone is a branch of this clone, else a tag, else a branch of a remote; everything else
    is what Git takes for a commit.

    Raises:
        UsageError: it is both a branch and a tag.
    """
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        return None
    git = Git(ws.runner, ws.root, git_dir)
    ref, revision = _named(refs_of(git), name)
    if not revision:
        found = commit_of(git, name)
        if found is None:
            return None
        revision = found[0]
    commits = _nearest(git, revision) if ref.startswith(BRANCHES) else (revision,)
    return Point(name, ref, commits, cut=(git.common_dir / "shallow").is_file())


def known_names(ws: Workspace) -> list[str]:
    """Return the branches and tags of this clone, by their short names."""
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        return []
    refs = refs_of(Git(ws.runner, ws.root, git_dir))
    kinds = (BRANCHES, TAGS)
    names = [n.removeprefix(kind) for n in refs.names for kind in kinds if n.startswith(kind)]
    return list(dict.fromkeys([*names, *refs.remote_branches]))


def _named(refs: Refs, name: str) -> tuple[str, str]:
    """Return the full name of a ref and its commit; empty texts where it is none."""
    if name in refs.commits and name.startswith((BRANCHES, TAGS)):
        return name, refs.commits[name]
    known = [full for full in (f"{BRANCHES}{name}", f"{TAGS}{name}") if full in refs.commits]
    if len(known) > 1:
        raise UsageError(
            f"{name} is a branch and a tag", next_step=f"--against {known[0]}, or {known[1]}"
        )
    if known:
        return known[0], refs.commits[known[0]]
    bare = name.removeprefix(BRANCHES)
    for remote, revision in refs.remote_branches.items():
        if name == remote or bare == remote.partition("/")[2]:
            return f"{BRANCHES}{remote.partition('/')[2]}", revision
    return "", ""


def _nearest(git: Git, tip: str) -> tuple[str, ...]:
    """Return a branch's commit, where this history left it, and what lies before that."""
    base = git.read("merge-base", "HEAD", tip, check=False).stdout.strip() or tip
    words = ("--first-parent", f"--max-count={MOST_COMMITS}", "--end-of-options", base, "--")
    older = git.read("rev-list", *words, check=False).stdout.split()
    return tuple(dict.fromkeys((tip, base, *older)))[:MOST_COMMITS]
