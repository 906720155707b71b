"""The history as people and machines read it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hullwright.history import Listing
from hullwright.report import history as report
from recording import record

FOLDER = Path(__file__).parent

VERSION = {"version": "1.4.1-0.dev.12", "revision": "1a2b3c4d" * 5}
RECORDS = tuple(
    replace(one, id=f"00000000-0000-4000-8000-00000000000{3 - number}")
    for number, one in enumerate(
        (
            record("cold-start", minute=9, duration_s=3.0212, data={"median_s": 3.02}, **VERSION),
            record("build", minute=4, duration_s=114.93, status="failed", **VERSION),
            record("up", minute=1, status="interrupted"),
        )
    )
)


@pytest.mark.parametrize(("form", "unsent"), [("text", 2), ("md", 0)])
def test_the_shown_forms(form: str, unsent: int) -> None:
    render = {"text": report.text, "md": report.markdown}[form]
    shown = render(Listing(RECORDS, unsent))
    assert f"{shown}\n" == (FOLDER / f"history.{form}").read_text(encoding="utf-8")


def test_the_machine_form() -> None:
    expected = json.loads((FOLDER / "history.json").read_text(encoding="utf-8"))
    assert report.as_json(Listing(RECORDS, 2)) == expected


def test_no_runs_are_said_in_words() -> None:
    assert report.text(Listing()) == "no runs are recorded yet"
    assert report.markdown(Listing()) == "No runs are recorded yet."
    assert report.as_json(Listing()) == {"schema": 1, "records": [], "unsent": 0}
