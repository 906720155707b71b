"""Whether a version is still the newest that a moving tag may name.

`latest`, `1` and `1.2` are promises about the newest release. A back-port, or an old pipeline
that runs again, must not take them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.tagging.legal import sanitized
from hullwright.tagging.versions import pep440_of, release_order, semver_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """A release above the one in question: its figures, where it is SemVer, and its Git tag."""

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
    versions = ((pep440_of(text), tag) for text, tag in giver.family(rule, given))
    final = [(v, tag) for v, tag in versions if v and not v.is_prerelease and v > other]
    return [Newer((), tag) for _, tag in sorted(final)]


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
    having = (one for one in reversed(above) if sanitized(giver.of_name(rule, one.tag)) == text)
    return next(having, None)


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
