"""Which base images a lock is to hold, told by Dockerfiles alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.bases.needs import needed
from hullwright.errors import UsageError
from hullwright.images import Platform
from locking import AMD, ARM, sha, shop
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path


def test_every_way_to_name_an_image_counts_with_its_places(tmp_path: Path) -> None:
    config = shop(
        tmp_path,
        "FROM golang AS build\nRUN --mount=from=busybox:1,target=/b true\n"
        "FROM alpine:3\nCOPY --from=build /x /x\nCOPY --from=tools:2 /y /y\n",
        "FROM docker.io/library/alpine:3\n",
    )
    found = needed(workspace(tmp_path, config)).images
    assert {name: need.places for name, need in found.items()} == {
        "alpine:3": ("s0.Dockerfile:3 FROM", "s1.Dockerfile:1 FROM"),
        "busybox:1": ("s0.Dockerfile:2 RUN --mount",),
        "golang:latest": ("s0.Dockerfile:1 FROM",),
        "tools:2": ("s0.Dockerfile:5 COPY --from",),
    }


def test_what_is_made_here_pinned_or_given_needs_no_lock(tmp_path: Path) -> None:
    config = shop(
        tmp_path,
        f"FROM shop/s1\nCOPY --from=alpine@{sha('a')} /x /x\nCOPY --from=ours /y /y\n",
        "FROM scratch\n",
    )
    own = replace(config.services["s0"], contexts={"ours": "docker-image://other:1"})
    config = replace(config, services={**config.services, "s0": own})
    assert needed(workspace(tmp_path, config)).images == {}


def test_a_service_on_the_public_image_of_its_own_name_leaves_that_to_the_public_one(
    tmp_path: Path,
) -> None:
    config = shop(tmp_path, "FROM redis:8\n", "FROM redis:8\n")
    mine = replace(config.services["s0"], image="redis")
    config = replace(config, services={**config.services, "s0": mine})
    assert needed(workspace(tmp_path, config)).images["redis:8"].places == (
        "s0.Dockerfile:1 FROM",
        "s1.Dockerfile:1 FROM",
    )


def test_a_name_that_only_a_build_knows_is_told(tmp_path: Path) -> None:
    config = shop(tmp_path, "ARG BASE\nFROM ${BASE}\nCOPY --from=x:$TARGETARCH /x /x\n")
    found = needed(workspace(tmp_path, config))
    assert found.images == {}
    assert found.unclear == (
        ("s0.Dockerfile:2 FROM", "an image"),
        ("s0.Dockerfile:3 COPY --from", "x:$TARGETARCH"),
    )


def test_arguments_of_the_build_decide(tmp_path: Path) -> None:
    ws = workspace(tmp_path, shop(tmp_path, "ARG BASE=alpine:3\nFROM ${BASE}\n"))
    assert set(needed(ws).images) == {"alpine:3"}
    assert set(needed(ws, build_args={"BASE": "debian:13"}).images) == {"debian:13"}


def test_platforms_are_those_that_somebody_named(tmp_path: Path) -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM golang:1 AS build\n"
        "FROM --platform=linux/s390x alpine:3 AS other\n"
        "FROM --platform=$TARGETPLATFORM debian:13\n"
        "COPY --from=build /x /x\nCOPY --from=other /x /x\n"
    )
    ws = workspace(tmp_path, shop(tmp_path, text, platforms=(AMD, ARM)))
    assert {name: need.platforms for name, need in needed(ws).images.items()} == {
        "alpine:3": ("linux/s390x",),
        "debian:13": (AMD, ARM),
        "golang:1": (),
    }
    asked = needed(ws, platforms=["linux/aarch64"]).images
    assert asked["debian:13"].platforms == (ARM,)


def test_a_services_own_platforms_are_narrower(tmp_path: Path) -> None:
    config = shop(tmp_path, "FROM alpine:3\n", platforms=(AMD, ARM))
    own = replace(config.services["s0"], platforms=(Platform.parse(ARM),))
    config = replace(config, services={"s0": own})
    assert needed(workspace(tmp_path, config)).images["alpine:3"].platforms == (ARM,)


def test_only_the_dockerfiles_of_these_services_are_looked_at(tmp_path: Path) -> None:
    ws = workspace(tmp_path, shop(tmp_path, "FROM alpine:3\n", "FROM debian:13\n"))
    assert set(needed(ws, ["s1"]).images) == {"debian:13"}
    with pytest.raises(UsageError, match="unknown service"):
        needed(ws, ["s9"])
