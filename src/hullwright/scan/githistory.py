"""Searches every object of a Git repository, and names commit and path of what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from hullwright.run import CommandError, Result
from hullwright.scan.archives import search_file
from hullwright.scan.hits import Hits, finding, not_shown, unsearched
from hullwright.tools import gitobjects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from hullwright.findings import Finding
    from hullwright.scan.search import Haystack
    from hullwright.workspace import Workspace

# Each is one walk over the history.
_MOST_LOOKED_UP: Final = 50
_SUBJECT: Final = "Git history"
_REWRITE: Final = (
    "rotate the secret: whoever cloned has it. Then, if it must go: git filter-repo, and force-push"
)
_UNREACHABLE: Final = "in no commit of a branch or tag"
_EXPIRE: Final = "git reflog expire --expire=now --all && git gc --prune=now"


def search(ws: Workspace, haystack: Haystack) -> tuple[list[Finding], int]:
    """Return what the repository's objects hold, and how many bytes were searched.

    Objects that no branch or tag reaches (a dropped stash, what is only staged) are searched too;
    what lies in one of those alone is a warning, because a push does not send it.

    Raises:
        CommandError: Git cannot read the repository.
    """
    hits, size = Hits(), 0
    kinds: dict[str, str] = {}
    argv = gitobjects.all_objects(ws.root)
    with ws.runner.following(*argv) as process:
        stream: BinaryIO = cast("Any", process.stdout).buffer
        for entry in gitobjects.objects(stream):
            if entry.kind == "tree":
                continue
            found, read = search_file(haystack, entry)
            size += read
            if found:
                kinds[entry.name] = entry.kind
                hits.add(entry.name, found)
        if process.wait() != 0:
            said = process.stderr.read() if process.stderr else ""
            raise CommandError(Result(argv, process.returncode, "", said))
    return [*_findings(ws, haystack, hits, kinds)], size


def _findings(
    ws: Workspace, haystack: Haystack, hits: Hits, kinds: dict[str, str]
) -> Iterator[Finding]:
    looked: dict[str, gitobjects.Where | None] = {}
    for name, keys, encoding in hits.each():
        if name not in looked:
            asked = len(looked) < _MOST_LOOKED_UP
            looked[name] = (
                gitobjects.where(ws.runner, ws.root, name, kinds[name]) if asked else None
            )
        where = looked[name]
        if where is None:
            yield finding(
                "scan.history", f"Git {kinds[name]} {name[:12]}", keys, encoding, remedy=_REWRITE
            )
        elif not where.commit:
            yield finding(
                "scan.history",
                f"Git {kinds[name]} {name[:12]}",
                keys,
                encoding,
                note=_UNREACHABLE,
                remedy=_EXPIRE,
                severity="warning",
            )
        else:
            path = haystack.masked(where.path)
            kind = "tag" if kinds[name] == "tag" else "commit"
            subject = f"{kind} {where.commit}" + (f": {path}" if path else "")
            yield finding("scan.history", subject, keys, encoding, remedy=_REWRITE)
    yield from not_shown("scan.history", _SUBJECT, hits.left_out)
    if gitobjects.is_shallow(ws.runner, ws.root):
        yield unsearched(
            _SUBJECT,
            "this clone is shallow, so older commits are not here",
            remedy="git fetch --unshallow",
        )
