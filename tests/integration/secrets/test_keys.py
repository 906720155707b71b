"""Who can decrypt what: keys of a person, the development key, and what production refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Secrets
from hullwright.errors import CheckFailedError, UnavailableError, UsageError
from hullwright.secrets import available, decrypt, environment
from hullwright.tools import age

if TYPE_CHECKING:
    from pathlib import Path

    from vaults import Vault

PLAIN: Final = "TOKEN: first-value\n"
STAGING: Final = "deploy/environments/staging.sops.yaml"
PRODUCTION: Final = "deploy/environments/production.sops.yaml"


def test_the_development_key_opens_development_without_any_setting(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    assert environment(vault.workspace())["TOKEN"].reveal() == "first-value"
    assert environment(vault.workspace(), "development")["TOKEN"].reveal() == "first-value"


def test_a_persons_own_key_works_beside_the_development_key(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN, vault.other)
    own = vault.other.path.read_text(encoding="utf-8")
    assert environment(vault.workspace(SOPS_AGE_KEY=own))["TOKEN"].reveal() == "first-value"
    path = str(vault.other.path)
    assert environment(vault.workspace(SOPS_AGE_KEY_FILE=path))["TOKEN"].reveal() == "first-value"


def test_no_key_is_in_an_argument_or_in_what_is_echoed(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    ws = vault.workspace(SOPS_AGE_KEY=vault.other.path.read_text(encoding="utf-8"))
    lines: list[str] = []
    ws.runner.echo = lines.append
    environment(ws)
    asking = 'SOPS_AGE_KEY="${SOPS_AGE_KEY:?}" sops decrypt'
    assert any(asking in line for line in lines)
    assert "AGE-SECRET-KEY" not in "".join(lines)


def test_a_key_that_is_missing_is_told_with_those_that_are_there(
    vault: Vault, tmp_path: Path
) -> None:
    vault.seal(STAGING, PLAIN, vault.other)
    mine = vault.key(tmp_path / "home" / ".config" / "sops" / "age" / "keys.txt")
    with pytest.raises(CheckFailedError) as error:
        environment(vault.workspace(SOPS_AGE_KEY_FILE="/no/keys.txt"), "staging")
    assert error.value.exit_code == 1
    development = age.short(vault.development.public)
    there, theirs = age.short(mine.public), age.short(vault.other.public)
    assert str(error.value).splitlines() == [
        f"missing: the key that decrypts {STAGING}",
        f"  the file is encrypted to   {theirs}",
        "  keys that were looked for  $SOPS_AGE_KEY: not set",
        "                             $SOPS_AGE_KEY_FILE /no/keys.txt: no such file",
        f"                             ~/.config/sops/age/keys.txt: {there}",
        "                             ~/.ssh/id_ed25519: no such file",
        "                             ~/.ssh/id_rsa: no such file",
        f"{' ' * 29}deploy/environments/development.agekey: {development}",
        "  next                       ask a holder of one of its keys to run:",
        f"{' ' * 29}invoke secrets.recipients --add {mine.public} --env staging",
    ]


def test_for_a_file_of_no_environment_sops_itself_is_named(vault: Vault, tmp_path: Path) -> None:
    vault.seal("other.yaml", PLAIN, vault.other)
    mine = vault.key(tmp_path / "mine.txt")
    ws = vault.workspace(SOPS_AGE_KEY_FILE=str(mine.path))
    with pytest.raises(CheckFailedError, match="missing: the key") as error:
        environment(ws, file="other.yaml")
    assert f"sops rotate --in-place --add-age {mine.public} other.yaml" in error.value.next_step


def test_a_setting_that_holds_no_key_does_not_shut_out_the_development_key(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    ws = vault.workspace(SOPS_AGE_KEY="garbage")
    assert environment(ws)["TOKEN"].reveal() == "first-value"


def test_nobody_is_asked_to_encrypt_to_the_development_key(vault: Vault) -> None:
    vault.seal(STAGING, PLAIN, vault.other)
    with pytest.raises(CheckFailedError, match="missing: the key") as error:
        environment(vault.workspace(), "staging")
    assert vault.development.public not in error.value.next_step


def test_whoever_has_no_key_is_told_how_to_make_one(vault: Vault) -> None:
    vault.seal(PRODUCTION, PLAIN, vault.other)
    with pytest.raises(CheckFailedError, match="missing: the key") as error:
        environment(vault.workspace(SOPS_AGE_KEY="garbage"), "production")
    assert "$SOPS_AGE_KEY: holds no age key" in str(error.value)
    assert error.value.next_step.startswith("invoke secrets.init\n")


def test_production_is_decrypted_with_its_own_key(vault: Vault) -> None:
    vault.seal(PRODUCTION, PLAIN, vault.other)
    ws = vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path))
    assert environment(ws, "production")["TOKEN"].reveal() == "first-value"


def test_production_refuses_a_file_that_the_development_key_opens(vault: Vault) -> None:
    vault.seal(PRODUCTION, PLAIN, vault.other, vault.development)
    ws = vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path))
    with pytest.raises(UsageError, match="production refuses") as error:
        environment(ws, "production")
    assert error.value.exit_code == 2
    assert age.short(vault.development.public) in str(error.value)
    remove = f"--remove {vault.development.public} --env production"
    assert f"invoke secrets.recipients --add RECIPIENT {remove}" in error.value.next_step
    with pytest.raises(UsageError, match="production refuses"):
        decrypt(ws, env="production", output=".env")
    assert not (vault.root / ".env").exists()


def test_the_comment_of_a_key_file_cannot_hide_its_key(vault: Vault) -> None:
    path = vault.development.path
    path.write_text(re.sub("#.*\n", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    vault.seal(PRODUCTION, PLAIN, vault.development)
    with pytest.raises(UsageError, match="production refuses"):
        environment(vault.workspace(), "production")


def test_production_refuses_configured_development_keys(vault: Vault) -> None:
    vault.seal(PRODUCTION, PLAIN, vault.other)
    ws = vault.workspace(
        Secrets(development_keys=(vault.other.public,)),
        SOPS_AGE_KEY_FILE=str(vault.other.path),
    )
    with pytest.raises(UsageError, match="production refuses") as error:
        environment(ws, "production")
    assert error.value.exit_code == 2


def test_production_does_not_get_the_development_key(vault: Vault) -> None:
    vault.seal(PRODUCTION, PLAIN, vault.other)
    ws = vault.workspace()
    lines: list[str] = []
    ws.runner.echo = lines.append
    with pytest.raises(CheckFailedError, match="missing: the key"):
        environment(ws, "production")
    assert not any(line.startswith("SOPS_AGE_KEY=") for line in lines)


def test_an_unknown_environment_is_a_usage_error_with_a_suggestion(vault: Vault) -> None:
    vault.seal(STAGING, PLAIN)
    with pytest.raises(UsageError, match='did you mean "staging"') as error:
        environment(vault.workspace(), "stagin")
    assert error.value.exit_code == 2
    assert "development, production, staging" in str(error.value)


def test_it_can_be_asked_whether_there_are_secrets(vault: Vault) -> None:
    assert not available(vault.workspace())
    vault.seal(".env.sops.yaml", PLAIN)
    assert available(vault.workspace())
    assert not available(vault.workspace(), "production")
    assert not available(vault.workspace(), "unknown")


def test_without_sops_setup_is_named(vault: Vault, tmp_path: Path) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    ws = vault.workspace(PATH=_only_git(vault, tmp_path))
    with pytest.raises(UnavailableError, match="sops is not on PATH") as error:
        environment(ws)
    assert error.value.exit_code == 3
    assert "invoke setup" in error.value.next_step


def test_a_sops_that_is_too_old_is_told_with_its_version(vault: Vault, tmp_path: Path) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    programs = _only_git(vault, tmp_path)
    old = tmp_path / "programs" / "sops"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "sops 3.7.3" && exit 0\nexit 1\n')
    old.chmod(0o755)
    with pytest.raises(UnavailableError, match=r"too old: 3\.7\.3, and 3\.10 is needed") as error:
        environment(vault.workspace(PATH=programs))
    assert error.value.exit_code == 3


def _only_git(vault: Vault, tmp_path: Path) -> str:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("git", "sh"):
        (folder / name).symlink_to(vault.workspace().runner.resolve(name))
    return str(folder)
