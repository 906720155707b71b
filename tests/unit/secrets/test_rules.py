"""What has to be done before a secrets file that is missing can be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import CheckFailedError
from hullwright.secrets.source import find
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

RULE = "creation_rules:\n  - path_regex: ^\\.env\\.sops\\.yaml$\n    age: age1x\n"


def next_step(root: Path, env: str | None = None) -> str:
    """Return what the error of a missing file says to do."""
    (root / "hullwright.toml").touch()
    with pytest.raises(CheckFailedError, match="missing: ") as caught:
        find(workspace(root), env)
    return caught.value.next_step


def test_without_rules_they_are_made_first(tmp_path: Path) -> None:
    assert next_step(tmp_path).splitlines() == [
        "invoke secrets.init",
        "invoke secrets.set --key NAME",
    ]


@pytest.mark.parametrize("rules", [RULE, "creation_rules:\n  - age: age1x\n", "not: rules", "- x"])
def test_where_a_rule_matches_or_none_can_be_read_a_value_is_set(
    tmp_path: Path, rules: str
) -> None:
    (tmp_path / ".sops.yaml").write_text(rules, encoding="utf-8")
    assert next_step(tmp_path) == "invoke secrets.set --key NAME"


def test_a_rule_that_lacks_is_made_first(tmp_path: Path) -> None:
    (tmp_path / ".sops.yaml").write_text(RULE.replace(r"^\.env", "^other"), encoding="utf-8")
    assert next_step(tmp_path).splitlines()[0] == "invoke secrets.init"
    (tmp_path / ".sops.yaml").write_text("creation_rules: [{age: age1x}]", encoding="utf-8")
    assert next_step(tmp_path) == "invoke secrets.set --key NAME"
