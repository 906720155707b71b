"""Where a value of a name goes in a file that is there, and what a file shows without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import CheckFailedError, UsageError
from hullwright.secrets import keeping, sealed
from hullwright.secrets.source import Source
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

ENC = "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]"
SOPS = f"""\
sops:
  age:
    - recipient: age1alice
      enc: x
  pgp:
    - fp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21
      enc: x
  hc_vault:
    - vault_address: https://v
      enc: x
  mac: {ENC}
  version: 3.13.3
"""
TREE = f"""\
TOKEN: {ENC}
EMPTY: ""
db:
  password: {ENC}
  ports:
    - {ENC}
    - {ENC}
{SOPS}"""


def file(tmp_path: Path, text: str = TREE, name: str = ".env.sops.yaml") -> Source:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return Source("development", production=False, name=name, path=path)


@pytest.mark.parametrize(
    ("key", "place", "known"),
    [
        ("TOKEN", "TOKEN", True),
        ("db.password", "db.password", True),
        ("DB_PASSWORD", "db.password", True),
        ("DB_PORTS_1", "db.ports.1", True),
        ("NEW", "NEW", False),
        ("db.user", "db.user", False),
        ("api.key.one", "api.key.one", False),
    ],
)
def test_a_value_is_found_by_its_key_or_by_its_variable(
    tmp_path: Path, key: str, place: str, *, known: bool
) -> None:
    file(tmp_path)
    plan = keeping.plan_set(workspace(tmp_path), key)
    assert (plan.key, plan.known) == (place, known)
    verb = "replace the value of" if known else "add"
    assert plan.text() == f"change .env.sops.yaml: {verb} {place}"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "cannot be a key"),
        ("a..b", "cannot be a key"),
        ("1ST", "cannot be a key"),
        ("sops", "cannot be a key"),
        ("sops.mac", "cannot be a key"),
        ("a b", "would|cannot"),
        ("TOKEN.more", "it has TOKEN"),
        ("db", "it has db.password"),
    ],
)
def test_what_cannot_be_a_key_is_refused(tmp_path: Path, key: str, message: str) -> None:
    file(tmp_path)
    if key == "a b":
        # It becomes A_B, which is a name; sops keeps it as it is.
        assert keeping.plan_set(workspace(tmp_path), key).key == "a b"
        return
    with pytest.raises(UsageError, match=message) as error:
        keeping.plan_set(workspace(tmp_path), key)
    assert error.value.exit_code == 2


def test_two_keys_of_one_variable_are_refused(tmp_path: Path) -> None:
    file(tmp_path)
    # By its variable this is the value that is there, so no second one comes to be.
    assert keeping.plan_set(workspace(tmp_path), "DB_PASSWORD").key == "db.password"
    with pytest.raises(UsageError, match="would both become DB_PASSWORD"):
        keeping.plan_set(workspace(tmp_path), "DB.PASSWORD")


def test_a_file_shows_names_and_recipients(tmp_path: Path) -> None:
    seen = sealed.look(file(tmp_path))
    assert seen.names == ("TOKEN", "EMPTY", "db.password", "db.ports.0", "db.ports.1")
    assert seen.recipients == ("age1alice", "85D77543B3D624B63CEA9E6DBC17301B491B3F21")
    assert seen.others == ("Vault https://v",)
    assert (seen.clear, seen.left) == ((), ())


@pytest.mark.parametrize(
    ("rule", "clear", "left"),
    [
        ("", ("plain", "port_unencrypted"), ()),
        ("unencrypted_suffix: _unencrypted", ("plain",), ("port_unencrypted",)),
        ("unencrypted_regex: ^pl", ("port_unencrypted",), ("plain",)),
        ("encrypted_suffix: plain", ("plain",), ("port_unencrypted",)),
        ("encrypted_regex: ^port", ("port_unencrypted",), ("plain",)),
    ],
)
def test_values_in_the_clear_are_told_by_the_rules_of_the_file(
    tmp_path: Path, rule: str, clear: tuple[str, ...], left: tuple[str, ...]
) -> None:
    text = f"plain: yes it is\nport_unencrypted: 80\nA: {ENC}\n{SOPS}  {rule}\n"
    seen = sealed.look(file(tmp_path, text))
    assert (seen.clear, seen.left) == (clear, left)


def test_what_is_not_encrypted_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match="is not encrypted"):
        sealed.look(file(tmp_path, "A: b\n"))


def test_a_binary_file_has_no_keys(tmp_path: Path) -> None:
    source = file(tmp_path, f'{{"data": "{ENC}", "sops": {{"mac": "x"}}}}', "x.bin")
    with pytest.raises(UsageError, match="one value without keys"):
        keeping._place("A", (), source)
