"""What `images` shows, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from hullwright.bases import Build, Done, ListedImage, Listing, Plan, Prepared, Pull, Recipe, Use
from hullwright.images import Platform
from hullwright.report import images as report

_HERE: Final = Path(__file__).parent
AMD: Final = Platform("linux", "amd64")
ARM: Final = Platform("linux", "arm64")
DB: Final = ListedImage(
    "postgres:17",
    "present",
    "stand-in",
    uses=(Use("postgres:17", "docker-compose.yml: db", native=True),),
    platforms=(AMD,),
    wanted=(AMD,),
    recipe="postgres",
    stand_in_of="postgres:17",
)
LISTING: Final = Listing(
    (
        ListedImage(
            "golang:1",
            "present",
            "registry",
            uses=(Use("golang:1", "api/Dockerfile:1 FROM"),),
            platforms=(AMD,),
            wanted=(AMD, ARM),
        ),
        DB,
        ListedImage(
            "python:3",
            "missing",
            "registry",
            uses=(Use("python:3", "Dockerfile:1 FROM"), Use("python:3", "web/Dockerfile:4 FROM")),
            wanted=(AMD,),
            recipe="python",
        ),
        ListedImage(
            "redis:8",
            "stale",
            "stand-in",
            uses=(Use("redis:8", "docker-compose.yml: cache"),),
            platforms=(AMD,),
            wanted=(AMD,),
            recipe="redis",
            stand_in_of="redis:8",
        ),
        ListedImage(
            "shop/api:local",
            "present",
            "built here",
            uses=(
                Use("shop/api:local", "docker-compose.yml: api"),
                Use("shop/api:local", "docker-compose.yml: worker"),
            ),
            platforms=(AMD,),
            wanted=(AMD,),
            stand_in_of="golang:1",
        ),
        ListedImage(
            "shop/web:local",
            "missing",
            "built here",
            uses=(Use("shop/web:local", "docker-compose.yml: web"),),
            wanted=(AMD,),
        ),
    ),
    (Use("", "Dockerfile:9 FROM", ("BASE",)), Use("Not An Image", "docker-compose.yml: odd")),
)
_RECIPE: Final = Recipe("postgres", Path("/r"), ("postgres:17",), "trixie", ())
_PULL: Final = Pull("golang:1", "m.example.com/library/golang:1", ARM, (), "not in the local store")
_BUILD: Final = Build("postgres:17", _RECIPE, (AMD, ARM), "its recipe has changed")
PLAN: Final = Plan(("python:3",), (_PULL, _BUILD))


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("listing", LISTING),
        ("present", Listing((DB,))),
        ("empty", Listing(())),
        ("plan", PLAN),
        ("prepared", Prepared(PLAN, (Done(_PULL, 2.04), Done(_BUILD, 35.6)), Listing((DB,)))),
        ("nothing", Prepared(Plan(("postgres:17",), ()), (), Listing((DB,)))),
    ],
)
def test_images_are_shown_as_in_the_file(name: str, result: Listing | Prepared | Plan) -> None:
    expected = (_HERE / f"{name}.txt").read_text(encoding="utf-8")
    assert f"{report.text(result)}\n" == expected


def test_a_job_summary_has_the_table() -> None:
    expected = (_HERE / "listing.md").read_text(encoding="utf-8")
    assert f"{report.markdown(LISTING)}\n" == expected


def test_the_machine_form_has_every_image_and_its_platforms() -> None:
    found = report.as_json(LISTING)
    assert found["schema"] == 1
    assert found["images"][0] == {
        "image": "golang:1",
        "state": "present",
        "origin": "registry",
        "platforms": ["linux/amd64"],
        "wanted": ["linux/amd64", "linux/arm64"],
        "recipe": None,
        "stand_in_of": None,
        "locked": None,
        "uses": ["api/Dockerfile:1 FROM"],
    }
    assert found["unknown"][0] == {"image": "", "place": "Dockerfile:9 FROM", "variables": ["BASE"]}


def test_the_machine_form_of_a_preparation_has_its_seconds() -> None:
    found = report.as_json(Prepared(PLAN, (Done(_PULL, 2.04),), Listing((DB,))))
    assert found["done"] == [{"image": "golang:1", "by": "pull", "seconds": 2.04}]
    assert found["plan"] == str(PLAN).splitlines()
