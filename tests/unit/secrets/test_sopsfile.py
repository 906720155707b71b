"""Of what kind a file of SOPS is, and what it says without being decrypted."""

from __future__ import annotations

import json

import pytest

from hullwright.tools import sops
from hullwright.tools.sopsfile import (
    Kind,
    has_several_documents,
    kind_by_content,
    kind_by_name,
    names,
    parse,
)

SEALED = "ENC[AES256_GCM,data:eA==,iv:aa,tag:bb,type:str]"
RECIPIENT = f"age1{'q' * 58}"
DOTENV = f"""\
#{SEALED}
TOKEN={SEALED}
empty=
sops_age__list_0__map_enc=-----BEGIN AGE ENCRYPTED FILE-----\\nYWdl=\\n
sops_age__list_0__map_recipient={RECIPIENT}
sops_pgp__list_0__map_fp=85D7
sops_mac={SEALED}
"""
INI = f"""\
top = {SEALED}

[db]
; {SEALED}
password = {SEALED}

[sops]
age__list_0__map_enc       = -----BEGIN AGE ENCRYPTED FILE-----\\nYWdl\\n
age__list_0__map_recipient = {RECIPIENT}
mac                        = {SEALED}
"""
METADATA = {"age": [{"recipient": RECIPIENT}], "mac": SEALED}
JSON = json.dumps({"TOKEN": SEALED, "db": {"hosts": [SEALED, SEALED]}, "sops": METADATA})
BINARY = json.dumps({"data": SEALED, "sops": METADATA})
YAML = f"TOKEN: {SEALED}\nsops:\n    mac: {SEALED}\n"
WHOLE = f"""\
TOKEN: {SEALED}
db:
    password: {SEALED}
    pool:
        min-size: {SEALED}
hosts:
    - {SEALED}
    - name: {SEALED}
      port: {SEALED}
    - - {SEALED}
left:
- {SEALED}
- {SEALED}
"quoted key": {SEALED}
plain_unencrypted: value
sops:
    age:
        - recipient: age1
    mac: {SEALED}
"""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (".env.sops.yaml", "yaml"),
        ("a.yml", "yaml"),
        ("a.json", "json"),
        (".env", "dotenv"),
        ("a.sops.env", "dotenv"),
        ("a.ini", "ini"),
        ("a.YAML", None),
        (".env.sops", None),
        ("key.pem", None),
    ],
)
def test_the_kind_goes_by_the_name_as_sops_has_it(name: str, kind: Kind | None) -> None:
    assert kind_by_name(name) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (DOTENV, "dotenv"),
        (INI, "ini"),
        (JSON, "json"),
        (BINARY, "binary"),
        (YAML, "yaml"),
        ("", "binary"),
        ('{"data": ', "binary"),
    ],
)
def test_where_the_name_says_nothing_the_content_does(text: str, kind: Kind) -> None:
    assert kind_by_content(text) == kind


@pytest.mark.parametrize(
    ("text", "kind", "others"),
    [(DOTENV, "dotenv", ("PGP 85D7",)), (INI, "ini", ()), (JSON, "json", ()), (BINARY, "json", ())],
)
def test_the_recipients_of_every_kind_are_read(
    text: str, kind: Kind, others: tuple[str, ...]
) -> None:
    found = sops.metadata(parse(text, kind))
    assert found
    assert (found.recipients, found.others) == ((RECIPIENT,), others)


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        (DOTENV, "dotenv", [("TOKEN",), ("empty",)]),
        (INI, "ini", [("top",), ("db", "password")]),
        (JSON, "json", [("TOKEN",), ("db", "hosts", "0"), ("db", "hosts", "1")]),
        (YAML, "yaml", [("TOKEN",)]),
        (BINARY, "binary", []),
        ("{", "json", []),
        ("[1]", "json", []),
    ],
)
def test_the_names_of_values_of_every_kind_are_read(
    text: str, kind: Kind, found: list[tuple[str, ...]]
) -> None:
    assert names(text, kind) == found


@pytest.mark.parametrize("text", ["", "a=1\n", "sops_age__list_0=x\nsops_age__list_0__map_a=y\n"])
def test_what_sops_did_not_write_ends_in_no_traceback(text: str) -> None:
    assert not getattr(sops.metadata(parse(text, "dotenv")), "recipients", ())


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("a: 1\n", False),
        ("---\na: 1\n", False),
        ("# why\n%YAML 1.2\n---\na: 1\n", False),
        ("a: |\n    ---\nb: --- x\n", False),
        ("a: 1\n---\nb: 2\n", True),
        ("---\na: 1\n--- # why\nb: 2\n", True),
    ],
)
def test_a_second_document_is_seen(text: str, *, several: bool) -> None:
    assert has_several_documents(text) is several


def test_why_each_key_did_not_open_a_file_is_read() -> None:
    told = (
        "Failed to get the data key required to decrypt the SOPS file.\n\n"
        "Group 0: FAILED\n"
        "  85D7: FAILED\n"
        "    - | could not decrypt data key with PGP key:\n"
        "      | no secret key\n\n"
        f"  {RECIPIENT}: FAILED\n"
        "    - | no identity matched\n\n"
        "Recovery failed because no master key was able to decrypt the file.\n"
    )
    assert sops.reasons(told) == {
        "85D7": "could not decrypt data key with PGP key: no secret key",
        RECIPIENT: "no identity matched",
    }


def test_the_names_of_values_are_read_without_decrypting() -> None:
    assert names(WHOLE, "yaml") == [
        ("TOKEN",),
        ("db", "password"),
        ("db", "pool", "min-size"),
        ("hosts", "0"),
        ("hosts", "1", "name"),
        ("hosts", "1", "port"),
        ("hosts", "2", "0"),
        ("left", "0"),
        ("left", "1"),
        ("quoted key",),
        ("plain_unencrypted",),
    ]
