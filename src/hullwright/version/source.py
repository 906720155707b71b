"""Where the source is published, as an image tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tools.git import Git, find_git_dir

if TYPE_CHECKING:
    from hullwright.workspace import Workspace


def source(ws: Workspace) -> str:
    """Return the address of the repository for a browser; empty where it has none."""
    # Of the version itself nothing here is needed, and it is asked for far more often.
    from hullwright.tools.remotes import source_address

    git_dir = find_git_dir(ws.root, ws.environ)
    return source_address(Git(ws.runner, ws.root, git_dir).common_dir) if git_dir else ""
