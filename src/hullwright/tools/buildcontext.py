"""What a build context holds: every file that BuildKit gets, with its content's hash.

Large files are hashed once: what was hashed is remembered by size, times and inode. A file that
changed within the last moments before it was hashed is not remembered, for it could change again
without its times telling (https://git-scm.com/docs/racy-git).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.files import make_folder, write_atomic
from hullwright.tools.dockerignore import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullwright.tools.dockerignore import Ignore, Matched

# Below this, opening the file costs as much as hashing it.
_REMEMBERED_BYTES: Final = 64 * 1024
# The coarsest times of a file system in use: FAT's.
_RACY_NS: Final = 2_000_000_000
_PERMISSIONS: Final = 0o7777
_SCHEMA: Final = 1

# Size, modified, changed (both in nanoseconds) and inode: what tells that a file is the same.
_Marks = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Context:
    """What BuildKit gets of a folder.

    Attributes:
        digest: of all of it, 64 hexadecimal digits.
        files: kind, permissions and hash of each entry, by its path in the folder with slashes.
        unreadable: entries whose content is not known; where there are any, `digest` says too
            little.
    """

    digest: str
    files: Mapping[str, str]
    unreadable: tuple[str, ...] = ()


@dataclass
class Contexts:
    """The contexts of one run; each (folder, ignore file) is walked once, large files read once.

    Attributes:
        memory: file that remembers hashes from run to run.
        state: folder that is never part of a context: it changes with every run.
        apart: names at the top of a context that are no part of it either.
    """

    memory: Path
    state: Path
    apart: frozenset[str] = frozenset()
    _made: dict[tuple[Path, bytes], Context] = field(default_factory=dict)
    _known: dict[str, tuple[_Marks, str]] | None = None
    _hashed: dict[str, tuple[_Marks, str]] = field(default_factory=dict)
    _learnt: bool = False

    def of(self, folder: Path, ignore: bytes) -> Context:
        """Return what BuildKit gets of a folder under the rules of an ignore file's content."""
        key = (folder.resolve(), ignore)
        if key not in self._made:
            files, unreadable = dict[str, str](), list[str]()
            for path, said in self._walk(key[0], parse(ignore)):
                files[path] = said or "unreadable"
                if not said:
                    unreadable.append(path)
            self._made[key] = Context(_digest(files), files, tuple(unreadable))
        return self._made[key]

    def remember(self) -> None:
        """Keep the hashes of large files for the next run."""
        if self._learnt:
            known = {**self._load(), **self._hashed}
            # What is gone would stay for ever.
            kept = {path: said for path, said in known.items() if os.path.lexists(path)}
            document = {"schema": _SCHEMA, "files": {p: [*m, sha] for p, (m, sha) in kept.items()}}
            make_folder(self.memory.parent)
            write_atomic(self.memory, json.dumps(document) + "\n")

    def _walk(self, top: Path, ignore: Ignore) -> Iterator[tuple[str, str]]:
        """Yield what is sent, each path with what the digest takes of it; empty: not readable."""
        # A folder that is left out is sent all the same where something in it is taken.
        left_out: dict[str, str] = {}
        waiting: list[tuple[str, str, Matched]] = [(str(top), "", ())]
        while waiting:
            folder, prefix, above = waiting.pop()
            for entry in _entries(folder):
                path = f"{prefix}{entry.name}"
                is_folder = entry.is_dir(follow_symlinks=False)
                if path in self.apart or (is_folder and entry.path == str(self.state)):
                    continue
                out, matched = ignore.judge(path, above)
                if is_folder and (not out or ignore.may_hold(path)):
                    waiting.append((entry.path, f"{path}/", matched))
                if out and not is_folder:
                    continue
                try:
                    said = self._said(entry, is_folder=is_folder)
                except FileNotFoundError:
                    continue  # it went away since the folder was listed
                except OSError:
                    said = ""
                if out:
                    left_out[path] = said
                    continue
                yield from _above(path, left_out)
                yield path, said

    def _said(self, entry: os.DirEntry[str], *, is_folder: bool) -> str:
        """Return what the digest takes of an entry; empty for a folder that cannot be listed."""
        found = entry.stat(follow_symlinks=False)
        mode = f"{found.st_mode & _PERMISSIONS:04o}"
        if is_folder:
            return f"d{mode}" if os.access(entry.path, os.R_OK | os.X_OK) else ""
        if stat.S_ISREG(found.st_mode):
            return f"f{mode} {self._hash(entry.path, found)}"
        if stat.S_ISLNK(found.st_mode):
            return f"l {os.readlink(entry.path)}"  # noqa: PTH115  a Path for each of ten thousand entries costs more
        # BuildKit sends a socket or device too, as an entry without content.
        return f"o{stat.S_IFMT(found.st_mode):o} {mode}"

    def _hash(self, path: str, found: os.stat_result) -> str:
        if found.st_size < _REMEMBERED_BYTES:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123  a Path for each of ten thousand files costs more than reading them
                return hashlib.sha256(file.read()).hexdigest()
        marks = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        known = self._hashed.get(path) or self._load().get(path)
        if known is not None and known[0] == marks:
            return known[1]
        now_ns = time.time_ns()
        with open(path, "rb") as file:  # noqa: PTH123  as above
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if max(found.st_mtime_ns, found.st_ctime_ns) < now_ns - _RACY_NS:
            self._hashed[path], self._learnt = (marks, digest), True
        return digest

    def _load(self) -> dict[str, tuple[_Marks, str]]:
        if self._known is None:
            self._known = {}
            try:
                document = json.loads(self.memory.read_bytes())
                for path, (size, modified, changed, inode, sha) in document["files"].items():
                    self._known[path] = ((size, modified, changed, inode), sha)
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                # It saves time and holds nothing else; a new one is written.
                self._known = {}
        return self._known


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # told of as unreadable by its own entry


def _above(path: str, left_out: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the folders of a path that were left out so far, each once."""
    while left_out and (path := path.rpartition("/")[0]):
        if path in left_out:
            yield path, left_out.pop(path)


def _digest(files: Mapping[str, str]) -> str:
    whole = hashlib.sha256()
    for path in sorted(files):
        # No path holds a zero byte, and no line of ours.
        whole.update(f"{path}\0{files[path]}\0".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
