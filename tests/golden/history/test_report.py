"""The history as people and machines read it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from hullwright.history import Listing, Record, Watched
from hullwright.history.figures import ServiceFigure
from hullwright.history.trend import trends
from hullwright.report import history as report
from hullwright.report import watched as watched_report
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


def cold(number: int, median_s: float, **data: object) -> Record:
    told = {"stack": "default", "verdict": "healthy", "median_s": median_s, **data}
    failed = told["verdict"] != "healthy"
    one = record("cold-start", minute=number, duration_s=median_s + 1.2, data=told,
                 status="failed" if failed else "done", **VERSION)  # fmt: skip
    return replace(one, id=f"00000000-0000-4000-8000-0000000000{number:02}")


COLD = tuple(
    reversed(
        [
            *(cold(number, value) for number, value in enumerate((3.0, 3.1, 3.05, 4.2))),
            cold(4, 9.0, verdict="failed"),
            cold(5, 1.9, warm_volumes=True),
            cold(6, 3.02, verdict="over budget"),
            record("cold-start", minute=7, status="failed", data={"error": "no engine"},
                   id="00000000-0000-4000-8000-000000000007"),
        ]
    )
)  # fmt: skip


@pytest.mark.parametrize("form", ["text", "md", "json"])
def test_the_trend_of_cold_starts(form: str) -> None:
    listing = Listing(COLD, 0, trends("cold-start", COLD))
    shown = {
        "text": lambda: report.text(listing),
        "md": lambda: report.markdown(listing),
        "json": lambda: json.dumps(report.as_json(listing)["trends"], indent=2, ensure_ascii=False),
    }[form]()
    golden = FOLDER / f"trend.{form}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(f"{shown}\n", encoding="utf-8")
    assert f"{shown}\n" == golden.read_text(encoding="utf-8")


def test_no_runs_are_said_in_words() -> None:
    assert report.text(Listing()) == "no runs are recorded yet"
    assert report.markdown(Listing()) == "No runs are recorded yet."
    assert report.as_json(Listing()) == {"schema": 1, "records": [], "unsent": 0}


WATCHED = Watched(
    (
        ServiceFigure("presence-service", "build time", (12.5, 3.1, 2.9)),
        ServiceFigure("presence-service", "cache hits", (0.0, 0.7, 0.75)),
        ServiceFigure("presence-service", "unpacked", (6_900_000.0, 7_100_000.0)),
        ServiceFigure("redis", "start-up time", (0.41,)),
        ServiceFigure("redis", "memory", (9_100_000.0,)),
        ServiceFigure("redis", "CPU", (0.05,)),
    )
)


@pytest.mark.parametrize("form", ["text", "md", "json"])
def test_the_figures_of_services(form: str) -> None:
    machine = json.dumps(watched_report.as_json(WATCHED), indent=2)
    people = watched_report.text if form == "text" else watched_report.markdown
    shown = machine if form == "json" else people(WATCHED)
    path = FOLDER / f"figures.{form}"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{shown}\n", encoding="utf-8")
    assert f"{shown}\n" == path.read_text(encoding="utf-8")


def test_nothing_to_watch_yet_says_so() -> None:
    assert watched_report.text(Watched()) == "no build and no cold start is recorded yet"
    assert watched_report.markdown(Watched()) == "No build and no cold start is recorded yet."
