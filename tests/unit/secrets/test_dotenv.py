"""Dotenv lines: what is written, and what is found in files that people wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.tools import dotenv


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("", '""'),
        ("plain", '"plain"'),
        ("a b#c", '"a b#c"'),
        ("it's", '"it\'s"'),
        ('say "hi"', r'"say \"hi\""'),
        ("$HOME ${HOME}", r'"\$HOME \${HOME}"'),
        ("back\\slash", r'"back\\slash"'),
        ("a\nb\r\nc\td", r'"a\nb\r\nc\td"'),
        ("\\n", r'"\\n"'),
        ("größe 🚢", '"größe 🚢"'),
    ],
)
def test_a_value_is_written_in_double_quotes(value: str, written: str) -> None:
    assert dotenv.line("NAME", value) == f"NAME={written}"


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_any_value_is_one_line_that_is_found_again(value: str) -> None:
    line = dotenv.line("NAME", value)
    (entry,) = dotenv.entries(line)
    assert "\n" not in line
    assert (entry.name, entry.commented, line[slice(*entry.span)]) == ("NAME", False, line[5:])


def test_variables_are_found_as_people_write_them() -> None:
    text = (
        "# A comment = not a variable, and neither is this: X=1\n"
        "PLAIN=value # why\n"
        "  export SPACED = two words  \n"
        "HASH=a#b\n"
        "EMPTY=\n"
        "NOTHING= # only a comment\n"
        "# OPTIONAL=8080\n"
        "#CLOSE=1\n"
        "SINGLE='a # b'  # why\n"
        'MULTI="one\nINSIDE=1\ntwo" # why\n'
        "no assignment\n"
        "LAST=end"
    )
    found = [(entry.name, entry.value, entry.commented) for entry in dotenv.entries(text)]
    assert found == [
        ("PLAIN", "value", False),
        ("SPACED", "two words", False),
        ("HASH", "a#b", False),
        ("EMPTY", "", False),
        ("NOTHING", "", False),
        ("OPTIONAL", "8080", True),
        ("CLOSE", "1", True),
        ("SINGLE", "a # b", False),
        ("MULTI", "one\nINSIDE=1\ntwo", False),
        ("LAST", "end", False),
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("db", "password"), "DB_PASSWORD"),
        (("db", "read-replica", "0"), "DB_READ_REPLICA_0"),
        (("http_proxy",), "http_proxy"),
        (("api-key",), "API_KEY"),
    ],
)
def test_a_place_in_a_tree_has_a_name(path: tuple[str, ...], name: str) -> None:
    assert dotenv.variable_name(path) == name
