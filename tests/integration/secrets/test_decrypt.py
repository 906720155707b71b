"""Decrypting with the real sops: whole, private, only where Git does not look, or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Secrets
from hullwright.errors import CheckFailedError, HullwrightError, LockedError, UsageError
from hullwright.files import lock
from hullwright.report import secrets as report
from hullwright.secret import redact
from hullwright.secrets import decrypt, environment, plan_decrypt

if TYPE_CHECKING:
    from pathlib import Path

    from vaults import Vault

PLAIN: Final = "TOKEN: first-value\ndb:\n  password: second-value\n  port: 5432\n"


def test_a_file_is_decrypted_for_its_owner_only(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    ws = vault.workspace()
    done = decrypt(ws)
    target = vault.root / ".env"
    assert target.read_text(encoding="utf-8") == (
        "# Decrypted from .env.sops.yaml; the next decrypt replaces this file.\n"
        'TOKEN="first-value"\nDB_PASSWORD="second-value"\nDB_PORT="5432"\n'
    )
    assert target.stat().st_mode & 0o777 == 0o600
    assert report.text(done) == (
        "✓ .env   3 variables of development from .env.sops.yaml, mode 0600\n"
        "  TOKEN, DB_PASSWORD, DB_PORT"
    )
    assert "value" not in f"{report.as_json(done)['variables']}{report.markdown(done)[20:]}"


def test_what_the_file_before_had_besides_is_told(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    vault.repository.write(".env", "# NOTE=1\nTOKEN=old\nPORT=8080\n")
    done = decrypt(vault.workspace())
    assert done.dropped == ("PORT",)
    assert report.text(done).endswith("\n  no longer in it: PORT")
    assert report.as_json(done)["dropped"] == ["PORT"]


def test_values_are_redacted_but_for_public_ones(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    ws = vault.workspace(Secrets(public=("TOKEN",)))
    values = environment(ws)
    assert values["DB_PASSWORD"].reveal() == "second-value"
    assert f"{values}" == "{'TOKEN': ***, 'DB_PASSWORD': ***, 'DB_PORT': ***}"
    shown = redact("first-value second-value", ws.runner.secrets)
    assert shown == "first-value ***"


def test_a_plan_writes_and_decrypts_nothing(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN, vault.other)
    plan = plan_decrypt(vault.workspace())
    assert plan.text() == "create .env (mode 0600): decrypted from .env.sops.yaml"
    assert not (vault.root / ".env").exists()


def test_a_file_outside_of_any_repository_is_allowed(vault: Vault, tmp_path: Path) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    target = tmp_path / "elsewhere.env"
    assert decrypt(vault.workspace(), output=target).output == str(target)
    assert "first-value" in target.read_text(encoding="utf-8")


def test_a_file_that_git_would_take_up_is_refused(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    with pytest.raises(UsageError, match="is not ignored by Git") as error:
        decrypt(vault.workspace(), output="plain.env")
    assert error.value.exit_code == 2
    assert error.value.next_step == f"add this line to {vault.root / '.gitignore'}:\n/plain.env"
    assert not (vault.root / "plain.env").exists()


def test_a_file_that_git_has_is_refused_though_a_rule_ignores_it(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    vault.repository.write(".env", "OLD=1\n")
    vault.repository.git("add", "--force", ".env")
    with pytest.raises(UsageError, match="is tracked by Git") as error:
        decrypt(vault.workspace())
    assert error.value.exit_code == 2
    assert "git rm --cached .env" in error.value.next_step
    assert (vault.root / ".env").read_text(encoding="utf-8") == "OLD=1\n"


@pytest.mark.parametrize(("output", "message"), [("deploy", "is a folder"), ("no/x", "no folder")])
def test_what_cannot_be_a_file_is_refused(vault: Vault, output: str, message: str) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    with pytest.raises(UsageError, match=message) as error:
        decrypt(vault.workspace(), output=output)
    assert error.value.exit_code == 2


def test_a_device_and_a_pipe_are_not_replaced(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    os.mkfifo(vault.root / ".env")
    (vault.root / "x.private").symlink_to("/dev/null")
    for output in (".env", "x.private", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        with pytest.raises(UsageError, match="is a device, a pipe or a socket") as error:
            # Only planned: what is tried here must not happen to this machine.
            plan_decrypt(vault.workspace(), output=output)
        assert error.value.exit_code == 2
        assert "--output -" in error.value.next_step
    assert (vault.root / ".env").is_fifo()


def test_a_link_is_replaced_and_not_followed(vault: Vault, tmp_path: Path) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("KEPT=1\n", encoding="utf-8")
    (vault.root / ".env").symlink_to(elsewhere)
    decrypt(vault.workspace())
    assert elsewhere.read_text(encoding="utf-8") == "KEPT=1\n"
    assert not (vault.root / ".env").is_symlink()


def test_two_writers_of_one_file_are_told_apart(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", PLAIN)
    ws = vault.workspace()
    decrypt(ws)
    (held,) = (ws.state_dir / "locks").iterdir()
    with lock(held, ".env"), pytest.raises(LockedError, match=r"\.env is in use") as error:
        decrypt(ws)
    assert error.value.exit_code == 4
    assert f"process {os.getpid()}" in str(error.value)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ("DB_PASSWORD: a\ndb:\n  password: b\n", '"DB_PASSWORD" and "db.password" both become'),
        ('db:\n  password: "a\\0b"\n', 'the value of "db.password" contains NUL'),
    ],
)
def test_what_no_file_can_say_is_refused(vault: Vault, plain: str, message: str) -> None:
    vault.seal(".env.sops.yaml", plain)
    _refused(vault, message)


def test_a_missing_file_is_told(vault: Vault) -> None:
    _refused(vault, r"missing: \.env\.sops\.yaml, the secrets of development")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TOKEN: ENC[AES256_GCM,data:", "TOKEN: ENC[AES256_GCM,data:AAAA"),
        ("TOKEN:", "OTHER:"),
        ("sops:", "ADDED: plain\nsops:"),
        ("    mac: ENC[AES256_GCM,data:", "    mac: ENC[AES256_GCM,data:AAAA"),
        ("            YWdlLWVuY3J5cHRpb24ub3JnL", "            ZWdlLWVuY3J5cHRpb24ub3JnL"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(vault: Vault, old: str, new: str) -> None:
    path = vault.seal(".env.sops.yaml", PLAIN, vault.other)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    message = "was changed without sops, or damaged"
    _refused(vault, message, SOPS_AGE_KEY_FILE=str(vault.other.path))


def test_a_removed_value_is_seen_by_the_checksum(vault: Vault) -> None:
    path = vault.seal(".env.sops.yaml", PLAIN)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[1:]), encoding="utf-8")
    assert "MAC mismatch" in _refused(vault, "its checksum does not fit")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [\n", "is not YAML"),
        (PLAIN, "is not encrypted"),
        ("", "is empty"),
    ],
)
def test_what_is_no_secrets_file_is_refused(vault: Vault, text: str, message: str) -> None:
    vault.repository.write(".env.sops.yaml", text)
    _refused(vault, message)


def test_a_full_disk_leaves_the_old_file(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    vault.seal(".env.sops.yaml", PLAIN)
    monkeypatch.setattr(os, "fsync", full)
    _refused(vault, "could not be written")
    assert [path.name for path in vault.root.glob(".env*")] == [".env", ".env.sops.yaml"]


def _refused(vault: Vault, message: str, **environ: str) -> str:
    """Assert that a decrypt fails with 1, and leaves the file that is there as it is."""
    vault.repository.write(".env", "OLD=1\n")
    with pytest.raises(HullwrightError, match=message) as error:
        decrypt(vault.workspace(None, **environ))
    assert error.value.exit_code == 1
    assert isinstance(error.value, CheckFailedError) or "disk" in message or "written" in message
    assert (vault.root / ".env").read_text(encoding="utf-8") == "OLD=1\n"
    return str(error.value)
