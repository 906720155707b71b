"""Whether a lock fits what Dockerfiles name; nobody is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hullwright.bases import check
from hullwright.locked import Lock
from locking import AMD, ARM, locked, recipe, sha, shop, stand_in
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hullwright.findings import Finding
    from hullwright.locked import LockedImage


def lock(*images: LockedImage) -> Lock:
    return Lock({image.name: image for image in images})


def told(findings: Sequence[Finding]) -> list[tuple[str, str, str, str]]:
    return [(each.severity, each.subject, each.message, each.remedy) for each in findings]


def test_a_lock_that_fits_says_nothing(tmp_path: Path) -> None:
    digest = recipe(tmp_path, "py", "python:3")
    ws = workspace(tmp_path, shop(tmp_path, "FROM alpine:3\n", "FROM python:3\n"))
    assert check(ws, lock(locked("alpine:3", "a"), stand_in("python:3", digest))) == ()


def test_what_does_not_fit_is_told_with_what_to_do(tmp_path: Path) -> None:
    config = shop(
        tmp_path,
        "FROM alpine:3\n",
        "FROM debian:13\n",
        "FROM python:3\n",
        "FROM rust:1\n",
        platforms=(AMD, ARM),
    )
    recipe(tmp_path, "py", "python:3")
    lines = check(
        workspace(tmp_path, config),
        lock(
            locked("alpine:3", "a", AMD),
            stand_in("python:3", sha("0")),
            stand_in("rust:1", sha("0")),
            locked("old:1", "b"),
        ),
    )
    assert told(lines) == [
        (
            "error",
            "alpine:3",
            "it is locked without linux/arm64, which s0.Dockerfile:1 FROM needs",
            "invoke images --update alpine:3; if nothing changes, it has no such platform",
        ),
        ("error", "debian:13", "s1.Dockerfile:1 FROM is not locked", "invoke images --lock"),
        (
            "error",
            "python:3",
            "the recipe of its stand-in, deploy/base-images/py, has changed since",
            "invoke images --prepare --stand-ins, then: invoke images --lock",
        ),
        (
            "error",
            "rust:1",
            "it is locked as a stand-in, and deploy/base-images has no recipe for it",
            "invoke images --lock",
        ),
        (
            "warning",
            "old:1",
            "no Dockerfile names it any more, and images.lock does",
            "invoke images --lock",
        ),
    ]


def test_a_build_of_some_services_is_held_to_theirs_only(tmp_path: Path) -> None:
    ws = workspace(tmp_path, shop(tmp_path, "FROM alpine:3\n", "FROM debian:13\n"))
    assert check(ws, lock(locked("alpine:3", "a")), ["s0"]) == ()
    (missing,) = check(ws, lock(locked("alpine:3", "a")), ["s1"])
    assert (missing.id, missing.subject) == ("lock.missing", "debian:13")


def test_a_name_that_no_lock_can_hold_is_a_warning(tmp_path: Path) -> None:
    ws = workspace(tmp_path, shop(tmp_path, "ARG BASE\nFROM ${BASE}\n"))
    (found,) = check(ws, lock())
    assert (found.id, found.severity, found.subject) == ("lock.unclear", "warning", "an image")


def note(folder: Path, image: str, digest: str, **packages: str) -> None:
    file = folder / "cache/hullwright/stand-ins" / f"{image.replace(':', '_')}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"image": image, "recipe": digest, "packages": packages}))


def test_packages_that_moved_are_a_warning(tmp_path: Path) -> None:
    digest = recipe(tmp_path, "py", "python:3")
    ws = workspace(tmp_path, shop(tmp_path, "FROM python:3\n"))
    entry = stand_in("python:3", digest, apt="1", dpkg="1", libc6="1", perl="1", tar="1")
    assert check(ws, lock(entry)) == ()
    note(tmp_path, "python:3", digest, apt="2", dpkg="2", libc6="2", perl="2", zlib="1")
    assert told(check(ws, lock(entry))) == [
        (
            "warning",
            "python:3",
            (
                "the packages of the stand-in here are others than the lock's: "
                "apt 1 → 2, dpkg 1 → 2, libc6 1 → 2 and 3 more"
            ),
            "invoke images --update python:3",
        )
    ]


def test_the_note_of_another_recipe_says_nothing(tmp_path: Path) -> None:
    digest = recipe(tmp_path, "py", "python:3")
    ws = workspace(tmp_path, shop(tmp_path, "FROM python:3\n"))
    note(tmp_path, "python:3", sha("9"), apt="2")
    assert check(ws, lock(stand_in("python:3", digest, apt="1"))) == ()
