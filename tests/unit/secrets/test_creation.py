"""The rules of sops: which covers a file, and one rule for others with nothing else changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import UsageError
from hullwright.secrets import creation
from hullwright.secrets.creation import Rules, load
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

ALICE, BOB, CAROL = "age1alice", "age1bob", "age1carol"

PLAIN = f"""\
# Whoever reads this
creation_rules:
  - path_regex: ^a\\.yaml$   # the first
    age: {ALICE}
  - path_regex: ^b\\.yaml$
    age: {CAROL} # her
stores:
  yaml: {{indent: 2}}
"""
# Of keys that are written above.
ALIASES = "    key_groups:\n      - age:\n          - *alice\n          - *bob\n"
FORMS = {
    "quoted": (f'    age: "{ALICE},{BOB}"\n', f"    age: {ALICE},{BOB},{CAROL}\n"),
    "folded": (
        f"    age: >-\n      {ALICE},\n      {BOB}\n",
        f"    age: >-\n      {ALICE},\n      {BOB},\n      {CAROL}\n",
    ),
    "lines": (
        f"    age:\n      - {ALICE}  # Alice\n      - {BOB}\n",
        f"    age:\n      - {ALICE}  # Alice\n      - {BOB}\n      - {CAROL}\n",
    ),
    "brackets": (f'    age: [{ALICE}, "{BOB}"]\n', f'    age: [{ALICE}, "{BOB}", {CAROL}]\n'),
    "group": (
        f"    key_groups:\n      - age:\n        - {ALICE}\n        - {BOB}\n",
        f"    key_groups:\n      - age:\n        - {ALICE}\n        - {BOB}\n        - {CAROL}\n",
    ),
    "aliases": (ALIASES, f"{ALIASES}          - {CAROL}\n"),
}
HEAD = f"keys:\n  - &alice {ALICE}\n  - &bob {BOB}\ncreation_rules:\n  - path_regex: ^a$\n"
TAIL = f"\n  # another one\n  - path_regex: ^b$\n    age: {BOB}\n"


def rules(tmp_path: Path, text: str) -> Rules:
    (tmp_path / ".sops.yaml").write_text(text, encoding="utf-8")
    found = load(workspace(tmp_path))
    assert found is not None
    return found


@pytest.mark.parametrize("form", FORMS)
def test_a_recipient_is_added_in_the_form_that_is_there(tmp_path: Path, form: str) -> None:
    before, after = FORMS[form]
    found = rules(tmp_path, HEAD + before + TAIL)
    assert found.rules[0].recipients == (ALICE, BOB)
    text = found.with_recipients(found.rules[0], [CAROL], [])
    assert text == HEAD + after + TAIL


@pytest.mark.parametrize("form", FORMS)
def test_whoever_was_added_can_be_removed_again(tmp_path: Path, form: str) -> None:
    before, after = FORMS[form]
    found = rules(tmp_path, HEAD + after + TAIL)
    text = found.with_recipients(found.rules[0], [], [CAROL])
    # Quotes are not needed, and not kept around keys that are written anew.
    assert text == HEAD + before.replace(f'"{ALICE},{BOB}"', f"{ALICE},{BOB}") + TAIL


def test_one_is_replaced_and_comments_stay(tmp_path: Path) -> None:
    found = rules(tmp_path, PLAIN)
    text = found.with_recipients(found.rules[1], [BOB], [CAROL])
    assert text == PLAIN.replace(f"{CAROL} # her", f"{BOB} # her")


def test_a_fingerprint_goes_to_the_other_kind_of_keys(tmp_path: Path) -> None:
    found = rules(tmp_path, PLAIN)
    fingerprint = "85D77543B3D624B63CEA9E6DBC17301B491B3F21"
    text = found.with_recipients(found.rules[0], [fingerprint], [])
    changed = rules(tmp_path, text)
    assert changed.rules[0].recipients == (ALICE, fingerprint)
    assert changed.rules[1] == found.rules[1]


def test_what_is_there_already_changes_nothing(tmp_path: Path) -> None:
    found = rules(tmp_path, PLAIN)
    assert found.with_recipients(found.rules[0], [ALICE], [BOB]) == PLAIN


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            f"creation_rules:\n  - key_groups:\n      - age: [{ALICE}]\n      - age: [{BOB}]\n",
            "2 key groups",
        ),
        (f"creation_rules:\n  - age: &all {ALICE}\n  - path_regex: x\n    age: *all\n", "a form"),
    ],
)
def test_what_only_a_person_can_change_is_refused(tmp_path: Path, text: str, why: str) -> None:
    found = rules(tmp_path, text)
    with pytest.raises(UsageError, match="cannot be changed by a program") as error:
        found.with_recipients(found.rules[-1], [CAROL], [])
    assert error.value.exit_code == 2
    assert why in str(error.value)
    assert "sops updatekeys FILE" in error.value.next_step


def test_the_first_rule_that_matches_covers(tmp_path: Path) -> None:
    text = f"creation_rules:\n  - path_regex: ^x/\n    age: {ALICE}\n  - age: {BOB}\n"
    found = rules(tmp_path, text)
    inside, top = found.covering(tmp_path / "x/a.yaml"), found.covering(tmp_path / "a.yaml")
    assert inside is not None
    assert inside.name == "^x/"
    assert top is not None
    assert top.name == "(every file)"
    assert rules(tmp_path, PLAIN).covering(tmp_path / "c.yaml") is None


def test_keys_of_all_kinds_are_seen(tmp_path: Path) -> None:
    text = (
        "creation_rules:\n  - key_groups:\n      - age: [age1x]\n        kms:\n"
        "          - arn: arn:aws:kms:x\n        hc_vault: ['https://v/v1/t/keys/k']\n"
    )
    (rule,) = rules(tmp_path, text).rules
    assert rule.recipients == ("age1x", "arn:aws:kms:x")
    assert rule.others == ("Vault",)


def test_a_rule_is_added_after_the_others(tmp_path: Path) -> None:
    found = rules(tmp_path, PLAIN)
    pattern = creation.pattern_for(tmp_path, tmp_path / "deploy/it's.sops.yaml")
    text = found.with_rule(pattern, [ALICE, BOB])
    added = rules(tmp_path, text)
    assert added.rules[:2] == found.rules
    assert added.rules[2].recipients == (ALICE, BOB)
    assert added.covering(tmp_path / "deploy/it's.sops.yaml") == added.rules[2]
    assert text.replace(
        "  - path_regex: '^deploy/it''s\\.sops\\.yaml$'\n"
        f"    age: >-\n      {ALICE},\n      {BOB}\n",
        "",
    ) == PLAIN  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "stores: {}\n"])
def test_the_first_rule_can_be_added(tmp_path: Path, text: str) -> None:
    added = rules(tmp_path, rules(tmp_path, text).with_rule("^a$", [ALICE]))
    assert [rule.recipients for rule in added.rules] == [(ALICE,)]


@pytest.mark.parametrize("text", ["creation_rules: []\n", "creation_rules:\n"])
def test_a_list_that_cannot_be_added_to_is_left_to_a_person(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="no list of rules") as error:
        rules(tmp_path, text).with_rule("^a$", [ALICE])
    assert error.value.exit_code == 2
    assert error.value.next_step.endswith(f"- path_regex: '^a$'\n  age: {ALICE}")


@pytest.mark.parametrize(
    ("text", "why"),
    [("a: [\n", "line 2, column 1"), ('creation_rules: [{path_regex: "("}]\n', "path_regex")],
)
def test_rules_that_cannot_be_read_are_told(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=r"\.sops\.yaml cannot be read") as error:
        rules(tmp_path, text)
    assert error.value.exit_code == 2
    assert why in str(error.value)


def test_rules_elsewhere_are_found_as_sops_finds_them(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(PLAIN, encoding="utf-8")
    root = tmp_path / "below"
    root.mkdir()
    assert load(workspace(root)) is None
    found = load(workspace(root, SOPS_CONFIG="../r.yaml"))
    assert found is not None
    assert len(found.rules) == 2
