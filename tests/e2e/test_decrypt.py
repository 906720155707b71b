"""Decrypting as people call it: what goes to which stream, and what each mistake ends with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import vaults
from e2e.conftest import TASKS, Shop, told

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def vault(tmp_path: Path) -> vaults.Vault:
    """A repository with tasks and one secrets file."""
    made = vaults.made(tmp_path)
    made.repository.write("tasks.py", TASKS)
    made.seal(".env.sops.yaml", "TOKEN: first value\ndb:\n  port: 5432\n")
    return made


@pytest.fixture
def shop(vault: vaults.Vault) -> Shop:
    """The same as somebody's repository."""
    return Shop(vault.root, "", vault.repository.environ)


@pytest.mark.parametrize("program", ["invoke", "hullwright"])
def test_standard_output_gets_the_content_and_nothing_else(shop: Shop, program: str) -> None:
    done = shop.call(program, "decrypt", "--output", "-")
    assert (done.stdout, done.stderr) == ('TOKEN="first value"\nDB_PORT="5432"\n', "")
    done = shop.call(program, "decrypt", "--output", "-", "--format", "json")
    assert json.loads(done.stdout) == {"TOKEN": "first value", "db": {"port": 5432}}
    assert not (shop.path / ".env").exists()


def test_a_file_is_reported_in_every_form_without_a_value(shop: Shop) -> None:
    done = shop.call("invoke", "decrypt")
    assert done.stdout.startswith("✓ .env   2 variables of development from .env.sops.yaml, mode")
    done = shop.call("invoke", "decrypt", "--report", "json")
    assert json.loads(done.stdout)["variables"] == ["TOKEN", "DB_PORT"]
    assert "first value" not in done.stdout
    done = shop.call("invoke", "decrypt", "--report", "xml", code=2)
    assert told(done.stderr)[0] == '✗ unknown report "xml"'


def test_a_dry_run_writes_nothing(shop: Shop) -> None:
    done = shop.call("invoke", "--dry", "decrypt", "--output", "x.private", "--format", "json")
    assert "create x.private (mode 0600): decrypted from .env.sops.yaml, as json" in done.stdout
    assert not (shop.path / "x.private").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--format", "toml"), 2, '✗ unknown format "toml"'),
        (("--format", "markdown"), 2, '✗ unknown format "markdown"'),
        (("--format", "json"), 2, "✗ .env.json is not ignored by Git"),
        (("--file", ".env.sops.yaml"), 2, "✗ --output is missing"),
        (("--file", "no.yaml", "--output", "-"), 1, "✗ missing: no.yaml"),
        (("--env", "developmnt"), 2, '✗ unknown environment "developmnt" — did you mean'),
    ],
)
def test_what_cannot_be_done_says_so(
    shop: Shop, words: tuple[str, ...], code: int, message: str
) -> None:
    (shop.path / ".gitignore").write_text("/.env\n/.hullwright/\n", encoding="utf-8")
    done = shop.call("hullwright", "decrypt", *words, code=code)
    assert told(done.stderr)[0].startswith(message)
    assert done.stdout == ""


def test_quotes_of_an_encrypted_dotenv_file_are_warned_of(shop: Shop, vault: vaults.Vault) -> None:
    vault.seal_file("s.env", b'TOKEN="first value"\n')
    done = shop.call("hullwright", "decrypt", "--file", "s.env", "--output", "-")
    assert done.stdout == 'TOKEN="\\"first value\\""\n'
    assert done.stderr == "! s.env: the quotes around TOKEN are part of the value for SOPS\n"


@pytest.mark.parametrize("env", ["development", "production"])
def test_what_is_decrypted_well_waits_for_no_yaml_reader(
    shop: Shop, vault: vaults.Vault, env: str
) -> None:
    vault.repository.write("hullwright.toml", "[environments.production]\nproduction = true\n")
    vault.seal("deploy/environments/production.sops.yaml", "A: b\n", vault.other)
    code = (
        "import sys\nfrom invoke import Program\n"
        "try:\n    Program().run(['invoke', 'decrypt', '--output', '-', '--env', sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "assert 'hullwright.secrets.output' in sys.modules\nassert 'ruamel.yaml' not in sys.modules"
    )
    shop.call("python", "-c", code, env, SOPS_AGE_KEY_FILE=str(vault.other.path))
