"""The task `secrets.scan` as a person runs it: exit codes, all environments, and no value shown."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from vaults import Vault

PLAIN: Final = "TOKEN: q7Vt0zB1u8Xw2Yd3\nDB_NAME: publicname\nDB_USER: publicname\nPIN: '1234'\n"


@pytest.fixture
def repository(vault: Vault) -> Vault:
    """A repository that adopted the suite, with secrets of two environments."""
    vault.repository.write(
        "tasks.py", "from hullwright.tasks import collection\nns = collection()\n"
    )
    vault.repository.write("hullwright.toml", '[secrets]\npublic = ["DB_NAME"]\n')
    vault.seal(".env.sops.yaml", PLAIN)
    vault.seal("deploy/environments/staging.sops.yaml", "TOKEN: staging-q7Vt0z\n")
    return vault


def run(vault: Vault, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        (sys.executable, "-m", "invoke", *words),
        cwd=vault.root,
        env={**vault.repository.environ, "NO_COLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "q7Vt0z" not in f"{done.stdout}{done.stderr}"
    return done


def test_a_leak_in_the_example_ends_with_1_and_names_the_key(repository: Vault) -> None:
    leak = "TOKEN=q7Vt0zB1u8Xw2Yd3\nOTHER=staging-q7Vt0z\nDB_USER=publicname\n"
    repository.repository.write(".env.example", leak)
    done = run(repository, "secrets.scan")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "✗ .env.example holds the value of TOKEN, as it is\n"
        "✗ .env.example holds the value of TOKEN of staging, as it is\n"
        "  next  put a placeholder there"
    )
    assert "not searched for, shorter than 6 characters: PIN" in done.stdout


def test_no_leak_ends_with_0_and_says_what_was_searched(repository: Vault) -> None:
    repository.repository.write(".env.example", "TOKEN=change-me\n")
    done = run(repository, "secrets.scan", "--format", "json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["held"] is True
    assert told["values"] == ["TOKEN", "TOKEN of staging"]
    assert told["searched"] == [{"place": "file .env.example", "bytes": 16}]


def test_a_dry_run_decrypts_nothing(repository: Vault) -> None:
    repository.seal(".env.sops.yaml", PLAIN, repository.other)
    repository.repository.write(".env.example", "TOKEN=change-me\n")
    done = run(repository, "--dry", "secrets.scan", "--git-history")
    assert (done.returncode, done.stdout) == (
        0,
        "search every object of the Git repository\nsearch file .env.example\n",
    )


def test_an_environment_that_cannot_be_decrypted_is_told_of(repository: Vault) -> None:
    repository.seal(
        "deploy/environments/staging.sops.yaml", "TOKEN: staging-q7Vt0z\n", repository.other
    )
    done = run(repository, "secrets.scan")
    assert done.returncode == 0
    assert "the values of staging are not searched for" in done.stderr
    assert "values of: development\n" in done.stdout
    assert run(repository, "secrets.scan", "--env", "staging").returncode == 1
    assert run(repository, "secrets.scan", "--env", "nowhere").returncode == 2


def test_an_environment_whose_file_is_damaged_fails_the_scan(repository: Vault) -> None:
    file = repository.root / "deploy/environments/staging.sops.yaml"
    file.write_text(f"added: plain\n{file.read_text()}", encoding="utf-8")
    done = run(repository, "secrets.scan")
    assert done.returncode == 1
    assert done.stdout.startswith("✗ the values of staging are not searched for: ")
    assert "values of: development\n" in done.stdout


def test_an_image_is_not_searched_without_an_engine(repository: Vault) -> None:
    repository.repository.environ["DOCKER_HOST"] = "tcp://127.0.0.1:1"
    done = run(repository, "secrets.scan", "--image", "shop/api:1")
    assert done.returncode == 3
    assert "next  " in done.stderr


@pytest.mark.docker
def test_a_missing_image_ends_with_2(repository: Vault, engine: str) -> None:
    done = run(repository, "secrets.scan", "--image", "hwtest-nowhere:1")
    assert done.returncode == 2
    assert "hwtest-nowhere:1 is not in the local store, so there is nothing to search" in (
        done.stderr
    )
