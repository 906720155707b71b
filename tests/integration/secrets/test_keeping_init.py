"""Starting from nothing: a key that nobody else can read, a rule, and never anything replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright.errors import CheckFailedError, UnavailableError, UsageError
from hullwright.report import secretinit as report
from hullwright.secret import Secret
from hullwright.secrets import environment, keeping
from hullwright.secrets.starting import _write_new, init, plan_init

if TYPE_CHECKING:
    from pathlib import Path

    from vaults import Vault

STAGING: Final = "deploy/environments/staging.sops.yaml"


def keys_of(tmp_path: Path) -> Path:
    return tmp_path / "home/.config/sops/age/keys.txt"


def bare(vault: Vault) -> None:
    (vault.root / "deploy/environments/development.agekey").unlink()


def test_from_nothing_to_a_secret_that_is_read_back(vault: Vault, tmp_path: Path) -> None:
    bare(vault)
    ws = vault.workspace()
    assert plan_init(ws).text() == (
        "create ~/.config/sops/age/keys.txt (mode 0600): a new age key\n"
        "create .sops.yaml: a rule for .env.sops.yaml, to that key"
    )
    assert not keys_of(tmp_path).exists()
    done = init(ws)
    assert (done.key_made, done.rule) == (True, "created")
    assert keys_of(tmp_path).stat().st_mode & 0o777 == 0o600
    assert keys_of(tmp_path).parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in keys_of(tmp_path).parent.iterdir()] == ["keys.txt"]
    assert "AGE-SECRET-KEY" not in f"{report.text(done)}{report.as_json(done)}{done}"
    keeping.set_value(ws, "TOKEN", Secret("first-value"))
    assert environment(ws)["TOKEN"].reveal() == "first-value"


def test_again_it_changes_nothing(vault: Vault, tmp_path: Path) -> None:
    bare(vault)
    first = init(vault.workspace())
    files = (keys_of(tmp_path), vault.root / ".sops.yaml")
    before = [path.read_bytes() for path in files]
    ws = vault.workspace()
    assert plan_init(ws).text() == "nothing to do: there is a key, and a rule"
    again = init(ws)
    assert (again.key_made, again.rule, again.own) == (False, "kept", first.own)
    assert [path.read_bytes() for path in files] == before


def test_a_key_that_others_can_read_is_told_of_and_left(vault: Vault, tmp_path: Path) -> None:
    init(vault.workspace())
    keys_of(tmp_path).chmod(0o644)
    assert "others on this machine can read" in report.text(init(vault.workspace()))
    assert keys_of(tmp_path).stat().st_mode & 0o777 == 0o644


def test_a_second_environment_gets_a_rule_for_the_own_key(vault: Vault, tmp_path: Path) -> None:
    # It is known by its file until the configuration names it.
    vault.seal(STAGING, "A: b\n", vault.other)
    done = init(vault.workspace())
    assert done.recipients == (vault.development.public,)
    added = init(vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path)), env="staging")
    assert (added.rule, added.recipients) == ("added", (vault.other.public,))
    text = (vault.root / ".sops.yaml").read_text(encoding="utf-8")
    assert text.count("path_regex") == 2
    assert init(vault.workspace(), env="production").recipients == done.own


def test_a_key_in_the_environment_is_enough(vault: Vault, tmp_path: Path) -> None:
    text = vault.other.path.read_text(encoding="utf-8")
    done = init(vault.workspace(SOPS_AGE_KEY=text))
    assert (done.key, done.key_made, done.own) == ("$SOPS_AGE_KEY", False, (vault.other.public,))
    assert not keys_of(tmp_path).exists()


def test_the_key_goes_where_the_setting_says(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "mine/key.txt"
    done = init(vault.workspace(SOPS_AGE_KEY_FILE=str(path)))
    assert done.key == str(path)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "notes of mine\n"])
def test_a_file_that_stands_there_is_never_replaced(
    vault: Vault, tmp_path: Path, content: str
) -> None:
    path = keys_of(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckFailedError, match="holds no age key, and is left as it is") as error:
        init(vault.workspace())
    assert error.value.exit_code == 1
    assert path.read_text(encoding="utf-8") == content
    assert not (vault.root / ".sops.yaml").exists()


def test_a_key_that_came_meanwhile_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text("theirs", encoding="utf-8")
    with pytest.raises(CheckFailedError, match="came into being meanwhile") as error:
        _write_new(path, "ours", "keys.txt")
    assert error.value.exit_code == 1
    assert path.read_text(encoding="utf-8") == "theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["keys.txt"]


def test_a_file_of_rules_keeps_what_it_says(vault: Vault) -> None:
    text = "# ours\ncreation_rules:\n- path_regex: ^x$   # one\n  age: age1x\n"
    vault.repository.write(".sops.yaml", text)
    done = init(vault.workspace())
    assert done.rule == "added"
    now = (vault.root / ".sops.yaml").read_text(encoding="utf-8")
    assert now == (
        f"{text}- path_regex: '^\\.env\\.sops\\.yaml$'\n  age: {vault.development.public}\n"
    )


def test_an_unknown_environment_is_2(vault: Vault) -> None:
    with pytest.raises(UsageError, match='unknown environment "stagin"') as error:
        init(vault.workspace(), env="stagin")
    assert error.value.exit_code == 2


def test_without_age_it_is_3(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    ws = vault.workspace(PATH=str(tmp_path / "programs"))
    with pytest.raises(UnavailableError, match="age-keygen is not on PATH") as error:
        init(ws)
    assert error.value.exit_code == 3
    assert "invoke setup" in error.value.next_step
    assert not keys_of(tmp_path).exists()
