"""Tag rules: what each type takes, what it cannot do without, and how a table gives one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast, get_args

from hullwright.config.models import Latest, TagFlavor, TagRule, TagType
from hullwright.errors import UsageError, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.config.table import Table

TYPES: Final[tuple[str, ...]] = get_args(TagType)
LATEST: Final[tuple[str, ...]] = get_args(Latest)
PRIORITIES: Final[Mapping[TagType, int]] = {
    "schedule": 1000,
    "semver": 900,
    "pep440": 900,
    "match": 800,
    "edge": 700,
    "ref": 600,
    "version": 500,
    "raw": 200,
    "sha": 100,
}
EVENTS: Final = ("branch", "tag", "pr")
FORMATS: Final = ("short", "long")
# What may stand in a rule besides its type, its priority and `enable`.
ATTRIBUTES: Final = (
    *("pattern", "prefix", "suffix", "value", "group", "branch", "event", "format"),
    *("match", "latest"),
)
_NEEDED: Final[Mapping[TagType, str]] = {
    "semver": "pattern",
    "pep440": "pattern",
    "match": "pattern",
    "ref": "event",
    "raw": "value",
}
_CHOICES: Final = {"event": EVENTS, "format": FORMATS, "latest": LATEST}


def wrong(rule: TagRule) -> tuple[str, str] | None:
    """Return the attribute of a rule that is missing or wrong, and what is; None where all is well.

    The same holds for rules of the configuration and of a file of rules.
    """
    needed = _NEEDED.get(rule.type)
    if needed and needed not in rule.attributes:
        return needed, f"missing: a rule of type {rule.type} is made of it"
    for key, choices in _CHOICES.items():
        given = rule.attributes.get(key)
        if given is not None and given not in choices:
            near = suggestion(given, choices) or f" (known: {', '.join(choices)})"
            return key, f'unknown {key} "{given}"{near}'
    group = rule.attributes.get("group", "0")
    if not (group.isascii() and group.isdigit()):
        return "group", f'expected the number of a group, got "{group}"'
    return None


def read_tags(table: Table) -> tuple[TagRule, ...]:
    """Return the rules under the key `tags`."""
    return tuple(rule for inner in table.tables("tags") if (rule := _rule(inner)))


def read_flavor(table: Table) -> TagFlavor | None:
    """Return what the key `tags-flavor` says; None where it is not there."""
    if not table.has("tags-flavor"):
        return None
    inner = table.table("tags-flavor")
    flavor = TagFlavor(
        latest=cast("Latest", _latest(inner)),
        prefix=inner.text("prefix"),
        suffix=inner.text("suffix"),
        prefix_on_latest=inner.flag("prefix-on-latest", default=False),
        suffix_on_latest=inner.flag("suffix-on-latest", default=False),
    )
    inner.finish()
    return flavor


def latest_word(text: str) -> Latest:
    """Return the word when `text` is one that `latest` takes.

    Raises:
        UsageError: it is none.
    """
    if text not in LATEST:
        near = suggestion(text, LATEST) or f" (known: {', '.join(LATEST)})"
        raise UsageError(f'unknown latest "{text}"{near}')
    return cast("Latest", text)


def _rule(table: Table) -> TagRule | None:
    kind = table.one_of("type", TYPES, "")
    if not kind and not table.has("type"):
        table.problem("type", f"missing (one of {', '.join(TYPES)})")
    attributes = {key: _word(table, key) for key in ATTRIBUTES}
    rule = TagRule(
        type=cast("TagType", kind),
        priority=table.whole("priority", None),
        enable=_word(table, "enable"),
        attributes={key: value for key, value in attributes.items() if table.has(key)},
    )
    table.finish()
    if not kind:
        return None
    found = wrong(rule)
    if found:
        table.problem(*found)
        return replace(rule, attributes={})
    return rule


def _latest(table: Table) -> str:
    word = _word(table, "latest") or "auto"
    if word in LATEST:
        return word
    table.problem("latest", f'unknown latest "{word}"{suggestion(word, LATEST)}')
    return "auto"


def _word(table: Table, key: str) -> str:
    """Return a string; what TOML has a type of its own for may be written as that, too."""
    value = table.raw.get(key)
    if key in {"enable", "latest"} and isinstance(value, bool):
        return "true" if table.flag(key, default=False) else "false"
    if key == "group" and isinstance(value, int):
        return str(table.whole(key, 0))
    return table.text(key)
