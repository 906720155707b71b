"""Expected failures: what they say, how it is laid out, and the exit codes callers rely on."""

from __future__ import annotations

import pytest

from hullwright.errors import (
    CheckFailedError,
    ExitCode,
    HullwrightError,
    LockedError,
    UnavailableError,
    UsageError,
    suggestion,
    unknown,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (HullwrightError, 1),
        (CheckFailedError, 1),
        (UsageError, 2),
        (UnavailableError, 3),
        (LockedError, 4),
    ],
)
def test_each_kind_has_the_documented_exit_code(kind: type[HullwrightError], code: int) -> None:
    assert kind("x").exit_code == code


def test_the_exit_codes_are_the_documented_ones() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "UNAVAILABLE": 3,
        "LOCKED": 4,
        "ROLLED_BACK": 5,
        "BUG": 70,
        "INTERRUPTED": 130,
    }


def test_the_cause_comes_first_facts_are_aligned_and_what_to_do_is_last() -> None:
    error = HullwrightError(
        "the port is taken",
        why=[("port", "8080"), ("holder", "nginx\n(process 7)"), ("nothing", "")],
        next_step="stop it",
    )
    assert error.lines() == [
        "the port is taken",
        "  port    8080",
        "  holder  nginx",
        "          (process 7)",
        "  next    stop it",
    ]
    assert str(error) == "\n".join(error.lines())


def test_a_plain_reason_is_a_line_of_its_own() -> None:
    assert str(HullwrightError("no", why="because")) == "no\n  why  because"
    assert str(HullwrightError("no")) == "no"


def test_constructing_an_error_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    HullwrightError("x", why="y", next_step="z")
    assert capsys.readouterr() == ("", "")


def test_a_close_name_is_suggested_and_a_distant_one_is_not() -> None:
    assert suggestion("dashbord", ["db", "dashboard"]) == ' — did you mean "dashboard"?'
    assert suggestion("bd", ["db", "migrate", "web"]) == ' — did you mean "db"?'
    assert suggestion("zebra", ["db", "dashboard"]) == ""
    assert suggestion("prod", ["dev", "production", "test"]) == ' — did you mean "production"?'


def test_an_unknown_name_gets_the_whole_list() -> None:
    assert str(unknown("service", "web", ["db", "api"])) == (
        'unknown service "web"\n  known  api, db'
    )
    assert "known  none" in str(unknown("service", "web", []))
