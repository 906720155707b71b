"""Stages, variables and the images that a stage needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import ExitCode, UsageError
from hullwright.tools.dockerfile import parse, read, substitute

if TYPE_CHECKING:
    from pathlib import Path

CHAIN = """\
ARG BASE=debian:trixie
FROM ${BASE} AS base
FROM golang:1 AS tools
FROM base AS builder
ARG VERSION
COPY --from=tools /x /x
FROM nginx:1 AS other
FROM base AS production
RUN --mount=from=builder,target=/b cp /b/x /x
"""


def test_stages_and_arguments_are_known_by_their_names() -> None:
    found = parse(CHAIN)
    assert found.stages == ("base", "tools", "builder", "other", "production")
    assert found.arguments == {"BASE", "VERSION"}


def test_a_target_needs_the_stages_that_it_copies_from() -> None:
    found = parse(CHAIN)
    needed = [stage.name for stage in found.needed_stages("Production")]
    assert needed == ["base", "tools", "builder", "production"]
    images = [use.image for use in found.images(target="production")]
    assert images == ["debian:trixie", "golang:1"]


def test_a_stage_is_also_known_by_its_number() -> None:
    assert [stage.name for stage in parse(CHAIN).needed_stages("0")] == ["base"]


def test_an_unknown_target_ends_with_2_and_names_the_stages() -> None:
    with pytest.raises(UsageError, match='no stage "prod"') as caught:
        parse(CHAIN).needed_stages("prod")
    assert caught.value.exit_code is ExitCode.USAGE
    assert ("stages", "base, tools, builder, other, production") in caught.value.why


def test_a_build_argument_comes_before_the_default() -> None:
    images = [use.image for use in parse(CHAIN).images({"BASE": "alpine:3"}, target="base")]
    assert images == ["alpine:3"]


@pytest.mark.parametrize(
    ("written", "text", "missing"),
    [
        ("a-$X-b", "a-1-b", ()),
        ("${X}${EMPTY}", "1", ()),
        ("${EMPTY:-x}/${EMPTY-x}", "x/", ()),
        ("${X:+set}${NONE+set}", "set", ()),
        ("$TARGETARCH", "$TARGETARCH", ()),
        ("${NONE}${NONE:?needed}", "", ("NONE", "NONE")),
    ],
)
def test_variables_are_replaced_as_a_shell_does(
    written: str, text: str, missing: tuple[str, ...]
) -> None:
    found = substitute(written, {"X": "1", "EMPTY": ""})
    assert (found.text, found.missing) == (text, missing)


def test_a_dockerfile_without_a_stage_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("# FROM a\nARG X\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no FROM instruction") as caught:
        read(path)
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_dockerfile_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could not be read"):
        read(tmp_path / "Dockerfile")
