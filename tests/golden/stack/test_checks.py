"""What people see of checks once a stack is up, to the character."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from hullwright.history.printed import without_printed
from hullwright.report import checks, stack
from hullwright.stack import Checked, Failure, ServiceUp, UpReport

HERE: Final = Path(__file__).parent
CHECKS: Final = (
    Checked("dashboard", "GET /readyz", "held", 0.031),
    Checked("db", "port 5432", "held", 0.012),
    Checked("dashboard", "migrations are at head", "failed", 5.02, "missing in the database: 0002"),
    Checked("db", "comes back when its process is killed", "not testable", told="another user's"),
)
FAILURE: Final = Failure(
    "dashboard",
    "check-failed",
    "dashboard is up, but its check does not hold: migrations are at head",
    (
        ("expected", "alembic current names the revisions of alembic heads"),
        ("seen", "missing in the database: 0002"),
        ("tried", "for 5.0 s"),
        ("try", "a one-shot service that migrates, which this one waits for"),
        ("logs", "invoke logs --service dashboard   (the last one follows)"),
    ),
    ("INFO listening on 8080",),
)
UNHELD: Final = UpReport(
    "default",
    "hullwright",
    3.05,
    (ServiceUp("dashboard", "healthy", created_s=0.25, started_s=1.0, healthy_s=3.02),),
    (FAILURE,),
    checks=CHECKS,
)


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_it_reads_as_agreed(form: str) -> None:
    ending = {"text": "txt", "markdown": "md", "json": "json"}[form]
    wanted = (HERE / f"up-unheld.{ending}").read_text(encoding="utf-8")
    if form == "json":
        told = stack.as_json(UNHELD)
        got = json.dumps({key: told[key] for key in ("verdict", "checks", "failures")}, indent=2)
    else:
        got = stack.text(UNHELD) if form == "text" else stack.markdown(UNHELD)
    assert f"{got}\n" == wanted


def test_what_a_program_said_stands_apart_and_is_not_kept_in_records() -> None:
    told = (Checked("web", "GET /", "failed", 5.0, "status 500\nTraceback of hunter2\nmore"),)
    (shown,) = checks.as_json(told)
    assert (shown["reason"], shown["output"]) == ("status 500", "Traceback of hunter2\nmore")
    assert "Traceback" not in checks.text(told) + checks.markdown(told)
    kept = without_printed({"runs": [{"checks": [shown]}]})
    assert kept["runs"][0]["checks"][0]["reason"] == "status 500"
    assert "hunter2" not in json.dumps(kept)


def test_a_stack_without_checks_shows_none() -> None:
    assert checks.text(()) == ""
    assert checks.markdown(()) == ""
    assert checks.as_json(()) == []
