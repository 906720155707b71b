"""Secrets that cannot be decrypted or written: why, and the old file as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import vaults
from e2e.conftest import BIN, Shop, stand_in, told
from hullwright.tools.age import short


@pytest.fixture
def vault(tmp_path: Path) -> vaults.Vault:
    made = vaults.made(tmp_path)
    made.repository.write(".env", "OLD=1\n")
    return made


def refused(vault: vaults.Vault, code: int = 1, **environ: str) -> list[str]:
    """Return what `decrypt` says when it refuses, and assert that the old file is as it was."""
    shop = Shop(vault.root, "", vault.repository.environ)
    done = shop.call("hullwright", "decrypt", code=code, **environ)
    assert (vault.root / ".env").read_text(encoding="utf-8") == "OLD=1\n"
    assert [path.name for path in vault.root.glob(".env?*")] in ([".env.sops.yaml"], [])
    assert done.stdout == ""
    return told(done.stderr)


def test_secrets_that_are_missing_leave_the_old_file(vault: vaults.Vault) -> None:
    lines = refused(vault)
    assert lines[0] == "✗ missing: .env.sops.yaml, the secrets of development"
    # Where the rules of sops come first, and where they are there already.
    assert lines[-1].endswith("invoke secrets.set --key NAME")


def test_secrets_of_another_key_say_which_keys_were_tried(vault: vaults.Vault) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n", vault.other)
    lines = refused(vault)
    assert lines[0].startswith("✗ missing: the key that decrypts .env.sops.yaml")
    assert any(short(vault.other.public) in line for line in lines)
    assert any("SOPS_AGE_KEY" in line for line in lines)
    assert any(line.startswith("next ") for line in lines)


def test_secrets_that_were_tampered_with_leave_the_old_file(vault: vaults.Vault) -> None:
    path = vault.seal(".env.sops.yaml", "TOKEN: first\n", vault.other)
    changed = path.read_text(encoding="utf-8").replace("TOKEN:", "OTHER:", 1)
    path.write_text(changed, encoding="utf-8")
    lines = refused(vault, SOPS_AGE_KEY_FILE=str(vault.other.path))
    assert lines[0].startswith("✗ .env.sops.yaml was changed without sops, or damaged: ")


def test_a_file_that_git_would_take_up_is_2(vault: vaults.Vault) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n")
    vault.repository.write(".gitignore", "/.hullwright/\n")
    lines = refused(vault, code=2)
    assert lines[0].startswith("✗ .env is not ignored by Git")
    assert "/.env" in lines[-1]


def test_without_sops_it_says_how_to_get_it(vault: vaults.Vault, tmp_path: Path) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n")
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git") or "git")
    lines = refused(vault, code=3, PATH=str(folder))
    assert lines[0] == "✗ sops is not on PATH"
    assert lines[-1].startswith("next invoke setup --install")


def test_a_full_disk_truncates_nothing(vault: vaults.Vault) -> None:
    own = ("unshare", "--mount", "--map-root-user", "--user")
    mount = "mount -t tmpfs -o size=64k tmpfs ."
    tried = subprocess.run((*own, "sh", "-c", mount), cwd=vault.root, check=False)
    if tried.returncode != 0:
        pytest.skip("this machine lets no test mount a small disk of its own")
    vault.seal(".env.sops.yaml", f"TOKEN: {'x' * 100_000}\n")
    vault.repository.write(".gitignore", ".env\n/.hullwright/\n")
    vault.repository.write("small/.env", "OLD=1\n")
    # The mount is this process's own and goes with it; the folder under it stays empty.
    script = f"""
        cd small && cp .env ../old && {mount} && cd ../small && cp ../old .env && cd ..
        "$1" decrypt --output small/.env
        echo "ended $?" && cat small/.env && ls -A small
    """
    done = subprocess.run(
        (*own, "sh", "-c", script, "sh", str(BIN / "hullwright")),
        cwd=vault.root,
        # Git looks for its repository up to a mount, unless it is told to look further.
        env=vault.repository.environ | {"GIT_DISCOVERY_ACROSS_FILESYSTEM": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["ended 1", "OLD=1", ".env"]
    lines = told(done.stderr)
    assert lines[0].endswith("small/.env could not be written")
    assert lines[1] == "why No space left on device; what stood there before is unchanged"


@pytest.fixture
def slow_sops(vault: vaults.Vault, tmp_path: Path) -> tuple[dict[str, str], Path, Path]:
    """A sops that tells by one pipe that it runs, and ends when another says so."""
    real = shutil.which("sops", path=vault.repository.environ["PATH"])
    folder = tmp_path / "programs"
    folder.mkdir()
    started, go = tmp_path / "started", tmp_path / "go"
    os.mkfifo(started)
    os.mkfifo(go)
    script = f'case "$*" in *version*) ;; *) echo x >"{started}"; cat "{go}" >&2 ;; esac\n'
    stand_in(folder, "sops", f'{script}exec "{real}" "$@"\n')
    path = f"{folder}{os.pathsep}{vault.repository.environ['PATH']}"
    return vault.repository.environ | {"PATH": path}, started, go


def test_a_second_writer_of_one_file_is_4_and_names_the_first(
    vault: vaults.Vault, slow_sops: tuple[dict[str, str], Path, Path]
) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n")
    environ, started, go = slow_sops
    first = Shop(vault.root, "", environ)
    with first.running("hullwright", "decrypt") as process:
        # Opening waits for the other end: the first one runs and holds the file now.
        assert started.read_text() == "x\n"
        lines = refused(vault, code=4)
        assert lines[0] == "✗ .env is in use by another run"
        assert lines[1].startswith(f"holder process {process.pid}: ")
        assert lines[1].endswith("decrypt")
        assert lines[2].startswith("next ")
        go.write_text("")
        assert process.wait(timeout=30) == 0
    assert 'TOKEN="first"' in (vault.root / ".env").read_text(encoding="utf-8")
