"""A record and its JSON form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.history import InvalidRecordError, Record, parse
from recording import record

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.from_regex(r"\w{1,9}", fullmatch=True), inner)
    ),
    max_leaves=12,
)


@given(data=st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), _VALUES))
def test_a_record_comes_back_from_its_json_form(data: dict[str, Any]) -> None:
    sent = record(version="1.2.3-rc.1", revision="a" * 40, duration_s=2.5, data=data)
    assert parse(json.loads(json.dumps(sent.as_json()))) == sent


@given(body=_VALUES | st.dictionaries(st.sampled_from(list(record().as_json())), _VALUES))
def test_whatever_is_no_record_is_told_and_nothing_else_is_raised(body: object) -> None:
    with pytest.raises(InvalidRecordError) as told:
        parse(body)
    assert told.value.problems


def test_each_record_has_an_id_of_its_own() -> None:
    assert record().id != record().id


def test_a_newer_sender_may_say_more() -> None:
    sent = record()
    assert parse(sent.as_json() | {"colour": "blue"}) == sent


def test_times_are_stored_in_utc() -> None:
    body = record().as_json() | {"at": "2026-11-21T14:00:00+02:00"}
    assert parse(body).at == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert parse(body).as_json()["at"] == "2026-11-21T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("schema", 2, "schema is 1"),
        ("id", "A" * 36, "id is a UUID"),
        ("id", 7, "id is a UUID"),
        ("kind", "Build", "kind is a lower-case word"),
        ("kind", "b" * 41, "kind is a lower-case word"),
        ("project", "", "project is a line of 1 to 200"),
        ("project", "two\nlines", "project is a line"),
        ("status", None, "status is a lower-case word"),
        ("at", "2026-11-21T12:00:00", "at is an ISO 8601 time with a time zone"),
        ("at", "0001-01-01T00:00:00+14:00", "at is an ISO 8601 time"),
        ("at", 12, "at is an ISO 8601 time"),
        ("duration_s", -1, "duration_s is a number of seconds"),
        ("duration_s", True, "duration_s is a number"),
        ("duration_s", float("nan"), "duration_s is a number"),
        ("duration_s", float("inf"), "duration_s is a number"),
        ("duration_s", 10**400, "duration_s is a number"),
        ("version", "v" * 201, "version is a line of 0 to 200"),
        ("revision", None, "revision is a line"),
        ("data", [], "data is an object"),
        ("data", {"a": [{"b": float("inf")}]}, "data is an object"),
        ("data", {"a\0": 1}, "data is an object"),
        ("data", {"a": "\udc80"}, "data is an object"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_should_be(
    field: str, value: object, told: str
) -> None:
    with pytest.raises(InvalidRecordError) as error:
        parse(record().as_json() | {field: value})
    assert [problem.startswith(told) for problem in error.value.problems] == [True]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidRecordError) as error:
        parse({})
    named = {problem.partition(" ")[0] for problem in error.value.problems}
    assert named == {"schema", "id", "kind", "project", "status", "at", "duration_s"}


def test_a_record_may_leave_out_what_it_does_not_have() -> None:
    body = record().as_json()
    for name in ("version", "revision", "data"):
        del body[name]
    assert parse(body) == Record(kind="build", project="shipyard", status="done",
                                 at=record().at, id=body["id"])  # fmt: skip
