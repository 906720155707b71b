"""How what an image was built from stands to what is checked out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hullwright.tools.git import Git, find_git_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.version.model import Version
    from hullwright.workspace import Workspace

_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an image stands.

    Attributes:
        state: `current`: of this very content; `behind`: of an earlier commit; `changed`: of this
            commit, but not of these files; `other`: of a commit that is not in the history here.
        commits_behind: commits since then that concern the service; None where that is not known.
    """

    state: Literal["current", "behind", "changed", "other"]
    commits_behind: int | None = None


def standing(
    ws: Workspace, now: Version, *, version: str, revision: str, paths: Sequence[str] = ()
) -> Standing:
    """Return how an image stands to what is checked out.

    Args:
        ws: the repository.
        now: the version of its service as Git has it now.
        version: what the image says that its version is.
        revision: the commit that the image says it was built from.
        paths: paths that limit which commits concern its service, relative to the root.
    """
    if version == now.version:
        return Standing("current", 0)
    git_dir = find_git_dir(ws.root, ws.environ)
    # A label may say anything, also a word that Git knows by another meaning.
    if git_dir is None or not _COMMIT.fullmatch(revision):
        return Standing("other")
    git = Git(ws.runner, ws.root, git_dir)
    if not git.contains(revision):
        return Standing("other")
    behind = git.count(revision, paths)
    if behind:
        return Standing("behind", behind)
    unchanged = not now.dirty and "dirty" not in version
    return Standing("current" if unchanged else "changed", 0)
