"""Files that Git does not keep, lent to another checkout of the same repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullwright.stack import variables
from hullwright.tools.git import Git, find_git_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace


def lend(ours: Workspace, theirs: Workspace, selection: Selection) -> tuple[str, ...]:
    """Let another checkout read those files of ours that its stack names and Git does not keep.

    Env files, secrets and configurations are meant. They are linked, so that no copy of a secret
    is made, and returned by their paths from the root.

    Args:
        ours: the work tree.
        theirs: the other checkout.
        selection: its stack.
    """
    git_dir = find_git_dir(ours.root, ours.environ)
    if git_dir is None:
        return ()
    git = Git(ours.runner, ours.root, git_dir)
    lent = []
    for name in sorted(set(_named(theirs, variables.as_written(theirs, selection)))):
        own, other = ours.root / name, theirs.root / name
        if own.is_file() and not other.exists() and not git.tracks(own):
            other.parent.mkdir(parents=True, exist_ok=True)
            other.symlink_to(own.resolve())
            lent.append(name)
    return tuple(lent)


def _named(ws: Workspace, written: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files inside of a root that a written model names, from that root."""
    root = ws.root.resolve()
    paths = [path for name in written["services"] for path, _ in variables.env_files(written, name)]
    for kind in ("secrets", "configs"):
        paths += [
            str((each or {}).get("file") or "") for each in (written.get(kind) or {}).values()
        ]
    for path in paths:
        inside = Path(path)
        if path and inside.is_absolute() and inside.is_relative_to(root):
            yield inside.relative_to(root).as_posix()
