"""Whether a version is still the newest that a moving tag may name.

`latest`, `1` and `1.2` are promises about the newest release. A back-port, or an old pipeline
that runs again, must not take them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.tagging.legal import sanitized
from hullwright.tagging.rules import found_by
from hullwright.tagging.versions import (
    pep440_of,
    release_order,
    release_pep440,
    semver_of,
    without_zeros,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version as Pep440

    from hullwright.config.models import TagRule
    from hullwright.tagging.model import RefContext
    from hullwright.tagging.rules import Given, Giver

_NUMBERS: Final = ("major", "minor", "patch")
# How a job's own checkout brings every tag.
_CHECKOUTS: Final = {
    "GitHub": "fetch-depth: 0 of actions/checkout",
    "GitLab": 'GIT_DEPTH: "0" among the job\'s variables',
}


@dataclass(frozen=True, slots=True)
class Newer:
    """A release above the one in question: its Git tag, and its figures if they are all of it."""

    order: tuple[int, ...]
    tag: str


def newer(giver: Giver, rule: TagRule, given: Given) -> Sequence[Newer]:
    """Return the releases above a version, ascending, of the tags that the same rule is for.

    Nothing is above what is no version.

    Raises:
        UsageError: this clone may lack tags, so the answer could be wrong.
    """
    own = None if rule.type == "pep440" else semver_of(given.version)
    if own:
        _refuse(giver.context, given.named)
        # A release of the same figures is above its pre-releases.
        least = own.order if own.prerelease else (*own.order, 0)
        ordered = ((release_order(text), tag) for text, tag in giver.family(rule, given))
        return [Newer(*one) for one in sorted((o, tag) for o, tag in ordered if o and o >= least)]
    other = pep440_of(given.version)
    if not other:
        return ()
    _refuse(giver.context, given.named)
    return _above(other, giver.family(rule, given))


def _above(other: Pep440, family: Iterable[tuple[str, str]]) -> Sequence[Newer]:
    """Return the releases above a version by PEP 440, ascending."""
    figures = (other.epoch, without_zeros(other.release))
    found = []
    for text, tag in family:
        release = release_pep440(text)
        if release is None or release[0][:2] < figures:
            continue
        # Only among those of the same figures the rest of a version decides.
        if release[0][:2] == figures:
            version = pep440_of(text)
            if version is None or version <= other:
                continue
        found.append((release[0], tag, release[1]))
    return [Newer(order, tag) for _, tag, order in sorted(found)]


def moves(rule: TagRule, given: Given) -> bool:
    """Return whether later releases may have the same tag by the same rule."""
    if rule.type == "match":
        return semver_of(sanitized(given.bare)) is None
    return not (given.uses & {"version", "raw", "tag"})


def taken(giver: Giver, rule: TagRule, given: Given, above: Sequence[Newer]) -> Newer | None:
    """Return the newest of the newer releases that would have the same tag by the same rule."""
    if rule.type == "semver":
        return _by_numbers(given, above)
    text = sanitized(given.text)
    named = [index for index, name in enumerate(_NUMBERS) if name in given.uses]
    looked_at: set[object] = set()
    for one in reversed(above):
        part = _deciding(rule, one, named)
        if part in looked_at:
            continue
        looked_at.add(part)
        if sanitized(giver.of_name(rule, one.tag)) == text:
            return one
    return None


def _deciding(rule: TagRule, one: Newer, named: Sequence[int]) -> object:
    """Return what of another Git tag its text by a rule is made of.

    Thousands of tags have few of these: a series, or what an expression finds.
    """
    if rule.type == "match":
        return found_by(rule, one.tag)
    return tuple(one.order[index] for index in named) if one.order else one.tag


def _by_numbers(given: Given, above: Sequence[Newer]) -> Newer | None:
    """Return the same by comparing the figures that the pattern names: there may be thousands."""
    own = semver_of(given.version)
    if own is None or own.prerelease or given.uses & {"version", "raw", "tag"}:
        return None
    named = [index for index, name in enumerate(_NUMBERS) if name in given.uses]
    same = (
        one
        for one in reversed(above)
        if all(one.order[index] == own.order[index] for index in named)
    )
    return next(same, None)


def _refuse(context: RefContext, name: str) -> None:
    clone = context.clone
    if not clone.lacks:
        return
    checkout = _CHECKOUTS.get(context.origin)
    steps = (clone.repair, f"or: {checkout}" if checkout else "")
    raise UsageError(
        f"whether {name} is the newest release is not known in this clone",
        why=[("clone", clone.lacks)],
        next_step="\n".join(
            [*(step for step in steps if step), 'or: latest = "always" in [tags-flavor]']
        ),
    )
