"""The version of a repository as it is now.

On a clean tree four Git processes at most: HEAD with the tags that it contains, Git's nearest
tag, the distance where that is another tag or paths limit it, and whether anything is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

import semver

from hullwright.errors import UsageError
from hullwright.tools.git import Git, Head, Nearest, find_git_dir
from hullwright.version.incomplete import doubt_no_tag, refuse_incomplete, repairs
from hullwright.version.model import (
    Version,
    assemble,
    counted_prefix,
    derive,
    highest,
    of_tag,
    without_v,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.workspace import Workspace

_HEX: Final = frozenset("0123456789abcdef")
_REVISION_LENGTHS: Final = range(7, 65)
_NOTED_TAGS: Final = 10
_PROCESSES: Final = 4


def describe(
    ws: Workspace,
    *,
    tag_prefix: str = "v",
    paths: Sequence[str] = (),
    unshallow: bool = False,
    others: int = 0,
) -> Version:
    """Return the version from the highest SemVer tag that HEAD contains.

    Without Git (an exported tree, an image) it is what HULLWRIGHT_VERSION, HULLWRIGHT_REVISION
    and, for the date, HULLWRIGHT_COMMIT_DATE or SOURCE_DATE_EPOCH say.

    Args:
        ws: the repository.
        tag_prefix: what stands before the version in a tag; other tags are not looked at.
        paths: paths that limit the distance, relative to the root.
        unshallow: fetch the history and the tags that the clone lacks.
        others: Git processes that the caller needs besides, so that all stay few.

    Raises:
        UsageError: there is no version, or the clone lacks what would make it right.
    """
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        return _exported(ws)
    if unshallow:
        repair(ws)
    git = Git(ws.runner, ws.root, git_dir)
    return _Repository(ws, git, others).version(tag_prefix, paths)


def describe_services(ws: Workspace, *, others: int = 0) -> dict[str, Version]:
    """Return the version of each configured service; the repository is looked at once.

    Args:
        ws: the repository.
        others: Git processes that the caller needs besides, so that all stay few.
    """
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        return dict.fromkeys(ws.config.services, _exported(ws)) if ws.config.services else {}
    repository = _Repository(ws, Git(ws.runner, ws.root, git_dir), others)
    found: dict[tuple[str, tuple[str, ...]], Version] = {}
    for service in ws.config.services.values():
        key = (service.tag_prefix, service.paths)
        if key not in found:
            found[key] = repository.version(*key)
    return {
        name: found[service.tag_prefix, service.paths]
        for name, service in ws.config.services.items()
    }


def describe_at(
    ws: Workspace, revision: str, *, tag_prefix: str = "v", paths: Sequence[str] = ()
) -> Version | None:
    """Return the version of an earlier commit, or None where HEAD's history has no such one.

    It is what `describe` gave when that commit was checked out, by the tags that there are now.

    Args:
        ws: the repository.
        revision: full object name of the commit.
        tag_prefix: what stands before the version in a tag.
        paths: paths that limit the distance, relative to the root.
    """
    git_dir = find_git_dir(ws.root, ws.environ)
    named = len(revision) in _REVISION_LENGTHS and set(revision) <= _HEX
    if git_dir is None or not named or not Git(ws.runner, ws.root, git_dir).contains(revision):
        return None
    repository = _Repository(ws, Git(ws.runner, ws.root, git_dir, revision), told=True)
    # A commit is what was committed, whatever lies in the work tree now.
    repository.content = repository.head.tree
    return repository.version(tag_prefix, paths)


def repair(ws: Workspace) -> tuple[str, ...]:
    """Bring the history and the tags that a clone lacks; return the commands that did it."""
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        return ()
    git = Git(ws.runner, ws.root, git_dir)
    commands = repairs(git)
    for command in commands:
        with ws.console.step(" ".join(command)):
            ws.runner.run(*command, cwd=ws.root)
    return tuple(" ".join(command) for command in commands)


@dataclass
class _Repository:
    """One look at a repository; what it found is kept for the next prefix.

    Attributes:
        content: object name of what is in the work tree, once it was looked at.
        told: whether all that is odd about tags was told already, by another look.
    """

    ws: Workspace
    git: Git
    others: int = 0
    content: str | None = None
    told: bool = False

    @cached_property
    def head(self) -> Head:
        """The commit that is checked out; its history is known to be whole."""
        head = self.git.head()
        refuse_incomplete(self.git, self.ws.console)
        return head

    def version(self, tag_prefix: str, paths: Sequence[str]) -> Version:
        """Return the version by the tags of one prefix."""
        head = self.head
        configured, highest_tag = tag_prefix, highest(head.tags, tag_prefix)
        if highest_tag is None:
            tag_prefix = counted_prefix(head.tags, tag_prefix)
            highest_tag = highest(head.tags, tag_prefix)
        tag, base = highest_tag or ("", None)
        if base is None and not self.told:
            doubt_no_tag(self.git, self.ws.console, tag_prefix)
        nearest = self.git.nearest(tag_prefix) if base else None
        distance = _distance(head, nearest, tag) if not paths else None
        processes = head.processes + bool(nearest) + (distance is None)
        if distance is None:
            distance = self.git.count(head.tags.get(tag), paths)
        # Asking first saves a process where the tree is clean and costs one where it is not: it
        # is done where two more would be one too many.
        changed = self._changed_tree(ask_first=processes + self.others + 2 > _PROCESSES)
        if not self.told:
            self._tell_left_out(tag_prefix, tag)
            self._tell_other_way(configured, tag_prefix, base)
        return assemble(
            derive(base, distance=distance, revision=head.revision, changed_tree=changed),
            revision=head.revision,
            describe=nearest.text if nearest else head.revision[:7],
            ref=head.ref,
            commit_date=datetime.fromtimestamp(head.time_s, UTC),
            distance=distance,
            dirty=changed is not None,
            tag=tag,
        )

    def _changed_tree(self, *, ask_first: bool) -> str | None:
        if self.content is None:
            clean = ask_first and self.git.is_clean()
            self.content = self.head.tree if clean else self.git.content_tree()
        return None if self.content == self.head.tree else self.content

    def _tell_left_out(self, tag_prefix: str, tag: str) -> None:
        console, head = self.ws.console, self.head
        lower = [
            name
            for name, commit in head.tags.items()
            if commit == head.revision != head.tags.get(tag) and of_tag(name, tag_prefix)
        ]
        if lower:
            console.note(f"! HEAD is tagged {', '.join(lower)}, but contains the higher {tag}")
        if console.verbose:
            odd = [n for n in head.tags if n.startswith(tag_prefix) and not of_tag(n, tag_prefix)]
            more = f" and {len(odd) - _NOTED_TAGS} more" if len(odd) > _NOTED_TAGS else ""
            if odd:
                console.detail(f"left out, not SemVer: {', '.join(odd[:_NOTED_TAGS])}{more}")

    def _tell_other_way(
        self, configured: str, tag_prefix: str, base: semver.Version | None
    ) -> None:
        """Tell of tags that are written with or without the `v`, unlike those that count."""
        console = self.ws.console
        if tag_prefix != configured:
            console.detail(f'no tag begins with "{configured}": those with "{tag_prefix}" count')
            return
        bare = without_v(tag_prefix)
        other = f"{tag_prefix}v" if bare is None and not tag_prefix[-1:].isalpha() else bare
        found = highest(self.head.tags, other) if other is not None else None
        if found and (base is None or found[1] > base):
            console.note(
                f"! {found[0]} is higher, but does not count: its prefix is not "
                f'"{tag_prefix}"; tag-prefix = "{other}" would count such tags'
            )


def _distance(head: Head, nearest: Nearest | None, tag: str) -> int | None:
    """Return the distance where it is known without counting."""
    if tag and head.tags[tag] == head.revision:
        return 0
    if nearest and head.tags.get(nearest.tag) == head.tags.get(tag):
        return nearest.distance
    return None


def _exported(ws: Workspace) -> Version:
    text = ws.environ.get("HULLWRIGHT_VERSION", "")
    revision = ws.environ.get("HULLWRIGHT_REVISION", "")
    if not (text and revision):
        raise UsageError(
            f"{ws.root} is not in a Git repository, and Git is where a version comes from",
            why=[
                ("HULLWRIGHT_VERSION", text or "not set"),
                ("HULLWRIGHT_REVISION", revision or "not set"),
            ],
            next_step="run it in a clone; for an exported tree, set both variables",
        )
    if not semver.Version.is_valid(text):
        raise UsageError(
            f'HULLWRIGHT_VERSION is "{text}", which is not SemVer 2',
            next_step="HULLWRIGHT_VERSION=1.2.3   (without a prefix)",
        )
    if len(revision) not in _REVISION_LENGTHS or not set(revision) <= _HEX:
        raise UsageError(
            f'HULLWRIGHT_REVISION is "{revision}", which is not a commit\'s object name',
            next_step="HULLWRIGHT_REVISION=$(git rev-parse HEAD)   where the tree was exported",
        )
    version = semver.Version.parse(text)
    return assemble(
        version,
        revision=revision,
        describe=text,
        ref="",
        commit_date=_exported_date(ws.environ),
        distance=None,
        dirty="dirty" in (version.build or "").split("."),
    )


def _exported_date(environ: Mapping[str, str]) -> datetime:
    """Return the date of an exported tree; where none is told, the same for every one."""
    moment = environ.get("HULLWRIGHT_COMMIT_DATE", "")
    seconds = environ.get("SOURCE_DATE_EPOCH", "")
    try:
        if moment:
            return datetime.fromisoformat(moment).astimezone(UTC)
        return datetime.fromtimestamp(int(seconds or 0), UTC)
    except (ValueError, OverflowError, OSError):
        name = "HULLWRIGHT_COMMIT_DATE" if moment else "SOURCE_DATE_EPOCH"
        raise UsageError(
            f'{name} is "{moment or seconds}", which is not the date of a commit',
            next_step="HULLWRIGHT_COMMIT_DATE=2026-01-31T12:00:00Z, or seconds since 1970 in "
            "SOURCE_DATE_EPOCH",
        ) from None
