"""A secret: no text form shows it, and redaction takes it out of what others print."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.secret import MASK, Secret, redact


def test_no_text_form_shows_it() -> None:
    secret = Secret("hunter2-hunter2")
    old_form = "%s" % secret  # noqa: UP031  one of the forms
    forms = [repr(secret), str(secret), f"{secret}", f"{secret:>30}", old_form, f"{[secret]}"]
    assert all("hunter2" not in form and MASK in form for form in forms)
    assert secret.reveal() == "hunter2-hunter2"


def test_it_reaches_no_record() -> None:
    secret = Secret("hunter2-hunter2")
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="not serialised"):
        copy.copy(secret)
    with pytest.raises(TypeError):
        json.dumps({"password": secret})
    assert not hasattr(secret, "__dict__")


def test_equal_values_are_one_member_of_a_set() -> None:
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"


def test_each_occurrence_is_masked_the_longest_value_first() -> None:
    secrets = {Secret("hunter2"), Secret("hunter2-hunter2")}
    assert redact("x hunter2-hunter2 y hunter2 z", secrets) == "x *** y *** z"


def test_short_values_are_left_for_they_would_mask_words() -> None:
    assert redact("the port is open", {Secret("port"), Secret("")}) == "the port is open"


def test_a_value_of_lines_is_masked_where_lines_are_read_one_by_one() -> None:
    secret = Secret("first line of it\nsecond line of it\n")
    assert redact("log: second line of it", {secret}) == "log: ***"


@given(st.text(min_size=6, alphabet=st.characters(blacklist_characters="*")), st.text(), st.text())
def test_no_value_survives(value: str, before: str, after: str) -> None:
    assert value not in redact(f"{before}{value}{after}", {Secret(value)})
