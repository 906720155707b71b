"""A corpus of damaged files: each is refused with 1 and told for what it is, or read all the same.

The old file stays as it was, and no message shows what a file holds in the clear.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.errors import CheckFailedError
from hullwright.secrets import decrypt

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaults import Vault

PLAIN: Final = {
    "s.yaml": b"TOKEN: first-value\ndb:\n  password: second-value\n",
    "s.json": b'{"TOKEN": "first-value", "db": {"password": "second-value"}}',
    "s.env": b"TOKEN=first-value\nDB_PASSWORD=second-value\n",
    "s.ini": b"TOKEN = first-value\n[db]\npassword = second-value\n",
    "s.bin": b"first-value\xff\n",
}
ALL: Final = tuple(PLAIN)
VARIABLES: Final = b'TOKEN="first-value"\nDB_PASSWORD="second-value"\n'


def windows(sealed: bytes) -> bytes:
    """Return a file with the line ends of Windows."""
    return sealed.replace(b"\n", b"\r\n")


def marked(sealed: bytes) -> bytes:
    """Return a file with a byte order mark."""
    return b"\xef\xbb\xbf" + sealed


def half(sealed: bytes) -> bytes:
    """Return the first half of a file."""
    return sealed[: len(sealed) // 2]


def without_end(sealed: bytes) -> bytes:
    """Return a file without its last bytes, in which is the version of its format."""
    return sealed[:-20]


def other_checksum(sealed: bytes) -> bytes:
    """Return a file with another checksum, which cannot be decrypted."""
    at = sealed.index(b"ENC[", sealed.index(b"mac")) + len("ENC[AES256_GCM,data:")
    return sealed[:at] + (b"A" if sealed[at : at + 1] != b"A" else b"B") + sealed[at + 1 :]


def conflict(sealed: bytes) -> bytes:
    """Return a file with both sides of a merge."""
    marks = ("<" * 7, "=" * 7, ">" * 7)
    return b"".join(
        (b"%s ours\n" % marks[0].encode(), sealed, marks[1].encode(), b"\n", sealed)
    ) + (b"%s theirs\n" % marks[2].encode())


def refused(vault: Vault, name: str) -> str:
    """Return the message of a decrypt that fails with 1 and leaves the old file."""
    vault.repository.write("x.private", "OLD=1\n")
    with pytest.raises(CheckFailedError) as error:
        decrypt(vault.workspace(), file=name, output="x.private")
    assert error.value.exit_code == 1
    assert error.value.next_step
    assert (vault.root / "x.private").read_text(encoding="utf-8") == "OLD=1\n"
    assert "first-value" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("damage", "names", "message"),
    [
        (half, ALL, "is cut off or damaged"),
        (without_end, ALL, "is cut off or damaged"),
        (other_checksum, ALL, "was changed without sops, or damaged"),
        (conflict, ALL, "holds both sides of a merge conflict"),
        (lambda _: b"", ALL, "is empty"),
        (lambda _: b" \n", ALL, "is empty"),
        (windows, ("s.env",), "has the line ends of Windows"),
        (marked, ("s.env", "s.json", "s.bin"), "begins with a byte order mark"),
        (lambda _: b"a: [\n", ("s.yaml",), "is not YAML\n  why   line 2, column 1"),
        (lambda _: b"\xff\xfe\x00", ("s.yaml",), "is not YAML\n  why   not a text file"),
        (lambda _: b"a: [\n", ("s.json",), "is not JSON\n  why   line 1, column 1"),
        (lambda _: b"a: [\n", ("s.env", "s.ini", "s.bin"), "is not encrypted"),
        (lambda sealed: sealed + b"---\nother: 1\n", ("s.yaml",), "holds several YAML documents"),
    ],
)
def test_a_damaged_file_is_told_for_what_it_is(
    vault: Vault, damage: Callable[[bytes], bytes], names: tuple[str, ...], message: str
) -> None:
    for name in names:
        path = vault.seal_file(name, PLAIN[name])
        path.write_bytes(damage(path.read_bytes()))
        assert refused(vault, name).startswith(f"{name} {message}")


@pytest.mark.parametrize("name", ALL)
def test_a_file_that_was_never_encrypted_is_told_and_not_shown(vault: Vault, name: str) -> None:
    (vault.root / name).write_bytes(PLAIN[name])
    assert refused(vault, name).startswith(f"{name} is not encrypted: it has no part that sops")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("s.yaml", b"plain-value-1"),
        ("s.json", b'"plain-value-1"'),
        ("s.env", b"plain-value-1"),
        ("s.ini", b"plain-value-1"),
    ],
)
def test_a_plain_value_in_place_of_an_encrypted_one_is_not_shown(
    vault: Vault, name: str, value: bytes
) -> None:
    path = vault.seal_file(name, PLAIN[name])
    sealed = path.read_bytes()
    start = sealed.index(b"ENC[") - (name == "s.json")
    end = sealed.index(b"]", start) + 1 + (name == "s.json")
    path.write_bytes(sealed[:start] + value + sealed[end:])
    assert "plain-value" not in refused(vault, name)


@pytest.mark.parametrize("name", ["s.env", "s.ini"])
def test_a_plain_line_in_an_encrypted_file_is_not_shown(vault: Vault, name: str) -> None:
    path = vault.seal_file(name, PLAIN[name])
    path.write_bytes(b"first-value stands alone\n" + path.read_bytes())
    assert "could not be decrypted" in refused(vault, name)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (windows, "s.yaml"),
        (windows, "s.json"),
        (windows, "s.ini"),
        (marked, "s.yaml"),
        (marked, "s.ini"),
    ],
)
def test_what_sops_reads_all_the_same_has_the_same_values(
    vault: Vault, damage: Callable[[bytes], bytes], name: str
) -> None:
    path = vault.seal_file(name, PLAIN[name])
    path.write_bytes(damage(path.read_bytes()))
    assert decrypt(vault.workspace(), file=name, output="-").content == VARIABLES


@pytest.mark.parametrize(
    ("name", "plain", "key"),
    [("s.json", b'{"a": {"b": 1, "b": 2}}', "b"), ("s.env", b"A=1\nA=2\n", "A")],
)
def test_a_key_that_is_there_twice_is_named(
    vault: Vault, name: str, plain: bytes, key: str
) -> None:
    vault.seal_file(name, plain)
    assert refused(vault, name).startswith(f'{name}: the key "{key}" is there twice')


def test_a_key_that_is_twice_in_yaml_is_named(vault: Vault) -> None:
    path = vault.seal_file("s.yaml", PLAIN["s.yaml"])
    sealed = path.read_bytes()
    path.write_bytes(sealed.splitlines(keepends=True)[0] + sealed)
    assert refused(vault, "s.yaml").startswith('s.yaml: the key "TOKEN" is there twice')


def test_a_value_that_is_no_text_is_named(vault: Vault) -> None:
    vault.seal_file("s.env", b"GOOD=1\nBAD=t\xe9\n")
    assert refused(vault, "s.env").startswith('s.env: the value of "BAD" is not UTF-8')


def test_a_key_of_an_ini_file_that_is_a_section_too_is_named(vault: Vault) -> None:
    vault.seal_file("s.ini", b"db = 1\n[db]\npassword = x\n")
    assert refused(vault, "s.ini").startswith('s.ini: "db" is a key and a section')


def test_a_file_that_cannot_be_read_is_told(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    path = vault.seal_file("s.yaml", PLAIN["s.yaml"])
    opened = os.open
    # The tests may be run by root, for whom every file can be read.
    read = type(path).read_bytes

    def denied(self: object) -> bytes:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return read(self)  # type: ignore[arg-type]  # any path

    monkeypatch.setattr(type(path), "read_bytes", denied)
    assert refused(vault, "s.yaml").startswith("s.yaml cannot be read\n  why   Permission denied")
    assert os.open is opened


def test_rules_of_sops_that_it_cannot_read_are_told(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.seal_file("s.yaml", PLAIN["s.yaml"])
    vault.repository.write(".sops.yaml", "creation_rules: [\n")
    monkeypatch.chdir(vault.root)
    assert "sops cannot read its own .sops.yaml" in refused(vault, "s.yaml")
