"""Folders in memory: where plaintext may stand for a moment without reaching a disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOUNTS: Final = Path("/proc/self/mounts")
# Open to everybody: who takes one makes a folder of 0700 in it.
_USUAL: Final = ("/dev/shm", "/run/shm")  # noqa: S108  places of folders, not of files
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


def folder(environ: Mapping[str, str], mounts: Path = MOUNTS) -> Path | None:
    """Return a folder on tmpfs that this user can write to, or None where there is none."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    # Later mounts lie over earlier ones of the same place.
    kinds = {_unescaped(line.split()[1]): line.split()[2] for line in lines if line.count(" ") >= 2}
    for candidate in (environ.get("XDG_RUNTIME_DIR"), *_USUAL):
        path = Path(candidate or "/")
        usable = path.is_dir() and os.access(path, os.W_OK | os.X_OK)
        if candidate and usable and _kind(path, kinds) in _IN_MEMORY:
            return path
    return None


def _kind(path: Path, kinds: Mapping[str, str]) -> str:
    real = path.resolve()
    return next((kinds[str(up)] for up in (real, *real.parents) if str(up) in kinds), "")


def _unescaped(place: str) -> str:
    return place.replace("\\040", " ")
