"""Rules as docker/metadata-action writes them: one a line, attributes between commas.

A block of a workflow, or a whole step, may be copied with its keys: `tags: |` and `flavor: |`
begin the two kinds of lines, and other keys are left out.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from hullwright.config.models import TagFlavor, TagRule
from hullwright.config.tags import ATTRIBUTES, TYPES, latest_word, wrong
from hullwright.errors import HullwrightError, UsageError, unknown

if TYPE_CHECKING:
    from hullwright.config.models import TagType

_SECTION: Final = re.compile(r"([A-Za-z][\w-]*):(?:\s*[|>][+-]?)?\s*(#.*)?")
# No tag holds a colon, so this is a key of YAML and what belongs to it.
_KEY: Final = re.compile(r"([A-Za-z][\w-]*):\s+(\S.*)")
_KINDS: Final = frozenset({"tags", "flavor"})
_PLACE: Final = re.compile(r"\$?\{\{.*?\}\}")
_KEYS: Final = ("type", "priority", "enable", *ATTRIBUTES)
_FLAVOR_KEYS: Final = ("latest", "prefix", "suffix", "onlatest")


def parse(text: str, name: str = "rules") -> tuple[tuple[TagRule, ...], TagFlavor | None]:
    """Return the rules of a text, in its order, and its flavor; None where it has none.

    Args:
        text: the lines; blank ones and those that begin with `#` are left out.
        name: what messages call the text.

    Raises:
        UsageError: a line cannot be read; its number and the line are told.
    """
    rules: list[TagRule] = []
    flavor: TagFlavor | None = None
    section = "tags"
    has_keys = any(key[1] in _KINDS for _, line in _lines(text) if (key := _key(line)))
    for number, whole in _lines(text):
        line, key = whole, _key(whole)
        if key and not has_keys:
            raise UsageError(
                f"{name}, line {number}: {line} is a key of a workflow and no rule",
                why="rules are the lines under `tags: |`, such as type=sha",
                next_step="copy these lines, or the whole step with `tags: |`",
            )
        if key:
            section, line = key[1], key[2] if key.re is _KEY and key[1] in _KINDS else ""
        if not line:
            continue
        try:
            if section == "tags":
                rules.append(_rule(line))
            elif section == "flavor":
                flavor = _flavored(flavor or TagFlavor(), line)
        except HullwrightError as error:
            raise UsageError(
                f"{name}, line {number}: {error.what}", why=[("line", line)], next_step=_DOCS
            ) from None
    return tuple(rules), flavor


def _lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that say something, with their numbers and without the dash of a list."""
    stripped = ((n, line.strip()) for n, line in enumerate(text.splitlines(), 1))
    said = ((n, line) for n, line in stripped if line and not line.startswith("#"))
    return [(n, line[2:].strip() if line.startswith("- ") else line) for n, line in said]


def _key(line: str) -> re.Match[str] | None:
    return _SECTION.fullmatch(line) or _KEY.fullmatch(line)


_DOCS: Final = "docs/tags.md tells of each type and its attributes"


def _rule(line: str) -> TagRule:
    given: dict[str, str] = {}
    for field in _fields(line):
        key, sign, value = field.partition("=")
        # What stands without a key is the value.
        key, value = (key.strip().lower(), value.strip()) if sign else ("value", field.strip())
        if key not in _KEYS:
            raise unknown("attribute", key, _KEYS)
        given[key] = value
    kind = given.pop("type", "raw")
    if kind not in TYPES:
        raise unknown("type", kind, TYPES)
    rule = TagRule(
        type=cast("TagType", kind),
        priority=_priority(given.pop("priority", None)),
        enable=given.pop("enable", ""),
        attributes=given,
    )
    found = wrong(rule)
    if found:
        raise UsageError(f"{found[0]}: {found[1]}")
    return rule


def _priority(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(f'priority: expected a whole number, got "{text}"') from None


def _flavored(flavor: TagFlavor, line: str) -> TagFlavor:
    around = ""
    for field in _fields(line):
        key, _, value = (part.strip() for part in field.partition("="))
        match key.lower():
            case "latest":
                flavor = replace(flavor, latest=latest_word(value))
            case "prefix":
                flavor, around = replace(flavor, prefix=value), "prefix"
            case "suffix":
                flavor, around = replace(flavor, suffix=value), "suffix"
            case "onlatest" if value in {"true", "false"} and around == "prefix":
                flavor = replace(flavor, prefix_on_latest=value == "true")
            case "onlatest" if value in {"true", "false"} and around == "suffix":
                flavor = replace(flavor, suffix_on_latest=value == "true")
            case "onlatest":
                raise UsageError("onlatest: expected true or false, behind prefix= or suffix=")
            case _:
                raise unknown("flavor", key, _FLAVOR_KEYS)
    return flavor


def _fields(line: str) -> list[str]:
    """Return the fields of a line of CSV; commas within `{{ … }}` are no separators."""
    kept: list[str] = []

    def hidden(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    try:
        fields = next(csv.reader([_PLACE.sub(hidden, line)], strict=True))
    except csv.Error as error:
        raise UsageError(f"not a line of CSV: {error}") from None
    return [re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], field) for field in fields]
