"""Which tags name one image for ever, and which one the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.config.models import TagFlavor
from hullwright.tagging.forward import moves
from hullwright.tagging.rules import Giver
from hullwright.tagging.versions import is_prerelease

if TYPE_CHECKING:
    from hullwright.config.models import TagRule
    from hullwright.tagging.model import RefContext, Tags
    from hullwright.tagging.rules import Given

_OF_VERSIONS: Final = frozenset({"semver", "pep440", "match"})
_ALL_FIGURES: Final = frozenset({"major", "minor", "patch"})
_PLAIN: Final = TagFlavor()


def fixed(tags: Tags, *, tag_prefix: str = "v") -> tuple[str, ...]:
    """Return the tags of an image that must never name another one, in their order.

    These are full versions, commits and Git tags. All others are what people follow: `latest`,
    major and minor versions, branches, `edge`, pull requests, schedules, and whatever is written
    as it is.

    Args:
        tags: what the rules gave.
        tag_prefix: what stands before a version in the service's Git tags.
    """
    found = [
        outcome.tag
        for outcome in tags.outcomes
        if outcome.tag and _is_fixed(outcome.rule, tags.context, tag_prefix)
    ]
    return tuple(tag for tag in found if tag != tags.latest)


def _is_fixed(rule: TagRule, context: RefContext, tag_prefix: str) -> bool:
    if rule.type in {"sha", "version"}:
        return True
    if rule.type == "ref":
        return rule.attributes["event"] == "tag"
    if rule.type not in _OF_VERSIONS:
        return False
    # Neither prefix nor suffix decides, so the rules' flavor is not needed.
    given = Giver(context, _PLAIN, tag_prefix).give(rule)
    return _of_one_version(rule, given)


def _of_one_version(rule: TagRule, given: Given) -> bool:
    # A pre-release has its full version in place of what a pattern of figures would give.
    if rule.type != "match" and is_prerelease(given.version):
        return True
    return given.uses >= _ALL_FIGURES or not moves(rule, given)
