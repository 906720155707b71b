"""Whether a version is still the newest that a moving tag may name.

`latest`, `1` and `1.2` are promises about the newest release. A back-port, or an old pipeline
that runs again, must not take them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.tagging.legal import sanitized
from hullwright.tagging.versions import pep440_of, semver_of, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.config.models import TagRule
    from hullwright.tagging.model import Clone
    from hullwright.tagging.rules import Given, Giver

_NUMBERS: Final = ("major", "minor", "patch")


@dataclass(frozen=True, slots=True)
class Newer:
    """A release above the one in question: its figures, where it is SemVer, and its Git tag."""

    order: tuple[int, ...]
    tag: str


def newer(clone: Clone, given: Given, prefix: str, *, pep440: bool) -> Sequence[Newer]:
    """Return the releases of the same family that are above a version, ascending.

    Nothing is above what is no version.

    Args:
        clone: what is known.
        given: the version, and the name that it was found in.
        prefix: what stands before a version in the service's Git tags.
        pep440: whether versions are compared as PEP 440 has it.

    Raises:
        UsageError: this clone may lack tags, so the answer could be wrong.
    """
    family = split(given.named, prefix)[0]
    own = None if pep440 else semver_of(given.version)
    if own:
        _refuse(clone, given.named)
        # A release of the same figures is above its pre-releases.
        least = own.order if own.prerelease else (*own.order, 0)
        found = sorted(one for one in clone.releases(family, prefix) if one[0] >= least)
        return [Newer(order, tag) for order, tag in found]
    other = pep440_of(given.version)
    if not other:
        return ()
    _refuse(clone, given.named)
    releases = sorted(one for one in clone.pep440_releases(family, prefix) if one[0] > other)
    return [Newer((), tag) for _, tag in releases]


def taken(giver: Giver, rule: TagRule, given: Given, above: Sequence[Newer]) -> Newer | None:
    """Return the newest of the newer releases that would have the same tag by the same rule."""
    if rule.type == "semver" and not rule.attributes.get("match"):
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


def _refuse(clone: Clone, name: str) -> None:
    if clone.lacks:
        raise UsageError(
            f"whether {name} is the newest release is not known in this clone",
            why=[("clone", clone.lacks)],
            next_step='git fetch --unshallow --tags   (or latest = "always" in [tags-flavor])',
        )
