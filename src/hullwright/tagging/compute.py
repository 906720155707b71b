"""From rules and a context to tags: order, legality, and what moves forward only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hullwright.config.models import TagFlavor, TagRule
from hullwright.errors import UsageError
from hullwright.tagging.forward import moves, newer, taken
from hullwright.tagging.legal import cut, sanitized, with_hash
from hullwright.tagging.model import TAGS, Outcome, RefContext, Tags, priority, written
from hullwright.tagging.rules import Given, Giver
from hullwright.tagging.versions import is_prerelease, looks_like_version, pep440_of, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.tagging.forward import Newer

DEFAULT: Final = (
    TagRule("schedule"),
    *(TagRule("ref", attributes={"event": event}) for event in ("branch", "tag", "pr")),
)
_OF_VERSIONS: Final = frozenset({"semver", "pep440", "match"})
_LATEST: Final = "latest"
_LONG_HASH_DIGITS: Final = 16


def compute(
    context: RefContext,
    rules: Sequence[TagRule] = (),
    flavor: TagFlavor | None = None,
    *,
    tag_prefix: str = "v",
    image_tag: str = "",
    service: str = "",
) -> Tags:
    """Return the tags that rules give to a ref.

    Args:
        context: the ref, its commit, and what the clone knows.
        rules: in the order in which they are written; none is the default set.
        flavor: what holds for all of them.
        tag_prefix: what stands before a version in this service's Git tags.
        image_tag: the tag of the version, for rules of that type.
        service: the service that they are for.

    Raises:
        UsageError: a pattern cannot be read, or the clone lacks tags that would decide.
    """
    ordered = tuple(sorted(rules or DEFAULT, key=priority, reverse=True))
    giver = Giver(context, flavor or TagFlavor(), tag_prefix, image_tag)
    return _Run(giver, ordered, service).tags()


def require(tags: Tags) -> Tags:
    """Return tags of something that is to be pushed, which has one at least.

    Raises:
        UsageError: there is none; with what each rule said.
    """
    if tags.names:
        return tags
    of = f" of {tags.service}" if tags.service else ""
    ref = tags.context.ref or "an unknown ref"
    raise UsageError(
        f"the image{of} has no tag on {ref}, so it cannot be pushed",
        why=[(written(outcome.rule), outcome.reason) for outcome in tags.outcomes],
        next_step="a rule that applies here, such as type=sha, or another ref: --ref",
    )


@dataclass(frozen=True)
class _Run:
    giver: Giver
    rules: Sequence[TagRule]
    service: str
    # Most rules ask about the same version, and there may be thousands of others.
    above: dict[tuple[str, str, bool, str], Sequence[Newer]] = field(default_factory=dict)

    @property
    def context(self) -> RefContext:
        return self.giver.context

    @cached_property
    def latest_name(self) -> str:
        """`latest`, with the prefix and suffix that it may have."""
        flavor, template = self.giver.flavor, self.giver.template()
        prefix = template.render(flavor.prefix) if flavor.prefix_on_latest else ""
        suffix = template.render(flavor.suffix) if flavor.suffix_on_latest else ""
        return cut(sanitized(f"{prefix}{_LATEST}{suffix}"))

    def tags(self) -> Tags:
        givens = [self.giver.give(rule) for rule in self.rules]
        outcomes: list[Outcome] = []
        for rule, given in zip(self.rules, givens, strict=True):
            outcome = self._outcome(rule, given)
            first = next((one for one in outcomes if outcome.tag and one.tag == outcome.tag), None)
            if first:
                reason = f"{outcome.tag}, as rule {written(first.rule)} gives already"
                outcome = Outcome(rule, reason=reason)
            outcomes.append(outcome)
        names = [outcome.tag for outcome in outcomes if outcome.tag]
        leading = ((r, g) for r, g in zip(self.rules, givens, strict=True) if g.text)
        wanted, why = self._latest(*next(leading, (None, None)))
        latest = self.latest_name if wanted and names else ""
        if latest and latest not in names:
            names.append(latest)
        elif not latest and self.latest_name in names:
            latest, why = self.latest_name, "as a rule gives it"
        return Tags(self.context, tuple(names), tuple(outcomes), latest, why, self.service)

    def _outcome(self, rule: TagRule, given: Given) -> Outcome:
        if not given.text:
            return Outcome(rule, reason=given.reason, warning=given.applies)
        if self._holds_back(rule, given):
            having = taken(self.giver, rule, given, self._newer(rule, given))
            if having:
                reason = f"{sanitized(given.text)} stays with the newer {having.tag}"
                return Outcome(rule, reason=reason)
        tag, reason = self._legal(rule, given)
        # With a prefix or a suffix it is the moving tag, too: `latest-alpine`.
        if _LATEST in {tag, sanitized(given.bare)} or tag == self.latest_name:
            back = self._no_latest(rule, self._of_ref(given))
            if back:
                return Outcome(rule, reason=f"no {tag}: {back}", warning=True)
        return Outcome(rule, tag, ", ".join(part for part in (reason, given.note) if part))

    def _holds_back(self, rule: TagRule, given: Given) -> bool:
        """Return whether the tag of a rule may belong to a newer version already."""
        if rule.type not in _OF_VERSIONS or self._mode(rule) == "always":
            return False
        # A pre-release has its full version only, which is no other's.
        return moves(rule, given) and (rule.type == "match" or not is_prerelease(given.version))

    def _latest(self, rule: TagRule | None, given: Given | None) -> tuple[bool, str]:
        if rule is None or given is None:
            return False, "there is no other tag"
        mode = self._mode(rule)
        if mode == "false":
            return False, 'latest = "false"'
        if is_prerelease(given.version):
            return False, f"{given.named} is a pre-release"
        if mode != "true" and not given.latest:
            return False, f"the primary tag is no release of a Git tag ({written(rule)})"
        back = self._no_latest(rule, self._of_ref(given))
        if back:
            return False, back
        return True, f"the newest release, by {written(rule)}" if given.latest else "as it is set"

    def _no_latest(self, rule: TagRule, given: Given) -> str:
        """Return why a version must not be `latest`; nothing where it may be."""
        if is_prerelease(given.version):
            return f"{given.named} is a pre-release"
        above = () if self._mode(rule) == "always" else self._newer(rule, given)
        return f"{above[-1].tag} is newer" if above else ""

    def _of_ref(self, given: Given) -> Given:
        """Return what was given with the version of the Git tag where it has none of its own."""
        if given.named:
            return given
        tag = self.context.tag
        return replace(given, named=tag, version=split(tag, self.giver.tag_prefix)[1])

    def _newer(self, rule: TagRule, given: Given) -> Sequence[Newer]:
        shape = rule.attributes.get("match") or (rule.type == "match" and written(rule))
        key = (given.named, given.version, rule.type == "pep440", shape or "")
        if key not in self.above:
            self.above[key] = newer(self.giver, rule, given)
        return self.above[key]

    def _mode(self, rule: TagRule) -> str:
        return rule.attributes.get("latest", self.giver.flavor.latest)

    def _legal(self, rule: TagRule, given: Given) -> tuple[str, str]:
        """Return the legal form of a tag, and why it has a hash where it has one."""
        text = sanitized(given.text)
        legal = cut(text)
        why = "cut, so it has a hash" if legal != text else self._conflict(rule, given, text)
        if not why:
            return text, ""
        context = self.context
        of_ref = given.uses & {"branch", "tag"} and (context.branch or context.tag)
        source = f"{context.ref}\n{given.text}" if of_ref else given.text
        tag, clone = with_hash(text, source), context.clone
        if tag in clone.branches or tag in clone.tags:
            tag = with_hash(text, source, _LONG_HASH_DIGITS)
        return tag, why

    def _conflict(self, rule: TagRule, given: Given, text: str) -> str:
        """Return what else the tag of a branch, or of a Git tag, would be taken for."""
        clone, context = self.context.clone, self.context
        if rule.type not in {"ref", "raw"}:
            return ""
        if "branch" in given.uses and context.branch:
            others = clone.branches.get(sanitized(context.branch), frozenset()) - {context.ref}
            tagged = clone.tags.get(text, frozenset()) or clone.pulls.get(text, frozenset())
            if text in {_LATEST, self.latest_name}:
                return f"a branch is not {text}, so it has a hash"
            if self._of_version(text):
                return "it would be taken for a version's, so it has a hash"
            if others or tagged:
                return f"{min(others or tagged)} would have the same, so it has a hash"
        elif "tag" in given.uses and sanitized(context.tag) != context.tag:
            others = clone.tags.get(sanitized(context.tag), frozenset()) - {context.ref}
            if others:
                return f"{min(others)} would have the same, so it has a hash"
        return ""

    def _of_version(self, text: str) -> bool:
        """Return whether a rule of versions gives, or may once give, this tag."""
        if looks_like_version(text):
            return True
        rules = [rule for rule in self.rules if rule.type in _OF_VERSIONS]
        if any(rule.type == "pep440" for rule in rules) and pep440_of(text):
            return True
        if not any(letter.isdigit() for letter in text):
            return False
        worded = [rule for rule in rules if _has_words(rule, self.giver.flavor)]
        return any(
            sanitized(self.giver.of_name(rule, ref.removeprefix(TAGS))) == text
            for rule in worded
            for ref in self.context.clone.refs
            if ref.startswith(TAGS)
        )


def _has_words(rule: TagRule, flavor: TagFlavor) -> bool:
    """Return whether a rule's tags may be other than bare figures."""
    around = [rule.attributes.get(key, getattr(flavor, key)) for key in ("prefix", "suffix")]
    bare = rule.attributes["pattern"]
    for name in ("version", "major", "minor", "patch"):
        bare = bare.replace(f"{{{{{name}}}}}", "")
    return bool("".join(around) or bare.strip("v.") or rule.type == "match")
