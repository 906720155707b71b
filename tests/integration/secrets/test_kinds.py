"""Every kind of file that SOPS knows is decrypted, to a file of every form or to a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Config, Environment, Secrets
from hullwright.errors import CheckFailedError, UsageError
from hullwright.secret import redact
from hullwright.secrets import decrypt, environment
from repositories import workspace

if TYPE_CHECKING:
    from vaults import Vault

YAML: Final = b"# why\nTOKEN: one-value\ndb:\n  port: 5432\n  hosts: [a, b]\n"
JSON: Final = b'{"TOKEN": "one-value", "db": {"port": 5432, "hosts": ["a", "b"]}}'
DOTENV: Final = b'# why\nTOKEN=one-value\nQUOTED="a b"\nLINES=a\\nb\nSPACED= x \n'
INI: Final = b"TOKEN = one-value\n[db]\nport = 5432\n"
TREE: Final = {"TOKEN": "one-value", "db": {"port": 5432, "hosts": ["a", "b"]}}
VARIABLES: Final = {"TOKEN": "one-value", "DB_PORT": "5432", "DB_HOSTS_0": "a", "DB_HOSTS_1": "b"}


def lines(variables: dict[str, str]) -> bytes:
    """Return variables without hard values as dotenv lines."""
    return "".join(f'{name}="{value}"\n' for name, value in variables.items()).encode()


@pytest.mark.parametrize(
    ("name", "plain", "variables"),
    [
        ("s.yaml", YAML, VARIABLES),
        ("s.yml", YAML, VARIABLES),
        ("s.json", JSON, VARIABLES),
        ("s.ini", INI, {"TOKEN": "one-value", "DB_PORT": "5432"}),
        (
            "s.env",
            DOTENV,
            # As SOPS has it, `sops exec-env` too: quotes and blanks belong to the value.
            {"TOKEN": "one-value", "QUOTED": '"a b"', "LINES": "a\nb", "SPACED": " x "},
        ),
    ],
)
def test_variables_of_every_kind(
    vault: Vault, name: str, plain: bytes, variables: dict[str, str]
) -> None:
    vault.seal_file(name, plain)
    got = environment(vault.workspace(), file=name)
    assert {key: value.reveal() for key, value in got.items()} == variables
    # Under a name that says nothing, the content does.
    (vault.root / "unnamed").write_bytes((vault.root / name).read_bytes())
    assert environment(vault.workspace(), file="unnamed") == got


def test_quotes_that_sops_keeps_are_told_by_their_keys(vault: Vault) -> None:
    vault.seal_file("s.env", DOTENV)
    done = decrypt(vault.workspace(), file="s.env", output="-")
    assert done.quoted == ("QUOTED",)
    assert done.content == lines({"TOKEN": "one-value"}) + (
        b'QUOTED="\\"a b\\""\nLINES="a\\nb"\nSPACED=" x "\n'
    )


def test_json_and_yaml_keep_the_tree(vault: Vault) -> None:
    vault.seal_file("s.yaml", YAML)
    ws = vault.workspace()
    done = decrypt(ws, file="s.yaml", output="s.private", form="json")
    written = vault.root / "s.private"
    assert json.loads(written.read_bytes()) == TREE
    assert written.stat().st_mode & 0o777 == 0o600
    assert done.names == ("TOKEN", "db.port", "db.hosts.0", "db.hosts.1")
    assert decrypt(ws, file="s.yaml", output="-", form="yaml").names == done.names
    told = decrypt(ws, file="s.yaml", output="-", form="yaml").content.decode()
    assert told == (
        "# why\nTOKEN: one-value\ndb:\n    port: 5432\n    hosts:\n        - a\n        - b\n"
    )


@pytest.mark.parametrize("content", [b"\x00\xff\r\n\x1a", b"", b"A=1\r\n", "größe\n".encode()])
def test_a_binary_file_is_written_as_it_is(vault: Vault, content: bytes) -> None:
    vault.seal_file("cert.p12", content)
    ws = vault.workspace()
    done = decrypt(ws, file="cert.p12", output="cert.private")
    assert (vault.root / "cert.private").read_bytes() == content
    assert (vault.root / "cert.private").stat().st_mode & 0o777 == 0o600
    assert done.form == "as it is"
    assert decrypt(ws, file="cert.p12", output="-").content == content


def test_a_binary_file_has_no_variables(vault: Vault) -> None:
    vault.seal_file("cert.p12", b"x")
    with pytest.raises(UsageError, match=r"cert\.p12 has no variables") as error:
        environment(vault.workspace(), file="cert.p12")
    assert error.value.exit_code == 2
    assert "invoke decrypt --file cert.p12" in error.value.next_step


def test_an_environment_may_have_a_file_of_any_kind(vault: Vault) -> None:
    vault.seal_file("live.json", JSON, vault.other)
    live = Environment("live", production=True, secrets="live.json")
    config = Config("p", environments={"live": live}, secrets=Secrets(file="s.ini"))
    vault.seal_file("s.ini", INI)
    environ = {**vault.repository.environ, "SOPS_AGE_KEY_FILE": str(vault.other.path)}
    ws = workspace(vault.root, environ, config)
    assert environment(ws)["DB_PORT"].reveal() == "5432"
    assert environment(ws, "live")["DB_HOSTS_1"].reveal() == "b"


@pytest.mark.parametrize("name", ["live.json", "live.yaml", "live.env", "live.ini", "live.p12"])
def test_production_refuses_the_development_key_in_every_kind_of_file(
    vault: Vault, name: str
) -> None:
    vault.seal_file(name, b"" if name.endswith(("env", "ini")) else b'{"a": "b"}')
    config = Config("p", environments={"live": Environment("live", production=True, secrets=name)})
    ws = workspace(vault.root, vault.repository.environ, config)
    for wanted in ({"env": "live"}, {"file": name}):
        with pytest.raises(UsageError, match="live refuses") as error:
            decrypt(ws, output="-", **wanted)
        assert error.value.exit_code == 2


def test_an_escape_cannot_hide_the_development_key_from_production(vault: Vault) -> None:
    path = vault.seal("live.yaml", "A: b\n", vault.other, vault.development)
    text, key = path.read_text(encoding="utf-8"), vault.development.public
    path.write_text(text.replace(key, f'"\\x61{key[1:]}"'), encoding="utf-8")
    live = Environment("live", production=True, secrets="live.yaml")
    ws = workspace(vault.root, vault.repository.environ, Config("p", environments={"live": live}))
    with pytest.raises(UsageError, match="live refuses"):
        environment(ws, "live")


def test_keys_of_public_values_may_be_named_as_in_the_file(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", "db:\n  password: first-value\n  name: second-value\n")
    ws = vault.workspace(Secrets(public=("db.name",)))
    environment(ws)
    assert redact("first-value second-value", ws.runner.secrets) == "*** second-value"


def test_values_in_a_tree_are_redacted_though_no_variable_could_hold_them(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", '1st: first-value\na:\n  b: "second\\0value"\n')
    ws = vault.workspace()
    assert decrypt(ws, output="-", form="json").names == ("1st", "a.b")
    assert redact("first-value second\0value", ws.runner.secrets) == "*** ***"
    with pytest.raises(CheckFailedError, match="gives no name of a variable"):
        decrypt(ws)
