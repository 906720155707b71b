"""Values are exact: what Compose and a container read is, byte for byte, what was encrypted."""

from __future__ import annotations

import json
import random
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
from ruamel.yaml import YAML

from composing import new_project
from hullwright.secrets import decrypt, environment
from integration.conftest import busybox, engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vaults import Vault

# Fixtures of the integration tests that are used here too.
__all__ = ["busybox", "engine"]

HARD: Final = (
    *("", " ", " around ", "#", "a #b", "a=b=c", "'", "it's", '"', 'say "hi"', '"quoted"'),
    *("'quoted'", "\\", "\\\\", "ends in \\", "\\n", "\\$HOME", "$", "$$", "$HOME", "${HOME}"),
    *("${HOME:-x}", "${HOME:?x}", "$(id)", "`id`", "!history", "%s %d", "a\nb", "\n", "a\n"),
    *("\na", "a\r\nb", "\r", "a\tb", "\t", "{{x}}", "[1, 2]", "{a: b}", "null", "~", "true", "yes"),
    *("1e3", "007", "0x1f", "1_000", "1:30", "2020-01-01", "- a", "a: b", "|", ">", "*a", "&a"),
    *("größe", "🚢", "e\u0301", "\ufeff", "\ufffd", "\u2028", "\x85", "\x01\x7f", "\u200b"),
    *("ENC[AES256_GCM,data:x]", "-----BEGIN X-----\nabc\n-----END X-----\n", "x" * 4096),
)
_PIECES: Final = (
    *"abXY01 \t\n\r\\\"'$#{}=:,;!%&*`~-<>|@é🚢\u2028\x01\x7f",
    "${",
    "$$",
    "\\n",
    " #",
)
DICTIONARIES: Final = 1000
_IN_ONE_FILE: Final = 50


def some_text(chance: random.Random) -> str:
    """Return a hard value, or one of pieces that mean something to some reader."""
    if chance.random() < 0.3:
        return chance.choice(HARD)
    return "".join(chance.choices(_PIECES, k=chance.randrange(24)))


def some_dictionary(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """Return values under names, some of them in maps within."""
    return {
        f"k{number}": some_dictionary(chance, depth + 1)
        if depth < 2 and chance.random() < 0.2
        else some_text(chance)
        for number in range(chance.randrange(1, 6))
    }


def flat(tree: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the variables that a tree is to become."""
    for key, value in tree.items():
        name = f"{above}{key.upper()}"
        if isinstance(value, dict):
            yield from flat(value, f"{name}_")
        else:
            yield name, value


def compose_reads(
    folder: Path, names: list[str], files: list[Path], environ: dict[str, str]
) -> Iterator[dict[str, str]]:
    """Yield what Compose makes of dotenv files: for interpolation, and as a service's files."""
    asking = [f"{name}=${{{name}}}" for name in names]
    services = {
        "asks": {"image": "x", "environment": asking},
        "gets": {"image": "x", "env_file": [str(file) for file in files]},
    }
    project = folder / "compose.json"
    project.write_text(json.dumps({"services": services}), encoding="utf-8")
    flags = [word for file in files for word in ("--env-file", str(file))]
    shown = subprocess.run(
        ("docker", "compose", *flags, "-f", str(project), "config", "--format", "json"),
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    for service in json.loads(shown.stdout)["services"].values():
        # What is shown could be a compose file again, so dollar signs are doubled in it.
        yield {name: value.replace("$$", "$") for name, value in service["environment"].items()}


def test_compose_gives_every_value_of_1000_random_dictionaries_back(
    vault: Vault, tmp_path: Path
) -> None:
    chance = random.Random(20_261_121)  # noqa: S311  texts of a test, not keys
    wanted: dict[str, str] = {}
    files = []
    for first in range(0, DICTIONARIES, _IN_ONE_FILE):
        many = {f"d{first + i}": some_dictionary(chance) for i in range(_IN_ONE_FILE)}
        wanted |= flat(many)
        name = f"s{first}.{'yaml' if first % 100 else 'json'}"
        if name.endswith("json"):
            vault.seal_file(name, json.dumps(many).encode())
        else:
            vault.seal(name, json.dumps(many), kind="json")
        decrypt(vault.workspace(), file=name, output=f"{first}.private")
        files.append(vault.root / f"{first}.private")
    assert len({name.split("_")[0] for name in wanted}) == DICTIONARIES
    for got in compose_reads(tmp_path, list(wanted), files, vault.repository.environ):
        assert got == wanted


@pytest.mark.docker
def test_a_container_gets_every_hard_value(vault: Vault, tmp_path: Path, busybox: str) -> None:
    wanted = {f"V{number}": value for number, value in enumerate(HARD)}
    vault.seal(".env.sops.yaml", json.dumps(wanted), kind="json")
    decrypt(vault.workspace())
    service = {"image": busybox, "env_file": str(vault.root / ".env"), "network_mode": "none"}
    project = tmp_path / "compose.json"
    project.write_text(json.dumps({"services": {"s": service}}), encoding="utf-8")
    done = subprocess.run(
        (
            *("docker", "compose", "-p", new_project(), "-f", str(project)),
            *("run", "--rm", "--no-TTY", "s", "cat", "/proc/self/environ"),
        ),
        env=vault.repository.environ,
        check=True,
        capture_output=True,
    )
    got = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    assert {name: got.get(name) for name in wanted} == wanted


def test_every_form_gives_every_value_back(vault: Vault) -> None:
    wanted = {f"V{number}": value for number, value in enumerate((*HARD, "a\0b"))}
    vault.seal(".env.sops.yaml", json.dumps(wanted), kind="json")
    made = decrypt(vault.workspace(), output="-", form="json").content
    assert json.loads(made) == wanted
    made = decrypt(vault.workspace(), output="-", form="yaml").content
    assert YAML(typ="safe", pure=True).load(made.decode()) == wanted


def test_a_value_of_5_mb_is_a_value(vault: Vault, tmp_path: Path) -> None:
    value = "hard $value\n" * (5_000_000 // 12)
    vault.seal(".env.sops.yaml", json.dumps({"BIG": value}), kind="json")
    assert environment(vault.workspace())["BIG"].reveal() == value
    decrypt(vault.workspace())
    environ = vault.repository.environ
    for got in compose_reads(tmp_path, ["BIG"], [vault.root / ".env"], environ):
        assert got["BIG"] == value
