"""Which tags name one image for ever."""

from __future__ import annotations

import pytest

from hullwright.tagging import RefContext, compute, parse
from hullwright.tagging.kinds import fixed
from tagging import clone, on

RULES = """\
type=semver,pattern={{version}}
type=semver,pattern={{major}}.{{minor}}
type=semver,pattern={{major}}
type=semver,pattern={{major}}.{{minor}}.{{patch}},prefix=p
type=pep440,pattern={{version}},suffix=-py
type=match,pattern=v(\\d+\\.\\d+),group=1,suffix=-m
type=match,pattern=v(.*),group=1,suffix=-full
type=edge
type=ref,event=branch
type=ref,event=tag
type=ref,event=pr
type=raw,value=stable
type=sha
type=schedule
type=version
"""


def kinds(context: RefContext) -> tuple[set[str], set[str]]:
    """Return the fixed and the moving tags of a ref."""
    rules, flavor = parse(RULES, "rules")
    tags = compute(context, rules, flavor, image_tag="1.2.4-0.dev.1")
    never_moves = set(fixed(tags))
    return never_moves, set(tags.names) - never_moves


def test_a_release_has_full_versions_and_its_git_tag() -> None:
    assert kinds(on("refs/tags/v1.2.3", clone("t:v1.2.3"))) == (
        {"1.2.3", "p1.2.3", "1.2.3-py", "1.2.3-full", "v1.2.3", "sha-1a2b3c4", "1.2.4-0.dev.1"},
        {"1.2", "1", "1.2-m", "stable", "latest"},
    )


def test_a_pre_release_moves_nothing_of_a_series() -> None:
    never, moving = kinds(on("refs/tags/v1.2.3-rc.1", clone("t:v1.2.3-rc.1")))
    assert {"1.2.3-rc.1", "p1.2.3-rc.1", "v1.2.3-rc.1", "sha-1a2b3c4"} <= never
    assert moving == {"1.2-m", "stable"}


def test_a_branch_moves() -> None:
    never, moving = kinds(on("refs/heads/main"))
    assert never == {"sha-1a2b3c4", "1.2.4-0.dev.1"}
    assert moving == {"edge", "main", "stable"}


def test_a_pull_request_moves() -> None:
    never, moving = kinds(on("refs/pull/7/merge", event="pull_request"))
    assert (never, moving) == ({"sha-1a2b3c4", "1.2.4-0.dev.1"}, {"pr-7", "stable"})


@pytest.mark.parametrize("name", ["latest", "main"])
def test_latest_is_never_fixed(name: str) -> None:
    rules, flavor = parse(f"type=ref,event=tag\ntype=raw,value={name}", "rules")
    tags = compute(on("refs/tags/v2.0.0", clone("t:v2.0.0")), rules, flavor)
    assert fixed(tags) == ("v2.0.0",)
