"""What becomes of each image of a lock; plans are compared as `--dry` prints them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.bases.lockmodels import LOCAL, LockSeen, Told
from hullwright.bases.lockplan import compare, plan_lock
from hullwright.bases.models import Recipe
from hullwright.bases.needs import Need, Needs
from hullwright.errors import CheckFailedError, ExitCode, UnavailableError
from hullwright.locked import Lock
from locking import AMD, ARM, locked, sha, stand_in

if TYPE_CHECKING:
    from hullwright.locked import LockedImage

SILENT: Final = (("docker.io", "Name or service not known"),)
RECIPE: Final = Recipe("x", Path("/r"), ("python:3",), "trixie", (), digest=sha("d"))
MADE: Final = datetime(2026, 11, 30, tzinfo=UTC)


def seen(
    *told: Told,
    lock: tuple[LockedImage, ...] = (),
    names: tuple[str, ...] = (),
    moving: tuple[str, ...] = (),
    platforms: tuple[str, ...] = (),
) -> LockSeen:
    named = sorted({*(each.image for each in told), *names})
    needs = {name: Need(name, (f"{name}.Dockerfile:1 FROM",), platforms) for name in named}
    images = Lock({image.name: image for image in lock}) if lock else None
    found = {each.image: each for each in told}
    return LockSeen(Needs(needs), images, found, {"python:3": RECIPE}, moving)


def test_what_is_not_locked_is_added_from_where_it_is() -> None:
    plan = plan_lock(seen(Told("alpine:3", locked("alpine:3", "a"))))
    assert str(plan) == (
        "add  alpine:3  sha256:aaaaaaaaaaaa from docker.io/library/alpine:3: "
        "alpine:3.Dockerfile:1 FROM"
    )


def test_what_is_locked_stays_and_what_nobody_names_goes() -> None:
    plan = plan_lock(
        seen(lock=(locked("alpine:3", "a"), locked("old:1", "b")), names=("alpine:3",))
    )
    assert str(plan) == (
        "keep alpine:3  sha256:aaaaaaaaaaaa: it is locked\n"
        "drop old:1: no Dockerfile names it any more"
    )
    assert [change.image for change in plan.changing] == ["old:1"]


def test_only_what_is_asked_for_is_moved() -> None:
    plan = plan_lock(
        seen(
            Told("alpine:3", locked("alpine:3", "b")),
            lock=(locked("alpine:3", "a"), locked("debian:13", "c"), locked("old:1", "b")),
            names=("debian:13",),
            moving=("alpine:3",),
        )
    )
    assert str(plan) == (
        "move alpine:3  sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb from docker.io/library/alpine:3: "
        "it moved\n"
        "keep debian:13  sha256:cccccccccccc: it is locked"
    )


def test_what_did_not_move_keeps_its_lines() -> None:
    entry = locked("alpine:3", "a")
    (change,) = plan_lock(
        seen(Told("alpine:3", entry), lock=(entry,), moving=("alpine:3",))
    ).changes
    assert (change.action, change.after) == ("keep", entry)


def test_a_stand_in_of_a_changed_recipe_is_locked_anew_with_its_packages() -> None:
    told = Told("python:3", stand_in("python:3", sha("d")), SILENT, silent=True)
    plan = plan_lock(seen(told, lock=(stand_in("python:3", sha("c"), apt="1"),)))
    assert str(plan) == (
        "move python:3  stand-in by recipe sha256:cccccccccccc → "
        "stand-in by recipe sha256:dddddddddddd from deploy/base-images/x: "
        "its recipe has changed; its packages are read"
    )


def test_packages_that_moved_move_the_stand_in_that_is_asked_for() -> None:
    told = Told("python:3", stand_in("python:3", sha("d"), apt="2"), SILENT, silent=True)
    before = stand_in("python:3", sha("d"), apt="1")
    plan = plan_lock(seen(told, lock=(before,), moving=("python:3",)))
    assert str(plan) == (
        "move python:3  stand-in by recipe sha256:dddddddddddd from deploy/base-images/x: "
        "its packages moved"
    )


def test_a_registry_that_answers_takes_the_place_of_a_stand_in() -> None:
    plan = plan_lock(
        seen(
            Told("python:3", locked("python:3", "e")),
            lock=(stand_in("python:3", sha("d")),),
            moving=("python:3",),
        )
    )
    assert str(plan).startswith(
        "move python:3  stand-in by recipe sha256:dddddddddddd → sha256:eee"
    )


def test_what_stays_locked_without_a_platform_is_told_with_what_moves_it() -> None:
    kept = seen(lock=(locked("alpine:3", "a", AMD),), names=("alpine:3",), platforms=(AMD, ARM))
    assert plan_lock(kept).notes == (
        (
            "alpine:3 is locked without linux/arm64, which alpine:3.Dockerfile:1 FROM needs"
            "   (invoke images --update alpine:3)"
        ),
    )


def test_what_a_person_should_know_is_noted() -> None:
    entry = replace(locked("alpine:3", "a", AMD), source=LOCAL)
    needs = seen(Told("alpine:3", entry, SILENT, silent=True), platforms=(AMD, ARM))
    needs = replace(needs, needs=replace(needs.needs, unclear=(("Dockerfile:2 FROM", "an image"),)))
    assert plan_lock(needs).notes == (
        (
            "alpine:3 is locked to what the local store has, for no registry answers: "
            "other machines may not have it"
        ),
        "alpine:3 has no linux/arm64, which alpine:3.Dockerfile:1 FROM needs",
        "Dockerfile:2 FROM depends on what only a build knows, so no lock can hold an image",
    )


def test_a_repository_without_base_images_has_an_empty_lock() -> None:
    assert str(plan_lock(seen())) == "no Dockerfile names a base image: images.lock holds none"


def test_images_that_nobody_gives_end_with_3_all_at_once() -> None:
    nowhere = Told("nginx:1", said=(("docker.io", "it has no such image"),))
    with pytest.raises(UnavailableError) as caught:
        plan_lock(seen(nowhere, Told("alpine:3", said=SILENT, silent=True)))
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert caught.value.lines() == [
        "nobody tells what nginx:1, alpine:3 is now",
        "  image      nginx:1, named by nginx:1.Dockerfile:1 FROM",
        "  image      alpine:3, named by alpine:3.Dockerfile:1 FROM",
        "  docker.io  it has no such image",
        "  docker.io  Name or service not known",
        "  next       correct the name of the image, or log in: invoke login --registry NAME",
    ]


def test_without_a_registry_a_mirror_or_stand_ins_help() -> None:
    with pytest.raises(UnavailableError) as caught:
        plan_lock(seen(Told("alpine:3", said=SILENT, silent=True)))
    assert caught.value.next_step == (
        "name a mirror ([build] mirror), or make stand-ins: invoke images --prepare --stand-ins"
    )


def test_the_local_store_never_takes_the_place_of_what_a_registry_gave() -> None:
    here = Told("alpine:3", stand_in("alpine:3", sha("d")), SILENT, silent=True)
    with pytest.raises(UnavailableError, match="nobody tells what alpine:3 is now"):
        plan_lock(seen(here, lock=(locked("alpine:3", "a"),), moving=("alpine:3",)))


@pytest.mark.parametrize(
    ("name", "words", "step"),
    [
        (
            "python:3",
            "a stand-in by an earlier form of the recipe x",
            "invoke images --prepare --stand-ins   (makes them anew)",
        ),
        (
            "rust:1",
            "a stand-in, and deploy/base-images has no recipe for it",
            "name a mirror that has it ([build] mirror), or copy its recipe to deploy/base-images",
        ),
    ],
)
def test_a_stand_in_that_is_not_the_recipes_ends_with_1(name: str, words: str, step: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        plan_lock(seen(Told(name, stand_in(name, sha("0")), SILENT, silent=True)))
    assert caught.value.exit_code is ExitCode.FAILED
    assert caught.value.lines() == [
        "what is here is not what the recipes make",
        f"  {name}  {words}",
        f"  {'next':<{len(name)}}  {step}",
    ]


@pytest.mark.parametrize(
    ("before", "told", "state", "moved"),
    [
        (locked("a:1", "a"), Told("a:1", locked("a:1", "a")), "current", ()),
        (locked("a:1", "a"), Told("a:1", locked("a:1", "b"), created=MADE), "moved", ()),
        (locked("a:1", "a"), Told("a:1", said=SILENT, silent=True), "unknown", ()),
        (locked("a:1", "a"), Told("a:1", locked("a:1", "b"), SILENT, silent=True), "unknown", ()),
        (
            locked("a:1", "a", source=LOCAL),
            Told("a:1", locked("a:1", "b", source=LOCAL), SILENT, silent=True),
            "moved",
            (),
        ),
        (locked("a:1", "a"), Told("a:1", stand_in("a:1", sha("d"))), "unknown", ()),
        (
            stand_in("a:1", sha("d"), apt="1"),
            Told("a:1", stand_in("a:1", sha("d"), apt="1"), silent=True),
            "current",
            (),
        ),
        (
            stand_in("a:1", sha("d"), apt="1"),
            Told("a:1", stand_in("a:1", sha("d"), apt="2"), silent=True),
            "moved",
            ("apt 1 → 2",),
        ),
        (
            stand_in("a:1", sha("c"), apt="1"),
            Told("a:1", stand_in("a:1", sha("c"), apt="1"), silent=True),
            "moved",
            ("its recipe has changed",),
        ),
        (
            stand_in("a:1", sha("d")),
            Told("a:1", locked("a:1", "e")),
            "moved",
            ("docker.io/library/a:1 is there now",),
        ),
        (
            stand_in("a:1", sha("d"), apt="1"),
            Told("a:1", stand_in("a:1", sha("d")), silent=True),
            "unknown",
            (),
        ),
        (stand_in("a:1", sha("d")), Told("a:1", said=SILENT, silent=True), "unknown", ()),
    ],
)
def test_a_locked_image_is_compared_with_what_it_is_now(
    before: LockedImage, told: Told, state: str, moved: tuple[str, ...]
) -> None:
    found = compare(before, told, RECIPE)
    assert (found.state, found.moved) == (state, moved)
    assert found.created == told.created
