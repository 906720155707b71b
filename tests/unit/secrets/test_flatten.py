"""Trees become variables, and what cannot is refused without showing a value."""

from __future__ import annotations

import pytest

from hullwright.errors import CheckFailedError
from hullwright.secrets.flatten import flatten


def test_maps_and_lists_are_flattened_and_values_become_texts() -> None:
    tree = {
        "TOKEN": "x",
        "db": {"password": "p", "port": "5432", "pool": {"min-size": "1"}},
        "hosts": ["a", "b"],
        "on": True,
        "off": False,
        "none": None,
    }
    assert flatten(tree, "f") == {
        "TOKEN": "x",
        "DB_PASSWORD": "p",
        "DB_PORT": "5432",
        "DB_POOL_MIN_SIZE": "1",
        "HOSTS_0": "a",
        "HOSTS_1": "b",
        "on": "true",
        "off": "false",
        "none": "",
    }


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"db": {"password": "s1"}, "DB_PASSWORD": "s2"}, '"db.password" and "DB_PASSWORD"'),
        ({"a": {"b-c": "s1", "b_c": "s2"}}, '"a.b-c" and "a.b_c" both become A_B_C'),
        ({"db": {"key": "s1\0s2"}}, 'the value of "db.key" contains NUL'),
        ({"1st": "s1"}, 'the key "1st" gives no name'),
        ({"": "s1"}, 'the key "" gives no name'),
    ],
)
def test_what_cannot_be_a_variable_is_refused_by_its_key(
    tree: dict[str, object], message: str
) -> None:
    with pytest.raises(CheckFailedError) as error:
        flatten(tree, ".env.sops.yaml")
    assert message in str(error.value)
    assert ".env.sops.yaml" in str(error.value)
    assert "s1" not in str(error.value)
