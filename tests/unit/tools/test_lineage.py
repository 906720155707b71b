"""What an image inherits along FROM: arguments it has a use for, its base, its labels."""

from __future__ import annotations

import pytest

from hullwright.tools.dockerfile import parse
from hullwright.tools.lineage import base_image, declared, lineage, written_labels

CHAIN = """\
ARG VARIANT=slim
FROM python:3-${VARIANT} AS base
LABEL maintainer="A \\"B\\" C" kind=base
FROM golang:1 AS tools
ARG GIT_COMMIT
LABEL kind=tools
FROM base AS test
ARG BUILD_DATE
LABEL kind=test
FROM base AS production
ARG VERSION
COPY --from=tools /x /x
LABEL version="$VERSION" \\
      title='costs $5'
LABEL old form of it
"""


def test_the_line_is_of_stages_that_start_from_each_other() -> None:
    found = parse(CHAIN)
    assert [stage.name for stage in lineage(found, "production")] == ["production", "base"]
    assert [stage.name for stage in lineage(found)] == ["production", "base"]
    assert [stage.name for stage in lineage(found, "tools")] == ["tools"]


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("production", {"VARIANT", "VERSION", "GIT_COMMIT"}),
        ("", {"VARIANT", "VERSION", "GIT_COMMIT"}),
        ("test", {"VARIANT", "BUILD_DATE"}),
        ("base", {"VARIANT"}),
    ],
)
def test_arguments_are_those_of_the_stages_that_are_built(target: str, wanted: set[str]) -> None:
    assert declared(parse(CHAIN), target) == wanted


def test_the_stage_that_an_argument_chooses_is_the_one_that_counts() -> None:
    text = "ARG FROM=a\nFROM scratch AS a\nARG A\nFROM scratch AS b\nARG B\nFROM $FROM AS c\n"
    assert declared(parse(text), "c") == {"FROM", "A"}
    assert declared(parse(text), "c", {"FROM": "b"}) == {"FROM", "B"}


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (CHAIN, "python:3-slim"),
        ("FROM scratch\n", ""),
        ("ARG BASE\nFROM $BASE\n", ""),
        ("FROM busybox:$TARGETARCH\n", ""),
        ("FROM a:1 AS a\nFROM b:1\nCOPY --from=a / /\n", "b:1"),
    ],
)
def test_the_base_is_where_the_line_ends_if_that_is_certain(text: str, base: str) -> None:
    assert base_image(parse(text)) == base


def test_a_build_argument_chooses_the_base() -> None:
    assert base_image(parse(CHAIN), "test", {"VARIANT": "trixie"}) == "python:3-trixie"


def test_labels_are_inherited_and_those_with_variables_are_not_known() -> None:
    assert written_labels(parse(CHAIN), "production") == {
        "maintainer": 'A "B" C',
        "kind": "base",
        "version": None,
        "title": "costs $5",
        "old": "form of it",
    }
    assert written_labels(parse(CHAIN), "test")["kind"] == "test"
