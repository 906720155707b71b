"""Git's objects as they are stored, streamed one after the other, and where each one is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from hullwright.run import Runner

_TIMEOUT_S: Final = 600.0
_SKIPPED_BYTES: Final = 256 * 1024


@dataclass
class GitObject:
    """One object; its content can be read until the next one is asked for.

    Attributes:
        name: its hash.
        kind: `blob`, `commit`, `tag` or `tree`.
    """

    name: str
    kind: str
    _stream: BinaryIO
    _left: int

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes of the content, and none at its end."""
        if not self._left:
            return b""
        piece = self._stream.read(min(size, self._left))
        if not piece:
            raise ArchiveError("git ended within an object")
        self._left -= len(piece)
        return piece


@dataclass(frozen=True, slots=True)
class Where:
    """The first commit that has an object.

    Attributes:
        commit: its short hash; empty where no branch or tag reaches the object.
        path: the file's path in it; empty for a commit or tag itself.
    """

    commit: str = ""
    path: str = ""


def all_objects(root: Path) -> tuple[str, ...]:
    """Return the command that `objects` reads: every object, in the order of the disk."""
    order = ("--batch-all-objects", "--unordered", "--buffer")
    return ("git", "-C", str(root), "cat-file", "--batch", *order)


def objects(stream: BinaryIO) -> Iterator[GitObject]:
    """Yield each object of `git cat-file --batch`; what is not read of one is skipped.

    Raises:
        ArchiveError: the stream ends within an object.
    """
    while header := stream.readline():
        name, kind, *size = header.decode("ascii", "replace").split()
        if not size:
            continue  # `HASH missing`: a partial clone does not have it
        found = GitObject(name, kind, stream, int(size[0]))
        yield found
        while found.read(_SKIPPED_BYTES):
            pass
        stream.read(1)


def where(runner: Runner, root: Path, name: str, kind: str) -> Where:
    """Return which commit an object first came with, and under which path."""
    git = ("git", "-C", str(root))
    if kind in {"commit", "tag"}:
        containing = ("--contains",) if kind == "commit" else ("--points-at",)
        words = ("for-each-ref", "--count=1", "--format=%(objectname)", *containing, name)
        answer = runner.read(*git, *words, check=False, timeout_s=_TIMEOUT_S)
        # What a tag is called by is the tag itself, which --points-at finds by its object.
        return Where(name[:12] if answer.stdout.strip() else "")
    log = ("log", "--all", "--reverse", "-m", f"--find-object={name}", "-z", "--name-only")
    told = runner.read(*git, *log, "--format=%h", check=False, timeout_s=_TIMEOUT_S).stdout
    # With -z a commit's line is ended by NUL, and a line end stands before its paths.
    parts = [part for part in told.split("\0") if part]
    if not parts:
        return Where()
    path = parts[1].lstrip("\n") if len(parts) > 1 else ""
    return Where(parts[0].strip(), path)


def is_there(runner: Runner, root: Path) -> bool:
    """Return whether a folder is in a Git repository."""
    return runner.read("git", "-C", str(root), "rev-parse", "--git-dir", check=False).ok


def is_shallow(runner: Runner, root: Path) -> bool:
    """Return whether a repository lacks older commits."""
    answer = runner.read(
        "git", "-C", str(root), "rev-parse", "--is-shallow-repository", check=False
    )
    return answer.stdout.strip() == "true"
