"""What each type of rule gives for a context, before its tag is made legal.

A rule either does not apply (a branch rule on a tag), or gives a text, or should have and could
not: three kinds of answer, because only the last one is worth a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError, UsageError
from hullwright.tagging.javascript import matcher
from hullwright.tagging.model import written
from hullwright.tagging.template import Template
from hullwright.tagging.versions import is_semver, pep440_fields, pep440_of, semver_of, split

if TYPE_CHECKING:
    from hullwright.config.models import TagFlavor, TagRule, TagType
    from hullwright.tagging.model import RefContext

_RAW_ONLY: Final = re.compile(r"\s*\{\{\{?\s*raw\s*\}?\}\}\s*")
_SHOWN: Final = 200
_TEMPLATES: Final = frozenset({"pattern", "prefix", "suffix", "value"})
_PREFIXES: Final[Mapping[str, str]] = {"sha": "sha-", "pr": "pr-"}


@dataclass(frozen=True, slots=True)
class Given:
    """What a rule gave.

    Attributes:
        text: the tag as it was written, with prefix and suffix; empty for none.
        reason: why there is none.
        applies: whether there should be one.
        latest: whether the action would give `latest` with it.
        named: the name that it was made of: a Git tag or a value.
        version: the part of that name which is, or may be, a version.
        uses: the fields of the context that went into the text.
        note: what is odd about its pattern.
        bare: the text without prefix and suffix.
    """

    text: str = ""
    reason: str = ""
    applies: bool = False
    latest: bool = False
    named: str = ""
    version: str = ""
    uses: frozenset[str] = frozenset()
    note: str = ""
    bare: str = ""


@dataclass(frozen=True)
class Giver:
    """Gives the texts of rules for one context.

    Attributes:
        context: the ref, its commit and its clone.
        flavor: prefix and suffix of rules without their own.
        tag_prefix: what stands before a version in this service's Git tags.
        image_tag: the tag of the version, for rules of that type; empty where it is not known.
    """

    context: RefContext
    flavor: TagFlavor
    tag_prefix: str = "v"
    image_tag: str = ""

    def give(self, rule: TagRule) -> Given:
        """Return what a rule gives.

        Raises:
            UsageError: one of its patterns cannot be read.
        """
        try:
            self._check(rule)
            template = self.template()
            if not template.holds(rule.enable):
                return Given(reason=f"enable={rule.enable} does not hold")
            return _GIVERS[rule.type](self, rule, template)
        except HullwrightError as error:
            raise UsageError(
                f"rule {written(rule)[:_SHOWN]}: {error.what}",
                why=error.why,
                next_step=error.next_step,
            ) from None

    def _check(self, rule: TagRule) -> None:
        """Read every pattern of a rule, also where it does not apply to this ref.

        A release must not be where a mistake is found.
        """
        template = self.template()
        for key, pattern in rule.attributes.items():
            if key == "match" or (key == "pattern" and rule.type == "match"):
                matcher(pattern)
            elif key in _TEMPLATES:
                template.render(pattern)

    def of_name(self, rule: TagRule, name: str) -> str:
        """Return the text that a rule of versions would give for another Git tag."""
        template = self.template()
        return _FROM_NAMES[rule.type](self, rule, template, name).text

    def family(self, rule: TagRule, given: Given) -> list[tuple[str, str]]:
        """Return what may be the version of each Git tag that a rule is for, and the tag.

        Where an expression of the rule takes the version out of a name, the tags in which it
        finds one; else those with the same before their version.
        """
        clone, prefix = self.context.clone, self.tag_prefix
        if rule.type != "match" and not rule.attributes.get("match"):
            return clone.family(split(given.named, prefix)[0], prefix)
        of_service = prefix if prefix != "v" else ""
        found = (
            (_matched(self, rule, name), name)
            for name in clone.tag_names
            if name.startswith(of_service)
        )
        return [(text, name) for text, name in found if text]

    def template(self) -> Template:
        """Return what this context's patterns are filled with."""
        dates = {"date": self.context.now, "commit_date": self.context.commit_date}
        return Template(self.context.fields, dates, self.context.github_fields)

    def whole(
        self,
        rule: TagRule,
        template: Template,
        text: str,
        *,
        latest: bool = False,
        named: str = "",
        uses: frozenset[str] = frozenset(),
    ) -> Given:
        """Return the given text with its prefix and suffix."""
        usual = _PREFIXES.get(rule.attributes.get("event", rule.type), self.flavor.prefix)
        prefix = template.render(rule.attributes.get("prefix", usual))
        suffix = template.render(rule.attributes.get("suffix", self.flavor.suffix))
        missing = ", ".join(f"{{{{{name}}}}}" for name in sorted(template.missing))
        note = f"{missing} is not known, and stands for nothing" if missing else ""
        bare, text = text, f"{prefix}{text}{suffix}"
        if not text:
            reason = note or "its pattern is filled with nothing"
            return Given(reason=reason, applies=True)
        used = frozenset(template.used) | uses
        return Given(
            text, applies=True, latest=latest, named=named, uses=used, note=note, bare=bare
        )


def _schedule(giver: Giver, rule: TagRule, template: Template) -> Given:
    if "schedule" not in giver.context.event:
        return Given(reason=f"no schedule: {_event(giver.context)}")
    return giver.whole(rule, template, template.render(rule.attributes.get("pattern", "nightly")))


def _named(giver: Giver, rule: TagRule, template: Template) -> tuple[str, Given | None]:
    """Return the name that a rule of versions looks at, or why there is none."""
    value = rule.attributes.get("value", "")
    if value:
        name = template.render(value)
        empty = Given(reason=f"value={value} is filled with nothing", applies=True)
        return name, None if name else empty
    tag = giver.context.tag
    if not tag:
        return "", Given(reason=_not("a tag", giver.context))
    if giver.tag_prefix != "v" and not tag.startswith(giver.tag_prefix):
        return "", Given(reason=f"{tag} is not a tag of this service ({giver.tag_prefix}…)")
    return tag, None


def _of_versions(giver: Giver, rule: TagRule, template: Template) -> Given:
    name, without = _named(giver, rule, template)
    return without or _FROM_NAMES[rule.type](giver, rule, template, name)


def _candidate(giver: Giver, rule: TagRule, name: str) -> str | Given:
    """Return the part of a name that should be a version, or why there is none."""
    pattern = rule.attributes.get("match", "")
    if pattern:
        found = matcher(pattern).groups(name)
        if not found:
            return Given(reason=f"match={pattern} does not match {name}", applies=True)
        return (found[1] if len(found) > 1 else found[0]) or ""
    if giver.tag_prefix not in {"", "v"} and name.startswith(giver.tag_prefix):
        return split(name, giver.tag_prefix)[1]
    return name


def _semver(giver: Giver, rule: TagRule, template: Template, name: str) -> Given:
    candidate = _candidate(giver, rule, name)
    if isinstance(candidate, Given):
        return candidate
    version = semver_of(candidate)
    if version is None:
        return Given(reason=f"{candidate} is not a SemVer version", applies=True)
    fields = version.fields | ({} if rule.attributes.get("match") else {"raw": name})
    release = not version.prerelease
    return _version(giver, rule, template, fields, name, version=candidate, release=release)


def _pep440(giver: Giver, rule: TagRule, template: Template, name: str) -> Given:
    candidate = _candidate(giver, rule, name)
    if isinstance(candidate, Given):
        return candidate
    version = pep440_of(candidate)
    if version is None:
        return Given(reason=f"{candidate} is not a version by PEP 440", applies=True)
    raw = candidate if rule.attributes.get("match") else name
    final = not (version.is_prerelease or version.is_postrelease or version.is_devrelease)
    fields = pep440_fields(raw, version)
    return _version(giver, rule, template, fields, name, version=candidate, release=final)


def _version(
    giver: Giver,
    rule: TagRule,
    template: Template,
    fields: Mapping[str, str],
    name: str,
    *,
    version: str,
    release: bool,
) -> Given:
    pattern = rule.attributes["pattern"]
    if not release and not _RAW_ONLY.fullmatch(pattern):
        # `1` and `1.2` are for releases: what is before or beside one has its full name only.
        pattern = "{{version}}"
    filled = Template({**template.fields, **fields}, template.dates, template.github)
    text = filled.render(pattern)
    template.missing.update(filled.missing)
    uses = frozenset(filled.used)
    given = giver.whole(rule, template, text, latest=release, named=name, uses=uses)
    return replace(given, version=version)


def _match(giver: Giver, rule: TagRule, template: Template, name: str) -> Given:
    pattern, group = rule.attributes["pattern"], int(rule.attributes.get("group", "0"))
    found = matcher(pattern).groups(name)
    if found is None:
        return Given(reason=f"{pattern} does not match {name}", applies=True)
    text = found[group] if group < len(found) else None
    if text is None:
        return Given(reason=f"{pattern} has no group {group} in {name}", applies=True)
    given = giver.whole(rule, template, text, latest=True, named=name)
    return replace(given, version=_version_in(text, split(name, giver.tag_prefix)[1]))


def _version_in(text: str, rest: str) -> str:
    """Return what of a name is its version: the whole end before what an expression found."""
    for reads in (is_semver, pep440_of):
        for one in (rest, text):
            if reads(one):
                return one
    return rest


def _matched(giver: Giver, rule: TagRule, name: str) -> str:
    """Return what may be the version of another Git tag, by the expression of a rule."""
    if rule.type != "match":
        candidate = _candidate(giver, rule, name)
        return candidate if isinstance(candidate, str) else ""
    text = found_by(rule, name)
    return _version_in(text, split(name, giver.tag_prefix)[1]) if text is not None else ""


def found_by(rule: TagRule, name: str) -> str | None:
    """Return what the expression of a rule of type match finds in a name; None for nothing."""
    group = int(rule.attributes.get("group", "0"))
    found = matcher(rule.attributes["pattern"]).groups(name) or ()
    return found[group] if group < len(found) else None


def _edge(giver: Giver, rule: TagRule, template: Template) -> Given:
    branch = giver.context.branch
    wanted = rule.attributes.get("branch") or giver.context.default_branch
    if not branch:
        return Given(reason=_not("a branch", giver.context))
    if not wanted:
        return Given(
            reason="the default branch is not known; branch=NAME in the rule tells it",
            applies=True,
        )
    if branch != wanted:
        return Given(reason=f"{branch} is not {wanted}")
    return giver.whole(rule, template, "edge")


def _ref(giver: Giver, rule: TagRule, template: Template) -> Given:
    context = giver.context
    match rule.attributes["event"]:
        case "branch":
            if not context.branch:
                return Given(reason=_not("a branch", context))
            uses = frozenset({"branch"})
            return giver.whole(rule, template, context.branch, uses=uses)
        case "tag":
            if not context.tag:
                return Given(reason=_not("a tag", context))
            name, uses = context.tag, frozenset({"tag"})
            given = giver.whole(rule, template, name, latest=True, named=name, uses=uses)
            return replace(given, version=split(name, giver.tag_prefix)[1])
    if not context.pull_request:
        return Given(reason=_not("a pull request", context))
    return giver.whole(rule, template, context.pull_request)


def _raw(giver: Giver, rule: TagRule, template: Template) -> Given:
    return giver.whole(rule, template, template.render(rule.attributes["value"]))


def _sha(giver: Giver, rule: TagRule, template: Template) -> Given:
    context = giver.context
    if not context.sha:
        return Given(reason="the commit is not known", applies=True)
    is_long = rule.attributes.get("format") == "long"
    return giver.whole(rule, template, context.sha if is_long else context.short_sha)


def _local_version(giver: Giver, rule: TagRule, template: Template) -> Given:
    if not giver.image_tag:
        return Given(reason="the version is that of another commit", applies=True)
    return giver.whole(rule, template, giver.image_tag)


def _event(context: RefContext) -> str:
    return f"the event is {context.event}" if context.event else "there is no event"


def _not(wanted: str, context: RefContext) -> str:
    return f"{context.ref} is not {wanted}" if context.ref else "the ref is not known"


_Named = Callable[["Giver", "TagRule", Template, str], Given]
_FROM_NAMES: Final[Mapping[TagType, _Named]] = {
    "semver": _semver,
    "pep440": _pep440,
    "match": _match,
}
_GIVERS: Final[Mapping[TagType, Callable[[Giver, TagRule, Template], Given]]] = {
    "schedule": _schedule,
    "semver": _of_versions,
    "pep440": _of_versions,
    "match": _of_versions,
    "edge": _edge,
    "ref": _ref,
    "raw": _raw,
    "sha": _sha,
    "version": _local_version,
}
