"""What an encrypted file says of itself, and what the programs around it print."""

from __future__ import annotations

from pathlib import Path

import pytest

from hullwright.run import Result, Runner
from hullwright.tools import age, sops

FIRST = f"age1{'q' * 58}"
SECOND = f"age1{'p' * 58}"


def test_the_recipients_of_all_groups_are_told() -> None:
    document = {
        "TOKEN": "ENC[…]",
        "sops": {
            "age": [{"recipient": FIRST}, {"recipient": FIRST}],
            "key_groups": [{"age": [{"recipient": SECOND}], "pgp": [{"fp": "x"}]}],
            "kms": [],
        },
    }
    assert sops.metadata(document) == sops.Metadata((FIRST, SECOND), ("PGP x",), ("TOKEN",))


@pytest.mark.parametrize("document", [None, [], "text", {"TOKEN": "x"}, {"sops": "x"}])
def test_a_file_without_metadata_is_not_encrypted(document: object) -> None:
    assert sops.metadata(document) is None


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("sops 3.13.3\n", (3, 13, 3)),
        ("sops 3.7.1 (latest)\n", (3, 7, 1)),
        ("sops 3.10\n", (3, 10, 0)),
        ("", None),
    ],
)
def test_a_version_is_read(text: str, version: tuple[int, ...] | None) -> None:
    assert sops.parse_version(text) == version


class _Asked(Runner):
    """A runner that answers for sops, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__({})
        self.asked: list[tuple[str, ...]] = []

    def read(self, *argv: str, **_: object) -> Result:
        self.asked.append(argv)
        return Result(argv, 0, "{}")


def test_a_file_is_decrypted_to_json_by_one_process() -> None:
    runner = _Asked()
    sops.decrypt(runner, Path("/r/.env.sops.yaml"), {})
    words = ("decrypt", "--input-type", "yaml", "--output-type", "json")
    assert runner.asked == [("sops", *words, "/r/.env.sops.yaml")]


def test_public_keys_are_in_the_comments_of_a_key_file() -> None:
    text = f"# created: today\n# public key: {FIRST}\nnot a comment: {SECOND}\n"
    assert age.public_keys(Runner({}), text) == (FIRST,)
    assert age.short(FIRST) == "age1qq…qq"
    assert age.short("ssh-ed25519 AAAA") == "ssh-ed25519 AAAA"
