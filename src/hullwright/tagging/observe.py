"""The context of a run: what CI says, what Git knows, and what was set by hand.

What CI says wins over Git, for a job may have any commit checked out, and flags win over both.
Git alone gives the same answer as CI for the same commit and ref.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError, unknown
from hullwright.tagging.model import BRANCHES, TAGS, Clone, RefContext
from hullwright.tagging.providers import Told, event_file, github, gitlab, short_length
from hullwright.tools.git import Git, find_git_dir
from hullwright.tools.gitrefs import (
    Checkout,
    Refs,
    commit_of,
    has_remote,
    head_of,
    narrow_remotes,
    refs_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.workspace import Workspace

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_USUAL: Final = ("main", "master")


def look(
    ws: Workspace,
    *,
    event: Path | None = None,
    ref: str = "",
    at: Sequence[str] = (),
    checkout: Checkout | None = None,
) -> RefContext:
    """Return the context of this run.

    Args:
        ws: the repository.
        event: a file with GitHub's event, or with variables of GitHub or GitLab.
        ref: what to take for the ref: a full name, or that of a branch or tag of this clone.
        at: what to take for the commit, for the moment of the run, or both.
        checkout: what is checked out, where that is known; Git is not asked again.

    Raises:
        UsageError: there is no commit, or something that was named does not exist.
    """
    moment, revision = _at(at)
    environ, payload = _given(ws, event)
    told = _told(environ, payload, by_file=event is not None)
    git_dir = find_git_dir(ws.root, ws.environ)
    if git_dir is None:
        return _without_git(ws, told, ref, moment, revision)
    git = Git(ws.runner, ws.root, git_dir)
    return _Look(ws, git, environ, checkout).context(told, ref, moment, revision)


@dataclass(frozen=True)
class _Look:
    ws: Workspace
    git: Git
    environ: Mapping[str, str]
    checkout: Checkout | None = None

    def context(
        self, told: Told | None, ref: str, moment: datetime | None, revision: str
    ) -> RefContext:
        refs = refs_of(self.git)
        by_hand = self._by_ref(refs, _full(ref, refs), told) if ref else None
        found = by_hand or told or self._by_head(refs)
        clone = Clone(refs.names, *self._lacks(refs, found.ref))
        if revision:
            found = replace(found, sha=self._commit(revision)[0], commit_date=None)
        sha, date = self._dated(found)
        return context_of(
            replace(found, sha=sha, commit_date=date, default_branch=_default(found, refs)),
            moment,
            clone,
            () if told or ref else _notes(found, refs, sha),
        )

    def _by_ref(self, refs: Refs, ref: str, told: Told | None) -> Told:
        """Return what a ref means that was set by hand: as if it had been pushed."""
        length = told.short_length if told else short_length(self.environ)
        name = ref.removeprefix(BRANCHES)
        remote = (refs.remote_branches[key] for key in refs.remote_branches if _same(key, name))
        sha = refs.commits.get(ref) or next(remote, "")
        event = "push" if ref.startswith((BRANCHES, TAGS)) else "pull_request"
        default = told.default_branch if told else ""
        base = told.base_ref if told and told.ref == ref else ""
        found = Told(event, ref, sha, base, default, short_length=length, origin="flags")
        if told and told.ref == ref:
            return replace(found, event=told.event, sha=told.sha)
        return found

    def _by_head(self, refs: Refs) -> Told:
        ref = self.checkout.ref if self.checkout else head_of(self.git)
        sha = self._commit("HEAD")[0]
        if not ref:
            # As after `git checkout v1.2.3`: of several tags on the commit the newest is meant.
            tags = [name for name in refs.commits if name.startswith(TAGS)]
            ref = _newest([tag for tag in tags if refs.commits[tag] == sha])
        length = short_length(self.environ)
        return Told("push", ref, sha, short_length=length, origin="Git")

    def _dated(self, found: Told) -> tuple[str, datetime]:
        """Return commit and date; of a commit that this clone lacks, what was told of it."""
        here = not found.sha or (self.checkout and self.checkout.revision == found.sha)
        commit = self._commit("HEAD") if here else commit_of(self.git, found.sha)
        if commit:
            return commit[0], datetime.fromtimestamp(commit[1], UTC)
        return found.sha, found.commit_date or datetime.fromtimestamp(self._commit("HEAD")[1], UTC)

    def _commit(self, name: str) -> tuple[str, int]:
        if self.checkout and name == "HEAD":
            return self.checkout.revision, self.checkout.time_s
        commit = commit_of(self.git, name)
        if commit:
            return commit
        if name != "HEAD":
            raise UsageError(
                f"{name} is no commit of this clone",
                next_step="git fetch   (or write a moment as 2026-01-31T12:00:00Z)",
            )
        # The version's own look explains a branch without a commit, and an owner who is another.
        self.git.head()
        raise UsageError(f"{self.ws.root} has no commit that can be read")

    def _lacks(self, refs: Refs, ref: str) -> tuple[str, str]:
        """Return why tags may be missing here, and the command that brings them."""
        narrow = narrow_remotes(self.git)
        widen = "".join(f"git remote set-branches {name} '*' && " for name in narrow)
        if (self.git.common_dir / "shallow").is_file():
            command = f"{widen}git fetch --unshallow --tags"
            return "it is shallow: earlier commits and tags are unknown", command
        without = self.git.remotes_without_tags()
        if without:
            command = " && ".join(f"git fetch --tags {name}" for name in without)
            return f"it does not fetch the tags of {', '.join(without)}", command
        if narrow:
            return (
                "it follows single branches, so it has their tags only",
                f"{widen}git fetch --tags",
            )
        if _in_a_job(self.ws.environ) and _only(refs, ref) and has_remote(self.git):
            return "it has neither branches nor other tags of its remote", "git fetch --tags"
        return "", ""


def context_of(
    found: Told, moment: datetime | None, clone: Clone, notes: tuple[str, ...] = ()
) -> RefContext:
    now = moment or datetime.now(UTC)
    branch = found.ref.removeprefix(BRANCHES)
    is_default = bool(branch) and (found.of_default_branch or branch == found.default_branch)
    return RefContext(
        event=found.event,
        ref=found.ref,
        sha=found.sha,
        now=now,
        commit_date=found.commit_date or now,
        base_ref=found.base_ref,
        default_branch=found.default_branch,
        is_default_branch=is_default,
        short_length=found.short_length,
        origin=found.origin,
        clone=clone,
        notes=notes,
    )


def _without_git(
    ws: Workspace, told: Told | None, ref: str, moment: datetime | None, revision: str
) -> RefContext:
    if told is None and not ref:
        raise UsageError(
            f"{ws.root} is not in a Git repository, and no event tells of a ref",
            next_step="run it in a clone, or name an event: --event FILE",
        )
    found = told or Told("push", "", "", short_length=short_length(ws.environ), origin="flags")
    found = replace(found, ref=_full(ref, Refs({}, {})) if ref else found.ref)
    found = replace(found, sha=revision or found.sha)
    why = "there is none here: whether newer releases exist is not known"
    return context_of(found, moment, Clone((), why, "run it in a clone"), (f"no clone: {why}",))


def _in_a_job(environ: Mapping[str, str]) -> bool:
    return "true" in {environ.get("GITHUB_ACTIONS"), environ.get("GITLAB_CI")}


def _only(refs: Refs, ref: str) -> bool:
    """Return whether there is nothing but what a job's checkout brings for its own ref."""
    tags = [name for name in refs.commits if name.startswith(TAGS) and name != ref]
    return not (tags or refs.remote_branches)


def _given(ws: Workspace, event: Path | None) -> tuple[Mapping[str, str], dict[str, Any]]:
    """Return the variables and the payload of this run, or of the file."""
    if event is None:
        here = Path(ws.environ.get("GITHUB_EVENT_PATH", ""))
        exists = ws.environ.get("GITHUB_ACTIONS") == "true" and here.is_file()
        return ws.environ, _json(here) if exists else {}
    variables, payload = event_file(_text(event), event.name)
    if not variables:
        return ws.environ, payload
    named = variables.get("GITHUB_EVENT_PATH", "")
    beside = [event.parent / named, event.parent / Path(named).name] if named else []
    path = next((path for path in beside if path.is_file()), None)
    return variables, payload or (_json(path) if path else {})


def _told(environ: Mapping[str, str], payload: Mapping[str, Any], *, by_file: bool) -> Told | None:
    if environ.get("GITLAB_CI") == "true" or (by_file and "CI_COMMIT_SHA" in environ):
        return gitlab(environ)
    if by_file or environ.get("GITHUB_ACTIONS") == "true":
        return github(environ, payload)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read", why=why or "") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(_text(path))
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from None
    return data if isinstance(data, dict) else {}


def _at(words: Sequence[str]) -> tuple[datetime | None, str]:
    """Return the moment and the commit that `--at` names; with dashes it is a moment."""
    moment, revision = None, ""
    for word in words:
        if not _DAY.fullmatch(word):
            revision = word
            continue
        try:
            found = datetime.fromisoformat(word)
        except ValueError:
            raise UsageError(
                f'"{word}" is no moment', why="expected such as 2026-01-31T12:00:00Z"
            ) from None
        moment = found if found.tzinfo else found.replace(tzinfo=UTC)
    return moment, revision


def _full(name: str, refs: Refs) -> str:
    """Return the full name of a ref: as it is, or of the one branch or tag that has the name."""
    if name.startswith("refs/"):
        return name
    known = [full for kind in (BRANCHES, TAGS) if (full := f"{kind}{name}") in refs.names]
    if len(known) == 1:
        return known[0]
    if known:
        raise UsageError(
            f"{name} is a branch and a tag", next_step=f"--ref {known[0]}, or --ref {known[1]}"
        )
    names = [full.partition("/")[2].partition("/")[2] for full in refs.names]
    raise (
        unknown("ref", name, names)
        if len(names) < _LISTED
        else UsageError(
            f'unknown ref "{name}"', next_step="a branch or tag of this clone, or refs/…"
        )
    )


_LISTED: Final = 30


def _newest(tags: Sequence[str]) -> str:
    """Return the tag of the highest version; without a version the last by name."""
    from hullwright.tagging.versions import semver_of, split

    def order(ref: str) -> tuple[bool, tuple[int, ...], bool, str]:
        version = semver_of(split(ref.removeprefix(TAGS), "v")[1])
        if version is None:
            return (False, (), False, ref)
        return (True, version.order, not version.prerelease, ref)

    return max(tags, key=order, default="")


def _default(found: Told, refs: Refs) -> str:
    """Return the default branch: told, or a remote's, or the one of the usual names that exists."""
    if found.default_branch or refs.default_branch:
        return found.default_branch or refs.default_branch
    usual = [name for name in _USUAL if f"{BRANCHES}{name}" in refs.names]
    return usual[0] if len(usual) == 1 else ""


def _notes(found: Told, refs: Refs, sha: str) -> tuple[str, ...]:
    """Return what a person may have meant otherwise on a laptop."""
    on = sorted(n.removeprefix(TAGS) for n, c in refs.commits.items() if c == sha and TAGS in n)
    if found.ref.startswith(TAGS) or not on:
        return () if found.ref else ("no branch is checked out, and no tag is on the commit",)
    return (f"the commit is also tagged {', '.join(on)}: --ref {on[-1]} gives that tag's names",)


def _same(remote_branch: str, name: str) -> bool:
    return remote_branch.partition("/")[2] == name
