"""What is typed of a push, and what of it can be meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hullwright.build import BuildRequest
from hullwright.errors import UsageError
from hullwright.tasks.pushoptions import Options, meant


def typed(request: BuildRequest, options: Options, **flags: bool) -> tuple[BuildRequest, Options]:
    """Return what is meant by what was typed."""
    given: dict[str, Any] = {"part": False, "join": False, "failed": False, **flags}
    return meant(request, options, **given)


def test_a_push_of_all_is_as_it_was_typed() -> None:
    request, options = BuildRequest(platforms=("linux/amd64", "linux/arm64")), Options(ref="v1")
    assert typed(request, options) == (request, options)


def test_a_part_plans_whole_images_and_knows_its_platform() -> None:
    request, options = typed(BuildRequest(platforms=("linux/arm64/v8",)), Options(), part=True)
    assert request.platforms == ()
    assert (options.share, options.platform) == ("part", "linux/arm64")
    assert typed(BuildRequest(), Options(), part=True)[1].platform == ""


def test_a_join_is_of_all_platforms() -> None:
    request, options = typed(BuildRequest(force=True), Options(release_file="x"), join=True)
    assert request.force
    assert (options.share, options.release_file) == ("join", "x")


@pytest.mark.parametrize(
    ("request_", "options", "flags", "told"),
    [
        ({}, {}, ("part", "join"), "--part and --join cannot both be meant"),
        ({"platforms": ("a/b",)}, {}, ("join",), "--join and --platform cannot be meant together"),
        ({"no_cache": True}, {}, ("join",), "--join and --no-cache"),
        ({}, {"timeline": "x.html"}, ("join",), "--join and --timeline"),
        ({}, {"release_file": "x", "all_tags": True}, ("part",), "--release-file and --all-tags"),
        ({"platforms": ("a/b", "a/c")}, {}, ("part",), "for one platform, not for a/b and a/c"),
        ({"force": True}, {}, ("failed",), "--failed builds only what is not in the registry"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(
    request_: dict[str, Any], options: dict[str, Any], flags: tuple[str, ...], told: str
) -> None:
    given = dict.fromkeys(flags, True)
    with pytest.raises(UsageError) as raised:
        typed(replace(BuildRequest(), **request_), replace(Options(), **options), **given)
    assert told in str(raised.value)
    assert raised.value.exit_code == 2
    assert raised.value.next_step
