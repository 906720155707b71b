"""Where each image that is lacking comes from; plans are compared as `--dry` prints them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.bases.models import ListedImage, Listing, Observed, Recipe, Use
from hullwright.bases.planning import plan_images
from hullwright.errors import ExitCode, UnavailableError
from hullwright.images import Platform
from hullwright.tools.registry import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

AMD: Final = Platform("linux", "amd64")
ARM: Final = Platform("linux", "arm64")
SILENT: Final = (Answer("unreachable", "index.example.com", "Name or service not known"),)
RECIPE: Final = Recipe("postgres", Path("/r"), ("postgres:17",), "trixie", (), digest="sha256:1")
MISSING: Final = ListedImage(
    "postgres:17",
    "missing",
    "registry",
    uses=(Use("postgres:17", "compose.yml: db"),),
    wanted=(AMD,),
    recipe="postgres",
)


def seen(*images: ListedImage, answers: Sequence[Answer] = SILENT, mirror: str = "") -> Observed:
    said = {image.image: tuple(answers) for image in images}
    return Observed(Listing(images), {"postgres:17": RECIPE}, said, mirror)


def test_what_is_present_is_kept() -> None:
    there = replace(MISSING, state="present", platforms=(AMD,))
    plan = plan_images(seen(there), stand_ins=True)
    assert str(plan) == "keep   postgres:17: in the local store"
    assert plan.operations == ()


def test_an_image_that_is_built_here_is_nobodys_to_prepare() -> None:
    own = replace(MISSING, origin="built here", recipe="")
    assert str(plan_images(seen(own), stand_ins=True)) == ""


@pytest.mark.parametrize(
    "answer",
    [
        Answer("present", "index.example.com", "200", 200),
        Answer("refused", "index.example.com", "429, too many requests", 429),
        Answer("refused", "index.example.com", "401, it wants a login", 401),
        Answer("absent", "index.example.com", "404, it has no such image", 404),
    ],
)
def test_a_registry_that_answers_is_pulled_from_whatever_it_says(answer: Answer) -> None:
    plan = plan_images(seen(MISSING, answers=[answer]), stand_ins=True)
    assert str(plan) == "pull   postgres:17  linux/amd64: not in the local store"


def test_a_stand_in_is_built_where_no_registry_answers() -> None:
    plan = plan_images(seen(MISSING), stand_ins=True)
    assert str(plan) == (
        "build  postgres:17  linux/amd64 by recipe postgres: "
        "not in the local store, and no registry answers"
    )


def test_without_consent_no_stand_in_is_built() -> None:
    plan = plan_images(seen(MISSING), stand_ins=False)
    assert str(plan) == "pull   postgres:17  linux/amd64: not in the local store"


def test_a_further_platform_builds_the_stand_in_for_all_of_them() -> None:
    partly = replace(
        MISSING, state="present", origin="stand-in", platforms=(AMD,), wanted=(AMD, ARM)
    )
    assert str(plan_images(seen(partly), stand_ins=True)) == (
        "build  postgres:17  linux/amd64 linux/arm64 by recipe postgres: "
        "not in the local store for every wanted platform, and no registry answers"
    )


def test_only_the_lacking_platform_is_pulled() -> None:
    partly = replace(MISSING, state="present", platforms=(AMD,), wanted=(AMD, ARM))
    there = (Answer("present", "index.example.com", "200", 200),)
    assert str(plan_images(seen(partly, answers=there), stand_ins=False)) == (
        "pull   postgres:17  linux/arm64: not in the local store"
    )


STALE: Final = replace(MISSING, state="stale", origin="stand-in", platforms=(AMD,))


def test_a_stale_stand_in_is_built_again() -> None:
    assert str(plan_images(seen(STALE), stand_ins=True)) == (
        "build  postgres:17  linux/amd64 by recipe postgres: its recipe has changed"
    )


def test_a_stale_stand_in_gives_way_to_the_official_image() -> None:
    there = (Answer("present", "index.example.com", "200", 200),)
    assert str(plan_images(seen(STALE, answers=there), stand_ins=True)) == (
        "pull   postgres:17  linux/amd64: takes the place of a stand-in"
    )


def test_without_consent_a_stale_stand_in_stays() -> None:
    assert str(plan_images(seen(STALE), stand_ins=False)) == (
        "keep   postgres:17: in the local store"
    )


@pytest.mark.parametrize(
    ("mirrors", "registrys", "from_mirror"),
    [
        ("present", "unreachable", True),
        ("refused", "unreachable", True),
        ("refused", "present", False),
        ("absent", "present", False),
        ("unreachable", "present", False),
    ],
)
def test_the_mirror_serves_what_it_has(mirrors: str, registrys: str, from_mirror: bool) -> None:  # noqa: FBT001  a parameter of the test
    answers = [
        Answer(mirrors, "mirror.example.com"),  # type: ignore[arg-type]  # one of the verdicts
        Answer(registrys, "index.example.com"),  # type: ignore[arg-type]  # one of the verdicts
    ]
    plan = plan_images(seen(MISSING, answers=answers, mirror="mirror.example.com"), stand_ins=False)
    source = " from mirror.example.com/library/postgres:17" if from_mirror else ""
    assert str(plan) == f"pull   postgres:17  linux/amd64{source}: not in the local store"


def test_an_image_that_nothing_can_give_ends_with_3_and_is_named() -> None:
    other = replace(
        MISSING, image="nginx:1", recipe="", uses=(Use("nginx:1", "Dockerfile:3 FROM"),)
    )
    with pytest.raises(UnavailableError) as caught:
        plan_images(seen(MISSING, other), stand_ins=True)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert caught.value.lines() == [
        "no registry answers, and no recipe stands in for nginx:1",
        "  image              nginx:1, wanted by Dockerfile:3 FROM",
        "  index.example.com  Name or service not known",
        "  stand-ins          postgres:17",
        "  next               name a mirror: HULLWRIGHT_MIRROR, or [build] mirror",
    ]
