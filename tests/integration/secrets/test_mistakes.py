"""The usual mistakes with keys: each is told for what it is, with what to do, and no key is shown.

The others have tests beside these: a tampered file (`test_decrypt`, `test_broken`), another
recipient's key and no key at all (`test_keys`), no matching rule (`tests/unit/secrets`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.errors import CheckFailedError
from hullwright.secrets import environment

if TYPE_CHECKING:
    from pathlib import Path

    from vaults import Vault

STAGING: Final = "deploy/environments/staging.sops.yaml"
KEY: Final = "AGE-" + "SECRET-KEY-1"


@pytest.fixture
def sealed(vault: Vault) -> Vault:
    """A repository whose staging secrets only the other key opens."""
    vault.seal(STAGING, "TOKEN: first-value\n", vault.other)
    return vault


def refused(vault: Vault, **environ: str) -> CheckFailedError:
    """Return the error of a decrypt that finds no key; it shows none."""
    with pytest.raises(CheckFailedError, match="missing: the key that decrypts") as error:
        environment(vault.workspace(None, **environ), "staging")
    assert error.value.exit_code == 1
    assert KEY not in str(error.value)
    return error.value


def line_of(error: CheckFailedError, name: str) -> str:
    """Return what is told of one place where a key was looked for."""
    lines = (line.removeprefix("  keys that were looked for").strip() for line in error.lines())
    return next(line for line in lines if line.startswith(name))


def test_no_key_file(sealed: Vault) -> None:
    error = refused(sealed)
    assert line_of(error, "~/.config/sops") == "~/.config/sops/age/keys.txt: no such file"
    assert error.next_step.startswith("invoke secrets.init\n")


@pytest.mark.parametrize(
    ("name", "meant", "holds_the_key"),
    [
        ("SOPS_AGE_KEYFILE", "SOPS_AGE_KEY_FILE", False),
        ("SOPS_KEY_FILE", "SOPS_AGE_KEY_FILE", False),
        ("AGE_KEY", "SOPS_AGE_KEY", True),
        ("DEPLOY_TOKEN", "SOPS_AGE_KEY", True),
    ],
)
def test_a_wrong_variable(sealed: Vault, name: str, meant: str, *, holds_the_key: bool) -> None:
    path = sealed.other.path
    value = path.read_text(encoding="utf-8") if holds_the_key else str(path)
    error = refused(sealed, **{name: value})
    assert line_of(error, f"${name}") == f"${name}: set, and not read by sops: {meant} is"
    assert error.next_step == f'export {meant}="${name}"'
    opened = environment(sealed.workspace(None, **{meant: value}), "staging")
    assert opened["TOKEN"].reveal() == "first-value"


def test_a_path_where_a_key_belongs(sealed: Vault) -> None:
    error = refused(sealed, SOPS_AGE_KEY=str(sealed.other.path))
    told = line_of(error, "$SOPS_AGE_KEY:")
    assert told == "$SOPS_AGE_KEY: holds the path of a file, and has to hold a key"
    assert error.next_step == 'export SOPS_AGE_KEY_FILE="$SOPS_AGE_KEY"; unset SOPS_AGE_KEY'


def test_a_key_where_a_path_belongs(sealed: Vault) -> None:
    key = sealed.other.path.read_text(encoding="utf-8").splitlines()[-1]
    error = refused(sealed, SOPS_AGE_KEY_FILE=key)
    told = line_of(error, "$SOPS_AGE_KEY_FILE")
    assert told == "$SOPS_AGE_KEY_FILE: holds a key, and has to hold the path of a file"
    assert error.next_step == 'export SOPS_AGE_KEY="$SOPS_AGE_KEY_FILE"; unset SOPS_AGE_KEY_FILE'


def test_a_key_file_that_is_not_ours_to_read(
    sealed: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sealed.other.path
    path.chmod(0o400)
    read = type(path).read_text

    def denied(self: Path, *args: Any, **kwargs: Any) -> str:
        # The tests may be run by root, for whom every file can be read.
        if self == path:
            raise PermissionError(13, "Permission denied")
        return read(self, *args, **kwargs)

    monkeypatch.setattr(type(path), "read_text", denied)
    # For the same reason sops itself gets another file's name.
    sops = shutil.which("sops", path=sealed.repository.environ["PATH"])
    folder = sealed.root.parent / "programs"
    folder.mkdir()
    (folder / "sops").write_text(f'#!/bin/sh\nSOPS_AGE_KEY_FILE=/no exec {sops} "$@"\n')
    (folder / "sops").chmod(0o755)
    search = f"{folder}{os.pathsep}{sealed.repository.environ['PATH']}"
    error = refused(sealed, SOPS_AGE_KEY_FILE=str(path), PATH=search)
    told = line_of(error, "$SOPS_AGE_KEY_FILE")
    assert told.endswith(": cannot be read: mode 0400, and it is yours")
    assert error.next_step == f"chmod 600 {path}"


def test_a_key_file_that_everybody_can_read_is_told(sealed: Vault, tmp_path: Path) -> None:
    mine = sealed.key(tmp_path / "mine.txt")
    mine.path.chmod(0o644)
    error = refused(sealed, SOPS_AGE_KEY_FILE=str(mine.path))
    told = line_of(error, "$SOPS_AGE_KEY_FILE")
    assert told.endswith(f"(mode 0644: others can read it; chmod 600 {mine.path})")
    assert mine.public in error.next_step


def test_an_ssh_key_opens_a_file_and_is_told_where_it_lacks(vault: Vault, tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key))
    subprocess.run(words, check=True, env=vault.repository.environ)
    public = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    done = subprocess.run(
        ("sops", "encrypt", "--age", public, "--filename-override", STAGING),
        cwd=vault.root,
        env=vault.repository.environ,
        input=b"TOKEN: first-value\n",
        check=True,
        capture_output=True,
    )
    (vault.root / STAGING).write_bytes(done.stdout)
    ws = vault.workspace(SOPS_AGE_SSH_PRIVATE_KEY_FILE=str(key))
    assert environment(ws, "staging")["TOKEN"].reveal() == "first-value"
    error = refused(vault)
    assert f"the file is encrypted to   ssh-ed25519 …{public[-6:]}" in str(error)
    assert line_of(error, "~/.ssh/id_ed25519") == "~/.ssh/id_ed25519: no such file"


def test_a_command_that_prints_the_key_opens_a_file(sealed: Vault) -> None:
    ws = sealed.workspace(SOPS_AGE_KEY_CMD=f"cat {sealed.other.path}")
    assert environment(ws, "staging")["TOKEN"].reveal() == "first-value"
    error = refused(sealed, SOPS_AGE_KEY_CMD="false")
    assert line_of(error, "$SOPS_AGE_KEY_CMD") == "$SOPS_AGE_KEY_CMD: set"


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_a_pgp_key_opens_a_file_and_what_gpg_says_is_told(vault: Vault, tmp_path: Path) -> None:
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    environ = {**vault.repository.environ, "GNUPGHOME": str(home)}
    quiet = ("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
    made = (*quiet, "--quick-gen-key", "t@example.com", "default", "default", "never")
    try:
        subprocess.run(made, check=True, env=environ, capture_output=True)
        listed = subprocess.run(
            ("gpg", "--list-keys", "--with-colons"),
            check=True,
            env=environ,
            capture_output=True,
            text=True,
        )
        lines = listed.stdout.splitlines()
        finger = next(line.split(":")[9] for line in lines if line.startswith("fpr"))
        path = vault.root / STAGING
        path.write_text("TOKEN: first-value\n", encoding="utf-8")
        words = ("sops", "encrypt", "--in-place", "--pgp", finger, str(path))
        subprocess.run(words, cwd=vault.root, check=True, env=environ, capture_output=True)
        ws = vault.workspace(GNUPGHOME=str(home))
        assert environment(ws, "staging")["TOKEN"].reveal() == "first-value"
    finally:
        # The agent that gpg started for this folder, and nothing else.
        subprocess.run(("gpgconf", "--kill", "all"), check=False, env=environ)
    error = refused(vault, GNUPGHOME=str(tmp_path / "none"))
    assert f"the file is encrypted to   PGP {finger}" in str(error)
    assert f"{finger}: could not decrypt data key with PGP key" in str(error)
