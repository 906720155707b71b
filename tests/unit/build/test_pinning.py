"""Base images by the lock: taken by builds, which ask nobody for them and stay current."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright import build, locked
from hullwright.build import BuildRequest, SourceVersion
from hullwright.build.affected import changed_targets
from hullwright.build.inputs import contexts_of, fingerprints, materials
from hullwright.errors import ExitCode, UsageError
from hullwright.locked import Lock
from hullwright.run import Result
from locking import locked as locked_image
from locking import sha, shop, stand_in
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.build import BuildPlan
    from hullwright.locked import LockedImage

VERSION: Final = SourceVersion("1.0.0", "1.0.0", "a" * 40)
NOTHING: Final = Replay({}, results={("docker", "image", "inspect"): Result((), 1, "[]")})
DOCKERFILE: Final = """\
FROM golang:1.26 AS build
COPY --from=tools /x /x
FROM docker.io/library/alpine:3
COPY --from=build /x /x
"""


def plan(
    folder: Path,
    *dockerfiles: str,
    lock: tuple[LockedImage, ...] = (),
    request: BuildRequest | None = None,
    contexts: dict[str, str] | None = None,
) -> BuildPlan:
    config = shop(folder, *dockerfiles)
    if contexts:
        object.__setattr__(config.services["s0"], "contexts", contexts)
    ws = workspace(folder, config, NOTHING)
    if lock:
        locked.save(ws, {image.name: image for image in lock})
    return build.plan(ws, request or BuildRequest(), lambda _: VERSION)


def test_a_locked_image_is_taken_by_its_digest_under_the_name_of_the_dockerfile(
    tmp_path: Path,
) -> None:
    lock = (
        locked_image("golang:1.26", "a"),
        locked_image("alpine:3", "b"),
        locked_image("tools:latest", "c"),
        locked_image("other:1", "d"),
    )
    (target,) = plan(tmp_path, DOCKERFILE, lock=lock).targets
    assert target.bake.contexts == {
        "golang:1.26": f"docker-image://golang:1.26@{sha('a')}",
        "tools": f"docker-image://tools:latest@{sha('c')}",
        "alpine:3": f"docker-image://alpine:3@{sha('b')}",
    }
    assert target.bake.labels["org.opencontainers.image.base.digest"] == sha("b")
    assert target.bake.labels["org.opencontainers.image.base.name"] == "docker.io/library/alpine:3"


def test_a_stand_in_and_what_is_not_locked_are_taken_as_they_are(tmp_path: Path) -> None:
    (target,) = plan(
        tmp_path, "FROM python:3\nCOPY --from=tools:1 / /\n", lock=(stand_in("python:3", sha("d")),)
    ).targets
    assert target.bake.contexts == {}


def test_a_sibling_and_a_configured_context_stand_before_the_lock(tmp_path: Path) -> None:
    lock = (locked_image("shop/s1:latest", "a"), locked_image("tools:1", "b"))
    planned = plan(
        tmp_path,
        "FROM shop/s1\nCOPY --from=tools:1 / /\n",
        "FROM scratch\n",
        lock=lock,
        contexts={"tools:1": "docker-image://mine:2"},
    )
    (target,) = [target for target in planned.targets if target.service == "s0"]
    assert target.bake.contexts == {"shop/s1": "target:s1", "tools:1": "docker-image://mine:2"}


def test_nobody_is_asked_for_the_digest_of_a_locked_image(tmp_path: Path) -> None:
    planned = plan(tmp_path, "FROM alpine:3\n", lock=(locked_image("alpine:3", "b"),))
    ws = workspace(tmp_path, shop(tmp_path, "FROM alpine:3\n"), Replay({}))
    (material,) = materials(ws, planned)
    assert (material.images, material.unpinned) == (("alpine:3",), ())


def test_locking_what_is_there_leaves_an_image_current_and_moving_it_does_not(
    tmp_path: Path,
) -> None:
    text = "FROM alpine:3\n"
    ws = workspace(tmp_path, shop(tmp_path, text), NOTHING)

    def value(digest: str, *lock: LockedImage) -> str:
        read = materials(ws, plan(tmp_path, text, lock=lock))
        return fingerprints(read, contexts_of(ws), {"alpine:3": digest})["s0"].value

    # The file itself lies in the build context, which is the folder here.
    (tmp_path / ".dockerignore").write_text("*\n")
    without = value(sha("b"))
    assert value(sha("f"), locked_image("alpine:3", "b")) == without
    assert value(sha("b"), locked_image("alpine:3", "c")) != without


def test_a_stage_of_the_images_name_would_be_lost_and_ends_with_2(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        plan(
            tmp_path,
            "FROM redis AS redis\nRUN x\nFROM redis\n",
            lock=(locked_image("redis:latest", "a"),),
        )
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.lines() == [
        "s0.Dockerfile:1: the stage redis has the name of the image redis, which images.lock pins",
        "  why   BuildKit would take the image in place of the whole stage",
        "  next  call the stage otherwise: FROM redis AS redis-stage",
    ]


def test_newer_images_that_are_asked_for_leave_the_lock(tmp_path: Path) -> None:
    lock = (locked_image("golang:1.26", "a"), locked_image("alpine:3", "b"))
    asked = BuildRequest(pull=True)
    assert plan(tmp_path, DOCKERFILE, DOCKERFILE, lock=lock, request=asked).notes == (
        "images.lock pins 2 base images, which --pull does not move: invoke images --outdated",
    )
    assert plan(tmp_path, DOCKERFILE).notes == ()
    unlocked = tmp_path / "unlocked"
    unlocked.mkdir()
    assert plan(unlocked, DOCKERFILE, request=asked).notes == ()


def test_a_changed_lock_touches_what_is_built_on_what_moved(tmp_path: Path) -> None:
    # The file itself lies in the build context, which is the folder here.
    (tmp_path / ".dockerignore").write_text("*\n")
    files = ("FROM alpine:3\n", "FROM debian:13\n", "FROM python\n", "FROM scratch\n")
    alpine, debian = locked_image("alpine:3", "b"), locked_image("debian:13", "c")
    python = stand_in("python:latest", sha("d"), apt="1")
    planned = plan(tmp_path, *files, lock=(alpine, debian, python))
    ws = workspace(tmp_path, shop(tmp_path, *files), NOTHING)

    def changed(*before: LockedImage) -> set[str]:
        lock = Lock({image.name: image for image in before}) if before else None
        return {name for name, _ in changed_targets(ws, planned, ["images.lock"], lock)}

    assert changed(alpine, debian, python) == set()
    assert changed(locked_image("alpine:3", "e"), debian, python) == {"s0"}
    assert changed(alpine, debian, stand_in("python:latest", sha("d"), apt="2")) == {"s2"}
    assert changed() == {"s0", "s1", "s2"}
    assert changed_targets(ws, planned, ["README.md"]) == set()
