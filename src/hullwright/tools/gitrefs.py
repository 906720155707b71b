"""Git's refs and single commits, each with one process; beside `tools.git`, which knows HEAD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.tools.git import Git

_REMOTE: Final = "refs/remotes/"
_KINDS: Final = ("refs/heads", "refs/tags", "refs/remotes", "refs/pull", "refs/merge-requests")


@dataclass(frozen=True, slots=True)
class Refs:
    """The refs of a clone.

    Attributes:
        commits: the commit of each branch, tag and pull request, by full name.
        remote_branches: the commit of each remote's branch, by `REMOTE/BRANCH`.
        default_branch: what a remote says is its default; `origin` is asked first.
    """

    commits: Mapping[str, str]
    remote_branches: Mapping[str, str]
    default_branch: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The full names, those of remote branches as if they were local."""
        remote = (f"refs/heads/{name.partition('/')[2]}" for name in self.remote_branches)
        return tuple(dict.fromkeys((*self.commits, *remote)))


@dataclass(frozen=True, slots=True)
class Checkout:
    """What is checked out, where somebody has asked Git already.

    Attributes:
        ref: the branch, as `refs/heads/…`; empty where none is checked out.
        revision: the commit.
        time_s: its date, in seconds since 1970 UTC.
    """

    ref: str
    revision: str
    time_s: int


def refs_of(git: Git) -> Refs:
    """Return every ref that tags may depend on."""
    words = "--format=%(refname)%00%(objectname)%00%(*objectname)%00%(symref)"
    return parse_refs(git.read("for-each-ref", words, *_KINDS).stdout)


def parse_refs(text: str) -> Refs:
    """Return the refs of `refs_of`'s output."""
    commits: dict[str, str] = {}
    remote: dict[str, str] = {}
    defaults: dict[str, str] = {}
    for line in text.splitlines():
        name, own, peeled, target = line.split("\0")
        if not name.startswith(_REMOTE):
            commits[name] = peeled or own
        elif name.endswith("/HEAD") and target:
            origin = name.removeprefix(_REMOTE).removesuffix("/HEAD")
            defaults[origin] = target.removeprefix(f"{_REMOTE}{origin}/")
        else:
            remote[name.removeprefix(_REMOTE)] = own
    default = defaults.get("origin") or next(iter(defaults.values()), "")
    return Refs(commits, remote, default)


def commit_of(git: Git, name: str) -> tuple[str, int] | None:
    """Return the object name and the date, in seconds since 1970, of a commit; None without it."""
    words = ("--no-show-signature", "--max-count=1", "--format=%H%x00%ct")
    # A name comes from outside: `--output=FILE` must stay a name, and is none.
    result = git.read("log", *words, "--end-of-options", name, "--", check=False)
    if not result.ok or not result.stdout:
        return None
    revision, seconds = result.stdout.strip().split("\0")
    return revision, int(seconds)


def has_remote(git: Git) -> bool:
    """Return whether a remote is configured; no process is started."""
    return '[remote "' in _configuration(git)


def narrow_remotes(git: Git) -> tuple[str, ...]:
    """Return the remotes if each fetches only what it names one by one; else nothing.

    So `git clone --single-branch` leaves a clone: tags of other branches never come.
    """
    if not any(line.startswith("fetch") and "*" not in line for line in _lines(git)):
        return ()
    listed = git.read("config", "--get-regexp", r"^remote\..*\.fetch$", check=False).stdout
    remotes: dict[str, bool] = {}
    for line in listed.splitlines():
        key, _, refspec = line.partition(" ")
        name = key.removeprefix("remote.").removesuffix(".fetch")
        remotes[name] = remotes.get(name, False) or "*" in refspec
    return () if any(remotes.values()) else tuple(sorted(remotes))


def _lines(git: Git) -> list[str]:
    return [line.strip().lower() for line in _configuration(git).splitlines()]


def _configuration(git: Git) -> str:
    # Only looked through for a word, to save a process in the usual case.
    named = git.common_dir / "config"
    return named.read_text(encoding="utf-8", errors="replace") if named.exists() else ""


def head_of(git: Git) -> str:
    """Return the branch that is checked out, as `refs/heads/…`; empty where none is."""
    return git.read("symbolic-ref", "--quiet", "HEAD", check=False).stdout.strip()
