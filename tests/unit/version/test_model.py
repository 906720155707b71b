"""Versions follow SemVer's order along a history, whatever its tags are."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import semver
from hypothesis import given, settings
from hypothesis import strategies as st

from hullwright.version.model import assemble, counted_prefix, derive, highest, of_tag

REVISION = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

# An identifier `0` alone is left out: below it nothing can sort.
_IDENTIFIERS = st.from_regex(r"[1-9][0-9]{0,2}|[a-z-][0-9a-z-]{0,4}", fullmatch=True)
_PRERELEASES = st.lists(_IDENTIFIERS, max_size=3).map(".".join)
_NUMBERS = st.integers(0, 3)
_VERSIONS = st.builds(
    semver.Version, _NUMBERS, _NUMBERS, _NUMBERS, _PRERELEASES.map(lambda text: text or None)
)


def _extends(later: semver.Version, earlier: semver.Version) -> bool:
    same = later.to_tuple()[:3] == earlier.to_tuple()[:3]
    return bool(same and earlier.prerelease and later.prerelease) and str(
        later.prerelease
    ).startswith(f"{earlier.prerelease}.")


@settings(max_examples=500, deadline=None)
@given(
    tags=st.lists(_VERSIONS, max_size=6, unique_by=str),
    gaps=st.lists(st.integers(1, 12), min_size=7, max_size=7),
)
def test_versions_ascend_along_a_history_whose_tags_ascend(
    tags: list[semver.Version], gaps: list[int]
) -> None:
    ascending: list[semver.Version] = []
    for tag in sorted(tags):
        if not any(_extends(tag, earlier) for earlier in ascending):
            ascending.append(tag)
    along: list[semver.Version] = []
    bases: list[semver.Version | None] = [None, *ascending]
    for base, gap in zip(bases, gaps, strict=False):
        first = 0 if base is not None else 1
        along.extend(
            derive(base, distance=distance, revision=REVISION, changed_tree=None)
            for distance in range(first, first + gap)
        )
    for earlier, later in pairwise(along):
        assert earlier < later


@given(base=_VERSIONS, distance=st.integers(0, 10**6), changed=st.booleans())
def test_a_derived_version_is_semver_above_its_tag(
    base: semver.Version, distance: int, *, changed: bool
) -> None:
    found = derive(
        base, distance=distance, revision=REVISION, changed_tree="ab" * 20 if changed else None
    )
    assert semver.Version.is_valid(str(found))
    assert found == base if distance == 0 and not changed else found > base
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", str(found).replace("+", "."))


@given(base=_VERSIONS, patch=st.integers(1, 100), distance=st.integers(1, 10**6))
def test_what_comes_after_a_release_is_below_the_next_ones_pre_releases(
    base: semver.Version, patch: int, distance: int
) -> None:
    released = base.finalize_version()
    found = derive(released, distance=distance, revision=REVISION, changed_tree=None)
    for start in ("alpha.1", "1", "-", "A"):
        coming = released.replace(patch=released.patch + patch, prerelease=start)
        assert released < found < coming


def test_the_highest_tag_is_by_precedence_and_not_by_its_letters() -> None:
    names = ["v1.9.0", "v1.10.0", "v1.10.0-rc.1", "1.11.0", "w2.0.0", "v2.0", "v02.0.0"]
    assert highest(names, "v") == ("v1.10.0", semver.Version(1, 10, 0))
    assert highest(names, "") == ("1.11.0", semver.Version(1, 11, 0))
    assert highest(names, "x") is None


def test_a_tag_of_another_prefix_is_no_version() -> None:
    assert of_tag("api/v1.0.0", "v") is None
    assert of_tag("api/v1.0.0", "api/v") == semver.Version(1, 0, 0)
    assert of_tag("v1.0.0\n", "v") is None


@pytest.mark.parametrize(
    ("names", "prefix", "counted"),
    [
        (["1.2.3"], "v", ""),
        (["1.2.3", "v0.1.0"], "v", "v"),
        (["nightly", "1.2"], "v", "v"),
        ([], "v", "v"),
        (["api/1.2.3"], "api/v", "api/"),
        (["de1.2.3"], "dev", "dev"),
        (["v1.2.3"], "", ""),
    ],
)
def test_the_v_may_be_left_out_by_all_tags(names: list[str], prefix: str, counted: str) -> None:
    assert counted_prefix(names, prefix) == counted


def test_a_long_version_makes_an_image_tag_that_is_legal_and_its_own() -> None:
    def image_tag(text: str) -> str:
        return assemble(
            semver.Version.parse(text),
            revision=REVISION,
            describe="",
            ref="",
            commit_date=datetime(2026, 11, 21, tzinfo=UTC),
            distance=0,
            dirty=False,
        ).image_tag

    assert image_tag("1.2.3+build.7") == "1.2.3.build.7"
    one, other = (image_tag(f"9.9.9-{'a' * 190}{last}") for last in "bc")
    assert one != other
    assert len(one) == len(other) == 100
    assert re.fullmatch(r"9\.9\.9-a+-[0-9a-f]{8}", one)
