"""The rules of `.sops.yaml`: which one covers a file, for whom, and their text with others.

How sops chooses: https://github.com/getsops/sops#using-sopsyaml-conf-to-select-kms-pgp-and-age
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.secrets.rules import FILE
from hullwright.tools import yamlspans

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullwright.tools.yamlspans import Node
    from hullwright.workspace import Workspace

# Kinds of recipients that are told one by one, and where each stands in a map of a group.
_KINDS: Final = {"age": "", "pgp": "", "kms": "arn", "gcp_kms": "resource_id"}
_OTHER_KINDS: Final = {
    "azure_keyvault": "Azure Key Vault",
    "hc_vault": "Vault",
    "hc_vault_transit_uri": "Vault",
    "hckms": "Huawei KMS",
}
_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{40}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One creation rule.

    Attributes:
        number: its place in the file, from 0.
        pattern: `path_regex`; empty covers every file.
        recipients: whom it encrypts to, where they are told one by one.
        others: key services that it encrypts to as well.
        groups: how many key groups it has; 0 where it has its keys itself.
    """

    number: int
    pattern: str
    recipients: tuple[str, ...]
    others: tuple[str, ...]
    groups: int

    @property
    def name(self) -> str:
        """The rule as people find it in the file."""
        return self.pattern or "(every file)"


@dataclass(frozen=True, slots=True)
class Rules:
    """A file of rules.

    Attributes:
        path: the file, absolute.
        name: the same, relative to the repository's root where it is inside.
        text: what stands in it.
        rules: its creation rules.
    """

    path: Path
    name: str
    text: str
    rules: tuple[Rule, ...]

    def covering(self, path: Path) -> Rule | None:
        """Return the rule that sops takes for a file: the first one that matches its path."""
        inside = path.is_relative_to(self.path.parent)
        # What is elsewhere keeps its whole path, as sops does it.
        told = path.relative_to(self.path.parent).as_posix() if inside else str(path)
        return next((rule for rule in self.rules if re.search(rule.pattern, told)), None)

    def with_recipients(self, rule: Rule, add: Iterable[str], remove: Iterable[str]) -> str:
        """Return the file's text where one rule has other recipients, and nothing else differs.

        Raises:
            UsageError: the rule is written in a way that only a person can change.
        """
        gone = set(remove)
        wanted = [key for key in rule.recipients if key not in gone]
        wanted += [key for key in dict.fromkeys(add) if key not in wanted]
        if rule.groups > 1:
            raise self.by_hand(rule, f"it has {rule.groups} key groups, and shares of the key")
        text = self.text
        for kind in ("age", "pgp"):
            before = [key for key in rule.recipients if kind_of(key) == kind]
            after = [key for key in wanted if kind_of(key) == kind]
            if set(before) != set(after):
                text = _edited(text, rule, kind, after)
        # What was written is read again: a rule for others must not be changed by accident.
        if not self._holds(text, rule, wanted):
            raise self.by_hand(rule, "its keys are written in a form that is not known here")
        return text

    def now(self, text: str) -> Rules:
        """Return the same file with another text that was made of this one."""
        return replace(self, text=text, rules=_read(yamlspans.parse(text)))

    def with_rule(self, pattern: str, recipients: Iterable[str]) -> str:
        """Return the file's text with one more rule at the end."""
        sequence = _sequence(self.text)
        lines = rule_lines(pattern, recipients)
        if sequence is None:
            return f"{self.text.rstrip()}\n\ncreation_rules:\n{_indented(lines, 2)}"
        if sequence.style or not sequence.items:
            raise UsageError(
                f"{self.name} has no list of rules, one a line, that one could be added to",
                next_step="write it so, with this rule in it:\n" + "\n".join(lines),
            )
        at = sequence.items[-1].end
        end = self.text.find("\n", at)
        head, tail = (self.text, "") if end < 0 else (self.text[:end], self.text[end + 1 :])
        return f"{head}\n{_indented(lines, sequence.column)}{tail}"

    def by_hand(self, rule: Rule, why: str) -> UsageError:
        """Return the error for a rule that only a person can change."""
        return UsageError(
            f"{self.name}: the rule {rule.name} cannot be changed by a program",
            why=why,
            next_step="change it in an editor, then for each file that it covers:\n"
            "sops updatekeys FILE",
        )

    def _holds(self, text: str, changed: Rule, wanted: list[str]) -> bool:
        try:
            after = _read(yamlspans.parse(text))
        except ValueError:
            return False
        same = [rule for rule in after if rule.number != changed.number]
        if same != [rule for rule in self.rules if rule.number != changed.number]:
            return False
        now = after[changed.number] if changed.number < len(after) else None
        return now is not None and set(now.recipients) == set(wanted)


def load(ws: Workspace) -> Rules | None:
    """Return the rules that sops takes here, or None where there are none.

    Raises:
        UsageError: the file cannot be read, is not YAML or has a rule that sops would refuse.
    """
    named = ws.environ.get("SOPS_CONFIG")
    folders = (ws.root, *ws.root.parents)
    found = [ws.root / named] if named else [folder / FILE for folder in folders]
    path = next((path for path in found if path.is_file()), None)
    if path is None:
        return None
    inside = path.is_relative_to(ws.root)
    name = path.relative_to(ws.root).as_posix() if inside else str(path)
    try:
        text = path.read_text(encoding="utf-8")
        rules = _read(yamlspans.parse(text))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{name} cannot be read: sops knows from it for whom files are encrypted",
            why=getattr(error, "strerror", None) or str(error),
            next_step=f"correct it, or take the last good one: git checkout -- {name}",
        ) from error
    return Rules(path, name, text, rules)


def kind_of(recipient: str) -> str:
    """Return the key of a rule under which a recipient stands, such as `age` or `pgp`."""
    if _FINGERPRINT.fullmatch(recipient.replace(" ", "")):
        return "pgp"
    if recipient.startswith("arn:"):
        return "kms"
    return "gcp_kms" if recipient.startswith("projects/") else "age"


def pattern_for(rules_folder: Path, path: Path) -> str:
    """Return the `path_regex` that matches one file only."""
    inside = path.is_relative_to(rules_folder)
    return f"^{re.escape(path.relative_to(rules_folder).as_posix() if inside else path.name)}$"


def rule_lines(pattern: str, recipients: Iterable[str]) -> list[str]:
    """Return the lines of a new rule, without indentation; one recipient a line."""
    # In single quotes nothing is special to YAML, and a pattern is full of what could be.
    quoted = pattern.replace("'", "''")
    keys = list(recipients)
    if len(keys) == 1:
        return [f"- path_regex: '{quoted}'", f"  age: {keys[0]}"]
    listed = [f"    {key}," for key in keys[:-1]] + [f"    {key}" for key in keys[-1:]]
    return [f"- path_regex: '{quoted}'", "  age: >-", *listed]


def _read(document: Node | None) -> tuple[Rule, ...]:
    rules = document.get("creation_rules") if document else None
    found = []
    for number, node in enumerate(rules.items if rules else ()):
        pattern = node.get("path_regex")
        groups = node.get("key_groups")
        places = groups.items if groups and groups.items else (node,)
        one_by_one = [key for place in places for kind in _KINDS for key in _keys(place, kind)]
        others = [told for place in places for key, told in _OTHER_KINDS.items() if place.get(key)]
        written = pattern.value if pattern else ""
        try:
            re.compile(written)
        except re.error as error:
            raise ValueError(f'the path_regex "{written}" is none: {error}') from error
        found.append(
            Rule(
                number,
                written,
                tuple(dict.fromkeys(one_by_one)),
                tuple(dict.fromkeys(others)),
                len(groups.items) if groups else 0,
            )
        )
    return tuple(found)


def _keys(place: Node, kind: str) -> tuple[str, ...]:
    node = place.get(kind)
    if node is None:
        return ()
    inner = _KINDS[kind]
    maps = [item.get(inner) for item in node.items if inner and item.kind == "mapping"]
    return (*node.texts(), *(found.value for found in maps if found))


def _sequence(text: str) -> Node | None:
    document = yamlspans.parse(text)
    return document.get("creation_rules") if document else None


def _edited(text: str, rule: Rule, kind: str, wanted: list[str]) -> str:
    """Return the text where the keys of one kind are others; the smallest change that does it."""
    sequence = _sequence(text)
    if sequence is None:
        return text
    place = sequence.items[rule.number]
    groups = place.get("key_groups")
    place = groups.items[0] if groups and groups.items else place
    node = place.get(kind)
    if node is None:
        new = f"{kind}: {','.join(wanted)}\n{' ' * place.column}"
        return f"{text[: place.start]}{new}{text[place.start :]}"
    if node.alias or not wanted:
        return text
    if node.kind == "sequence" and not node.style:
        return _lines_edited(text, node, wanted)
    if node.kind == "sequence":
        kept = {item.value.strip(): text[item.start : item.end] for item in node.items}
        new = f"[{', '.join(kept.get(key, key) for key in wanted)}]"
    elif node.style in {">", "|"}:
        key = place.key(kind)
        indent = " " * ((key.column if key else place.column) + 2)
        new = ">-\n" + ",\n".join(f"{indent}{key}" for key in wanted)
    else:
        new = ",".join(wanted)
    return f"{text[: node.start]}{new}{text[node.end :]}"


def _lines_edited(text: str, node: Node, wanted: list[str]) -> str:
    """Return the text where a list of one key a line has others; comments stay with their key."""
    here = [item.value.strip() for item in node.items]
    last = node.items[-1]
    at = text.find("\n", last.end)
    at = len(text) if at < 0 else at
    new = "".join(f"\n{' ' * node.column}- {key}" for key in wanted if key not in here)
    text = f"{text[:at]}{new}{text[at:]}"
    for item, key in reversed([*zip(node.items, here, strict=True)]):
        if key not in wanted:
            start = text.rfind("\n", 0, item.start) + 1
            end = text.find("\n", item.end)
            text = f"{text[:start]}{text[end + 1 :] if end >= 0 else ''}"
    return text


def _indented(lines: Iterable[str], columns: int) -> str:
    return "".join(f"{' ' * columns}{line}\n" for line in lines)
