"""The forms of values and the search: each form is found, wherever it lies, and nothing else."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import Final
from urllib.parse import quote, quote_plus

import pytest

from hullwright.scan.needles import needles, too_short
from hullwright.scan.search import Haystack, Stream
from hullwright.secret import Secret

TOKEN: Final = "s3cr3t/Value+of=42~!"
KEY: Final = "-----BEGIN KEY-----\nq7Vt0zB1u8Xw2Yd3\nLm4Np5Qr6St7Uv8W\n-----END KEY-----\n"
LETTERS: Final = string.ascii_letters + string.digits + "+/%\" \n$'\\ü"


def haystack(**values: str) -> Haystack:
    return Haystack(needles({name: Secret(value) for name, value in values.items()}))


def found(value: str, data: bytes) -> set[str]:
    return {needle.encoding for needle in haystack(A=value).search(data)}


def wrapped(data: bytes, width: int, indent: bytes = b"") -> bytes:
    """Return bytes in lines, as `base64` and YAML write them."""
    lines = (data[start : start + width] for start in range(0, len(data), width))
    return b"\n".join(indent + line for line in lines)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TOKEN.encode(), "as it is"),
        (quote(TOKEN, safe="").encode(), "URL-encoded"),
        (quote(TOKEN, safe="").lower().replace("v", "V").encode(), "URL-encoded"),
        (TOKEN.encode().hex().encode(), "hexadecimal"),
        (TOKEN.encode().hex().upper().encode(), "hexadecimal"),
        (wrapped(TOKEN.encode().hex().encode(), 33), "hexadecimal"),
        *((base64.b64encode(b"x" * n + TOKEN.encode() + b"y" * n), "base64") for n in range(5)),
        *(
            (base64.urlsafe_b64encode(b"?" * n + TOKEN.encode()).rstrip(b"="), "base64")
            for n in range(3)
        ),
    ],
)
def test_each_form_is_found(data: bytes, encoding: str) -> None:
    assert encoding in {name.removeprefix("URL-safe ") for name in found(TOKEN, b"a=" + data)}


def test_blanks_may_be_plus_signs() -> None:
    assert found("two words & more", quote_plus("two words & more").encode()) == {"URL-encoded"}


@pytest.mark.parametrize(
    "form",
    [
        json.dumps('a"b\\c\nd/üé'),
        json.dumps('a"b\\c\nd/üé', ensure_ascii=False),
        json.dumps('a"b\\c\nd/üé').replace("/", "\\/"),
    ],
)
def test_json_is_found(form: str) -> None:
    assert "escaped" in found('a"b\\c\nd/üé', form.encode())


@pytest.mark.parametrize("form", ["pa$$wo'rd", "pa\\$wo'rd", "pa$wo''rd", "pa$wo'\\''rd"])
def test_compose_dotenv_yaml_and_shell_quoting_is_found(form: str) -> None:
    assert found("pa$wo'rd", form.encode()) == {"escaped"}


def test_base64_in_lines_is_found_wherever_the_lines_end() -> None:
    for before in range(80):
        data = base64.b64encode(b"x" * before + TOKEN.encode() + b"y" * 90)
        assert "base64" in found(TOKEN, wrapped(data, 76))
        assert "base64" in found(TOKEN, wrapped(data, 64, b"    ")), before


def test_a_text_of_lines_is_found_indented_and_with_other_line_ends() -> None:
    assert found(KEY, KEY.strip().encode()) == {"as it is"}
    assert found(KEY, wrapped(KEY.encode(), 1000).replace(b"\n", b"\n      ")) == {"as it is"}
    assert found(KEY, KEY.replace("\n", "\r\n").encode()) == {"as it is"}
    assert found(KEY, KEY.replace("q7V", "q7v").encode()) == set()


def test_a_huge_value_is_found_by_its_middle() -> None:
    rng = random.Random(1)  # noqa: S311  the same bytes at every run, not a key
    value = "".join(rng.choices(string.ascii_letters, k=50_000))
    hidden = haystack(A=value)
    assert hidden.search(value.encode())
    assert hidden.search(base64.b64encode(value.encode()))
    assert hidden.reach < 20_000


def test_nothing_is_found_where_nothing_is() -> None:
    hidden = haystack(A=TOKEN, B="hunter22", C="abcdef", D=KEY)
    rng = random.Random(7)  # noqa: S311  the same bytes at every run, not a key
    noise = rng.randbytes(2_000_000) + b"hunter2 abcde " + TOKEN[1:].encode()
    assert hidden.search(noise) == set()
    assert hidden.search(b"") == set()
    assert Haystack(()).search(noise) == set()


@pytest.mark.parametrize("length", [6, 7, 8, 10, 11, 12, 14, 20, 40, 100])
def test_no_place_and_no_border_hides_a_value(length: int) -> None:
    rng = random.Random(length)  # noqa: S311  the same bytes at every run, not a key
    value = "".join(rng.choices(string.ascii_letters + string.digits, k=length))
    hidden = haystack(A=value)
    for form in (value.encode(), value.encode().hex().encode(), base64.b64encode(value.encode())):
        for place in range(17):
            data = b"\x00" * place + form + b"\xff" * 3
            for border in range(len(data) + 1):
                stream = Stream(hidden)
                stream.feed(data[:border])
                stream.feed(data[border:])
                assert stream.found, (place, border)


def test_thousands_of_random_values_are_found_among_many_others() -> None:
    rng = random.Random(3)  # noqa: S311  the same bytes at every run, not a key
    values = {f"K{n}": "".join(rng.choices(LETTERS, k=rng.randint(8, 60))) for n in range(40)}
    hidden = haystack(**values)
    for name, value in values.items():
        for form in (value, quote(value), json.dumps(value)):
            data = rng.randbytes(rng.randint(0, 70_000)) + form.encode() + rng.randbytes(9)
            keys = {key for needle in hidden.search(data) for key in needle.keys.split(", ")}
            assert (name in keys) == (len(value.strip()) >= 6)


def test_values_that_are_equal_are_told_of_together() -> None:
    hidden = haystack(A="same-value", B="same-value\n", C="tiny")
    assert {needle.keys for needle in hidden.needles} == {"A, B"}
    assert too_short({"A": Secret("same-value"), "C": Secret("tiny "), "D": Secret("")}) == (
        "C",
        "D",
    )


def test_a_needle_and_a_masked_text_never_show_the_value() -> None:
    hidden = haystack(A=TOKEN)
    assert TOKEN not in repr(hidden.needles)
    assert hidden.masked(f"app/{TOKEN}.txt") == "app/***.txt"
    assert hidden.masked(f"app/{TOKEN.encode().hex()}") == "app/***"
