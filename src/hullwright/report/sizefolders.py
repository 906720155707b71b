"""Where an image's bytes lie: its folders, each opened as far as that says something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.sizes.contents import Seen

# A folder below this part of the whole is not opened.
_LARGE: Final = 0.2
# Nor is one in which nothing has at least this part of it.
_LEADING: Final = 0.25


@dataclass(slots=True)
class Folder:
    """A folder or a file of an image, and what it adds up to."""

    path: str
    size_bytes: int = 0
    files: int = 0
    inside: dict[str, Folder] = field(default_factory=dict)
    seen: Seen | None = None


def tree(seen: Iterable[Seen]) -> Folder:
    """Return the folder that holds everything that a container sees."""
    root = Folder("")
    for each in seen:
        at = root
        at.size_bytes += each.size_bytes
        at.files += 1
        for name in each.path.strip("/").split("/"):
            path = f"{at.path}/{name}"
            at = at.inside.setdefault(name, Folder(path))
            at.size_bytes += each.size_bytes
            at.files += 1
        at.seen = each
    return root


def largest(root: Folder) -> list[Folder]:
    """Return folders and files that together hold everything, the largest first.

    A folder stands for all in it, unless it is large and something in it is most of that: then
    what is in it stands there in its place.
    """
    shown = []
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        inside = list(folder.inside.values())
        leading = max((each.size_bytes for each in inside), default=0)
        is_told = folder.size_bytes < _LARGE * root.size_bytes or (
            leading < _LEADING * folder.size_bytes
        )
        if inside and (folder is root or not is_told):
            waiting += inside
        elif folder is not root:
            shown.append(folder)
    return sorted(shown, key=lambda folder: (-folder.size_bytes, folder.path))


def by_type(seen: Iterable[Seen]) -> list[tuple[str, int, int]]:
    """Return each type of files with its bytes and its number, the largest first."""
    found: dict[str, list[int]] = {}
    for each in seen:
        counted = found.setdefault(each.type, [0, 0])
        counted[0] += each.size_bytes
        counted[1] += 1
    rows = [(kind, size, files) for kind, (size, files) in found.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))
