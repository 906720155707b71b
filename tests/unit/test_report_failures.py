"""Failures as text: causes with their facts, and what follows from them in a line each."""

from __future__ import annotations

from hullwright.report import failures
from hullwright.stack import Failure

CAUSE = Failure("db", "crash", "db crashed: it ended with 1", (("exit code", "1"),), ("no table",))


def following(name: str) -> Failure:
    told = f"{name} was not started: it depends on db"
    return Failure(name, "dependency", told, (("because", CAUSE.sentence),))


def test_what_follows_from_a_cause_is_a_line_below_it() -> None:
    assert failures.text([CAUSE, following("app")]).splitlines() == [
        "✗ db crashed: it ended with 1",
        "  exit code  1",
        "             │ no table",
        "✗ app was not started: it depends on db",
    ]


def test_the_many_that_follow_are_counted_in_text_and_all_are_values() -> None:
    told = [CAUSE, *(following(f"app{number}") for number in range(7))]
    assert failures.text(told).splitlines()[-1] == "✗ 2 more were not started: app5, app6"
    assert failures.text(told[:7]).splitlines()[-1] == "✗ 1 more was not started: app5"
    assert len(failures.as_json(told)) == 8
    assert failures.markdown(told).count("```") == 4


def test_an_end_that_is_a_dependency_s_keeps_its_facts() -> None:
    died = Failure("app", "dependency", "app crashed, and db ended", (("exit code", "1"),))
    assert "exit code" in failures.text([died])
