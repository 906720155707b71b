"""Git: what its commands say about a repository, as values.

Everything here only looks. Nothing is written into the repository: not even the index is
refreshed, because another `git` may be running. Nothing is concluded from Git's prose, which is
translated and changes; where a command fails, a second one asks what the matter is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.run import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.run import Result, Runner

_TIMEOUT_S: Final = 120.0
_BRANCHES: Final = "refs/heads/"
_TAGS: Final = "refs/tags/"
_TAG_MARK: Final = f"tag: {_TAGS}"
# Settings of a person that would make `git add` on a copied index write elsewhere, run a program
# or take longer than a hash needs.
_QUIET_ADD: Final = (
    "core.hooksPath=/dev/null",
    "core.splitIndex=false",
    "core.fsmonitor=false",
    "core.safecrlf=false",
    "core.looseCompression=0",
    "advice.addEmbeddedRepo=false",
)


@dataclass(frozen=True, slots=True)
class Head:
    """The commit that is checked out, and the tags that it contains.

    Attributes:
        revision: its full object name.
        tree: the object name of its content.
        time_s: its commit date, in seconds since 1970 UTC.
        ref: the branch, as `refs/heads/…`, or `HEAD` where none is checked out.
        tags: each tag on it or on an ancestor, without `refs/tags/`, with the tagged commit.
        processes: how many it took to learn this.
    """

    revision: str
    tree: str
    time_s: int
    ref: str
    tags: Mapping[str, str]
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Decorated:
    """One commit of a listing: `has_parents` within it, and the full names of refs on it."""

    revision: str
    tree: str
    time_s: int
    has_parents: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nearest:
    """What `git describe` says: the nearest tag, and how many commits are not in it."""

    text: str
    tag: str
    distance: int


def find_git_dir(start: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the folder that holds the repository's state for `start`, or None outside of one.

    Of a worktree or submodule it is the one that their `.git` file names.
    """
    if environ.get("GIT_DIR"):
        return (start / environ["GIT_DIR"]).resolve()
    for folder in (start, *start.parents):
        entry = folder / ".git"
        if entry.is_dir():
            return entry
        if entry.is_file():
            return _linked(entry)
    return None


def require_ignored(runner: Runner, path: Path, *, what: str) -> None:
    """Raise where Git could take up `path`; a folder outside of any repository is fine.

    Args:
        runner: starts the commands.
        path: a file that may not exist yet; absolute.
        what: what of it must not be committed, for the message.

    Raises:
        UsageError: Git tracks it, or no rule ignores it; with the line to add.
    """
    # A hook's GIT_DIR names the repository of the hook, not the one that the file is in.
    git_dir = find_git_dir(path.parent, {})
    if git_dir is None:
        return
    git = Git(runner, path.parent, git_dir)
    if git.ignores(path):
        return
    if git.tracks(path):
        raise UsageError(
            f"{path.name} is tracked by Git, so {what} would be committed",
            why=[("file", str(path))],
            next_step=f"git rm --cached {path.name}   (and ignore it: /{path.name})",
        )
    raise UsageError(
        f"{path.name} is not ignored by Git, so {what} could be committed",
        why=[("file", str(path))],
        next_step=f"add this line to {path.parent / '.gitignore'}:\n/{path.name}",
    )


def parse_history(text: str) -> list[Decorated]:
    """Return the commits of `history_argv`'s output, in its order."""
    commits = []
    for line in text.splitlines():
        revision, tree, time_s, parents, decorations = line.split("\0")
        names = tuple(decorations.split(", ")) if decorations else ()
        commits.append(Decorated(revision, tree, int(time_s), bool(parents), names))
    return commits


def parse_nearest(text: str) -> Nearest | None:
    """Return what `git describe --long --always` says, or None where it found no tag."""
    tag, _, rest = text.strip().rpartition("-g")
    tag, _, distance = tag.rpartition("-")
    if not (tag and rest and distance.isdigit()):
        return None
    # --long is asked for to get the number; what is shown is Git's usual short form.
    return Nearest(text.strip() if int(distance) else tag, tag, int(distance))


def history_words(which: str, commit: str = "HEAD") -> tuple[str, ...]:
    """Return the words after `git` that list commits of a commit's history with their refs."""
    return (
        "log",
        "--no-show-signature",
        "--no-color",
        "--decorate=full",
        "--decorate-refs=HEAD",
        f"--decorate-refs={_BRANCHES}",
        f"--decorate-refs={_TAGS}",
        which,
        "--format=%H%x00%T%x00%ct%x00%P%x00%D",
        commit,
        "--",
    )


@dataclass(frozen=True)
class Git:
    """One repository, looked at through the runner.

    Attributes:
        runner: starts the commands.
        root: a folder of the work tree; paths are relative to it.
        git_dir: the repository's own state folder, as `find_git_dir` gives it.
        commit: full name of the commit whose history is looked at, if not what is checked out.
    """

    runner: Runner
    root: Path
    git_dir: Path
    commit: str = "HEAD"

    @property
    def common_dir(self) -> Path:
        """The folder of refs, objects and configuration, which worktrees share."""
        named = self.git_dir / "commondir"
        if not named.is_file():
            return self.git_dir
        return (self.git_dir / named.read_text(encoding="utf-8").strip()).resolve()

    def head(self) -> Head:
        """Return the commit that is looked at and the tags that it contains.

        Raises:
            UsageError: there is no commit yet, or Git refuses to read the repository.
        """
        # One walk gives HEAD, which comes first, and each contained commit with a ref.
        words = history_words("--simplify-by-decoration", self.commit)
        result = self.read(*words, check=False)
        if not result.ok:
            raise self._explained(result)
        commits, processes = parse_history(result.stdout), 1
        # It leaves out a first commit without files, whatever is on it. That may have happened
        # where a commit with a ref seems to be the first.
        if not commits or any(not one.has_parents and one.names for one in commits):
            first_words = history_words("--max-parents=0", self.commit)
            commits += parse_history(self.read(*first_words).stdout)
            processes += 1
        if self.commit != "HEAD":
            # The walk leaves out a commit without a ref, and only HEAD is sure to have one.
            commits = [
                *parse_history(self.read(*history_words("--no-walk", self.commit)).stdout),
                *commits,
            ]
            processes += 1
        first = commits[0]
        mark = "HEAD -> "
        refs = [name.removeprefix(mark) for name in first.names if name.startswith(mark)]
        tags = {
            name.removeprefix(_TAG_MARK): one.revision
            for one in commits
            for name in one.names
            if name.startswith(_TAG_MARK)
        }
        ref = refs[0] if refs else "HEAD"
        return Head(first.revision, first.tree, first.time_s, ref, tags, processes)

    def nearest(self, tag_prefix: str) -> Nearest | None:
        """Return Git's own nearest tag of a prefix that a digit follows, or None without one."""
        escaped = "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in tag_prefix)
        words = ("--tags", "--long", "--always", "--abbrev=7", "--match", f"{escaped}[0-9]*")
        return parse_nearest(self.read("describe", *words, *self._other_commit).stdout)

    def count(self, since: str | None, paths: Sequence[str] = ()) -> int:
        """Return how many commits there are that `since` has not, on `paths` where any is given.

        Raises:
            UsageError: a partial clone lacks what the question needs, and could not fetch it.
        """
        span = f"{since}..{self.commit}" if since else self.commit
        result = self.read(
            "rev-list", "--count", "--end-of-options", span, "--", *paths, check=False
        )
        if result.ok:
            return int(result.stdout)
        raise self._explained(result)

    def contains(self, revision: str) -> bool:
        """Return whether a commit is HEAD or before it; False for one that is not known here."""
        words = ("merge-base", "--is-ancestor", "--end-of-options", revision, "HEAD")
        return self.read(*words, check=False).ok

    def is_clean(self) -> bool:
        """Return whether nothing is changed, staged or untracked; False may be a false alarm."""
        words = ("--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=dirty")
        return not self.read("status", *words, "--no-renames").stdout

    def content_tree(self) -> str:
        """Return the object name of the tree that `git add -A` and a commit would make now.

        The index is a copy and new objects go to a folder that is removed, so the repository is
        not written to. The same content gives the same name on any machine, staged or not.

        Raises:
            UsageError: something in the work tree could not be committed.
        """
        with tempfile.TemporaryDirectory(prefix="hullwright-tree-") as folder:
            copy = Path(folder) / "index"
            if self._index.exists():
                # With its time: Git takes a file as changed in the index's own second by it.
                shutil.copy2(self._index, copy)
            objects = Path(folder) / "objects"
            objects.mkdir()
            env = {
                "GIT_INDEX_FILE": str(copy),
                "GIT_OBJECT_DIRECTORY": str(objects),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": self._alternates(),
            }
            settings = [word for setting in _QUIET_ADD for word in ("-c", setting)]
            added = self.read(*settings, "add", "-A", env=env, check=False)
            if not added.ok:
                raise UsageError(
                    "Git cannot read what is in the work tree, so its version is not known",
                    why=[("git", added.stderr.strip())],
                    next_step="remove it, ignore it, or make it readable",
                )
            return self.read(*settings, "write-tree", "--missing-ok", env=env).stdout.strip()

    def boundary(self) -> frozenset[str]:
        """Return the commits under HEAD whose parents a shallow clone left out."""
        marks = self.common_dir / "shallow"
        if not marks.is_file():
            return frozenset()
        cut = frozenset(marks.read_text(encoding="ascii").split())
        return cut & frozenset(self.read("rev-list", "HEAD").stdout.split())

    def remotes_without_tags(self) -> tuple[str, ...]:
        """Return the remotes if all of them are set never to bring tags; else nothing."""
        if "tagopt" not in self._configuration():
            return ()
        pattern = r"^remote\..*\.(url|tagopt)$"
        listed = self.read("config", "--get-regexp", pattern, check=False).stdout.splitlines()
        remotes, without = set(), set()
        for line in listed:
            key, _, value = line.partition(" ")
            remote, _, last = key.removeprefix("remote.").rpartition(".")
            if last == "url":
                remotes.add(remote)
            elif value.strip() == "--no-tags":
                without.add(remote)
        return tuple(sorted(without)) if remotes and remotes <= without else ()

    def ignores(self, path: Path) -> bool:
        """Return whether a rule ignores `path` and Git does not track it."""
        result = self.read("check-ignore", "--quiet", "--", str(path), check=False)
        if result.returncode not in {0, 1}:
            raise self._explained(result)
        return result.ok

    def tracks(self, path: Path) -> bool:
        """Return whether `path` is in the index."""
        return bool(self.read("ls-files", "-z", "--", str(path)).stdout)

    @property
    def _other_commit(self) -> tuple[str, ...]:
        return () if self.commit == "HEAD" else (self.commit,)

    @property
    def _index(self) -> Path:
        named = self.runner.environ.get("GIT_INDEX_FILE")
        return self.root / named if named else self.git_dir / "index"

    def _alternates(self) -> str:
        own = self.runner.environ.get("GIT_OBJECT_DIRECTORY") or str(self.common_dir / "objects")
        quoted = own.replace("\\", "\\\\").replace('"', '\\"')
        more = self.runner.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
        return os.pathsep.join([f'"{quoted}"', *([more] if more else [])])

    def _configuration(self) -> str:
        # Only looked through for a word, to save a process in the usual case.
        named = self.common_dir / "config"
        return named.read_text(encoding="utf-8", errors="replace").lower() if named.exists() else ""

    def read(self, *words: str, env: Mapping[str, str] | None = None, check: bool = True) -> Result:
        """Return the result of a Git command that only looks."""
        return self.runner.read(
            "git",
            "--no-optional-locks",
            *words,
            cwd=self.root,
            env=env,
            timeout_s=_TIMEOUT_S,
            check=check,
        )

    def _explained(self, failed: Result) -> UsageError | CommandError:
        # The name of a setting, which is not translated.
        if "safe.directory" in failed.stderr:
            return _foreign(self.root)
        if self.read("rev-parse", "--verify", "--quiet", "HEAD", check=False).ok:
            if "promisor" not in self._configuration():
                return CommandError(failed)
            return UsageError(
                "this partial clone lacks what the version needs, and its remote does not give it",
                why=[("git", failed.stderr.strip())],
                next_step="git fetch --refetch --no-filter   (in reach of the remote)",
            )
        branch = self.read("symbolic-ref", "--quiet", "--short", "HEAD", check=False).stdout
        if not branch:
            return UsageError(
                f"{self.root} is not a Git repository that can be read",
                why=failed.stderr.strip(),
            )
        return UsageError(
            f"the branch {branch.strip()} has no commit yet, so there is no version",
            next_step="git commit   (then the version is 0.0.0-0.dev.1 until the first tag)",
        )


def _linked(entry: Path) -> Path:
    target = entry.read_text(encoding="utf-8").strip().removeprefix("gitdir:").strip()
    return (entry.parent / target).resolve()


def _foreign(root: Path) -> UsageError:
    return UsageError(
        "Git refuses to read this repository, because it belongs to another user",
        why=[
            ("repository", f"{root}, owned by user {root.stat().st_uid}"),
            ("this run", f"user {os.geteuid()}"),
        ],
        next_step=f"git config --global --add safe.directory {root}",
    )
