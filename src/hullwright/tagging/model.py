"""What tags are computed from, and what comes of it; all of it plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hullwright.config.tags import PRIORITIES
from hullwright.tagging.legal import sanitized
from hullwright.tagging.versions import split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hullwright.config.models import TagRule

BRANCHES: Final = "refs/heads/"
TAGS: Final = "refs/tags/"
_PULL: Final = re.compile(r"refs/(?:pull|merge-requests)/([^/]+)(?:/.*)?")


@dataclass(frozen=True)
class Clone:
    """What this clone knows besides the ref in question.

    Attributes:
        refs: full names of its branches and tags, those of its remotes as branches.
        lacks: why it may not know every tag; empty where it does.
        repair: the command that brings what it lacks.
    """

    refs: tuple[str, ...] = ()
    lacks: str = ""
    repair: str = ""

    @cached_property
    def branches(self) -> Mapping[str, frozenset[str]]:
        """The branches by the tag that each would have."""
        return self._by_text(BRANCHES)

    @cached_property
    def tags(self) -> Mapping[str, frozenset[str]]:
        """The Git tags by the image tag that each would have."""
        return self._by_text(TAGS)

    @cached_property
    def pulls(self) -> Mapping[str, frozenset[str]]:
        """The pull and merge requests by the tag that each would have."""
        matches = ((ref, _PULL.fullmatch(ref)) for ref in self.refs)
        return {f"pr-{match[1]}": frozenset({ref}) for ref, match in matches if match}

    @cached_property
    def tag_names(self) -> tuple[str, ...]:
        """The Git tags, without `refs/tags/`."""
        return tuple(ref.removeprefix(TAGS) for ref in self.refs if ref.startswith(TAGS))

    def family(self, family: str, prefix: str) -> list[tuple[str, str]]:
        """Return what may be the version of each tag of a family, and the tag."""
        names = ((name, *split(name, prefix)) for name in self.tag_names)
        return [(rest, name) for name, its_family, rest in names if its_family == family]

    def _by_text(self, kind: str) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for ref in self.refs:
            if ref.startswith(kind):
                found.setdefault(sanitized(ref.removeprefix(kind)), set()).add(ref)
        return {text: frozenset(refs) for text, refs in found.items()}


@dataclass(frozen=True)
class RefContext:
    """One ref at one commit, and everything that a rule may ask about it.

    Attributes:
        event: what happened, in GitHub's words: `push`, `schedule`, `pull_request`, …
        ref: full name: `refs/heads/…`, `refs/tags/…`, `refs/pull/N/merge`; empty where unknown.
        sha: full object name of the commit; empty where unknown.
        now: the moment of the run.
        commit_date: the commit's own.
        base_ref: the branch that a pull request is for.
        default_branch: the repository's; empty where nothing tells it.
        is_default_branch: whether the ref is that branch, or the event always means it.
        short_length: digits of a short `sha`.
        origin: who told this: `GitHub`, `GitLab`, `Git` or `flags`.
        clone: what this clone knows.
        notes: what a person should know of how this was found.
    """

    event: str
    ref: str
    sha: str
    now: datetime
    commit_date: datetime
    base_ref: str = ""
    default_branch: str = ""
    is_default_branch: bool = False
    short_length: int = 7
    origin: str = "flags"
    clone: Clone = field(default_factory=Clone)
    notes: tuple[str, ...] = ()

    @property
    def branch(self) -> str:
        """The branch, or nothing where the ref is none."""
        return self.ref.removeprefix(BRANCHES) if self.ref.startswith(BRANCHES) else ""

    @property
    def tag(self) -> str:
        """The Git tag, or nothing where the ref is none."""
        return self.ref.removeprefix(TAGS) if self.ref.startswith(TAGS) else ""

    @property
    def pull_request(self) -> str:
        """The number of the pull or merge request, or nothing where the ref is none."""
        match = _PULL.fullmatch(self.ref)
        return match[1] if match else ""

    @property
    def short_sha(self) -> str:
        """The first digits of the commit."""
        return self.sha[: self.short_length]

    @property
    def fields(self) -> dict[str, str]:
        """The texts that every pattern and every expression may name."""
        return {
            "branch": self.branch,
            "tag": self.tag,
            "sha": self.short_sha,
            "base_ref": self.base_ref,
            "is_default_branch": "true" if self.is_default_branch else "false",
            # Of branches only, as the action has it: no other ref is one or the other.
            "is_not_default_branch": (
                "true" if self.branch and not self.is_default_branch else "false"
            ),
            "default_branch": self.default_branch,
            "event": self.event,
            "ref": self.ref,
            "pr": self.pull_request,
        }

    @property
    def github_fields(self) -> dict[str, str]:
        """The same under the names that GitHub's expressions have for them."""
        name = self.branch or self.tag or self.ref.removeprefix("refs/pull/")
        kind = "tag" if self.tag else "branch"
        pull = self.pull_request
        return {
            "github.ref": self.ref,
            "github.ref_name": name,
            "github.ref_type": kind,
            "github.sha": self.sha,
            "github.event_name": self.event,
            "github.base_ref": self.base_ref if pull else "",
            "github.event.number": pull,
            "github.event.pull_request.number": pull,
            "github.event.repository.default_branch": self.default_branch,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule gave.

    Attributes:
        rule: the rule.
        tag: the tag; empty where it gave none.
        reason: why it gave none, or what is special about the tag.
        warning: whether it should have given one.
    """

    rule: TagRule
    tag: str = ""
    reason: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one service for one ref.

    Attributes:
        context: what they were computed from.
        names: the tags, the primary one first; `latest` last.
        outcomes: what each rule gave, by priority.
        latest: the tag `latest` with its prefix and suffix; empty where it is not given.
        latest_reason: why it is given, or why not.
        service: the service, where it was asked for one.
    """

    context: RefContext
    names: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    latest: str = ""
    latest_reason: str = ""
    service: str = ""

    @property
    def primary(self) -> str:
        """The first tag, by which people call the image; empty without any."""
        return self.names[0] if self.names else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each rule that should have given a tag and gave none."""
        return tuple(
            f"rule {written(outcome.rule)} gives no tag: {outcome.reason}"
            for outcome in self.outcomes
            if outcome.warning
        )


def written(rule: TagRule) -> str:
    """Return a rule in one line, as a file of rules has it."""
    parts = [f"type={rule.type}"]
    parts += [f"{key}={value}" for key, value in rule.attributes.items()]
    if rule.enable:
        parts.append(f"enable={rule.enable}")
    if rule.priority is not None:
        parts.append(f"priority={rule.priority}")
    return ",".join(f'"{part}"' if "," in part else part for part in parts)


def priority(rule: TagRule) -> int:
    """Return the priority of a rule: its own, or that of its type."""
    return PRIORITIES[rule.type] if rule.priority is None else rule.priority
