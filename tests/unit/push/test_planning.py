"""Which images a push is about, which tags they get, and what stops it beforehand."""

from __future__ import annotations

import pytest

from hullwright.config.models import Config, Service
from hullwright.errors import UnavailableError, UsageError
from hullwright.push import (
    PushPlan,
    attested,
    by_digest,
    check_rights,
    moved_by_changes,
    of_sources,
    planned_image,
    require_registry,
)
from pushing import Memory

from .conftest import API, HOST, content


def test_a_push_needs_a_registry() -> None:
    with pytest.raises(UsageError) as raised:
        require_registry(Config("shop"))
    told = str(raised.value)
    assert told.startswith("there is no registry to push to")
    assert "HULLWRIGHT_REGISTRY=127.0.0.1:5000" in told
    assert require_registry(Config("shop", registry=HOST)) == HOST


def test_services_without_a_registry_are_named() -> None:
    services = {"api": Service("api", image=API), "web": Service("web", image="team/web")}
    with pytest.raises(UsageError) as raised:
        require_registry(Config("shop", services=services))
    told = str(raised.value)
    assert "images of web stay local" in told
    assert "of api: named by the images, but they are pushed to the registry of the " in told


def test_tags_are_of_two_kinds_and_a_stage_is_their_suffix() -> None:
    image = planned_image(
        "api",
        "development",
        reference=f"{API}:1.2.3-development",
        tags=["1.2.3", "1.2", "latest"],
        fixed=["1.2.3"],
        stage="-development",
    )
    assert image.repository == API
    assert image.fixed == ("1.2.3-development",)
    assert image.moving == ("1.2-development", "latest-development")


def test_a_tag_too_long_with_its_stage_is_refused() -> None:
    with pytest.raises(UsageError, match="is too long"):
        planned_image("api", "x", reference=f"{API}:1", tags=["a" * 127], fixed=[], stage="-x")


def test_other_tags_are_added_once_and_move() -> None:
    image = planned_image("api", "", reference=f"{API}:1", tags=["1.2.3", "main"], fixed=["1.2.3"])
    named = image.named(content("sha256:x"), ["main", "mine"])
    assert (named.fixed, named.moving) == (("1.2.3",), ("main", "mine"))


def test_a_version_among_other_tags_never_names_another_image() -> None:
    image = planned_image("api", "", reference=f"{API}:1", tags=["1.2.3", "main"], fixed=["1.2.3"])
    named = image.named(content("sha256:x"), ["9.9.9", "prod", "sha-1a2b3c4"])
    assert named.fixed == ("1.2.3", "9.9.9", "sha-1a2b3c4")
    assert named.moving == ("main", "prod")


CHANGED = "1.2.4-0.dev.0+g1a2b3c4.dirty.0badcafe"


def named(*fixed: str, moving: str = "main") -> PushPlan:
    """Return a push of one image under these tags."""
    tags = [*fixed, *([moving] if moving else [])]
    image = planned_image("api", "", reference=f"{API}:1", tags=tags, fixed=fixed)
    return PushPlan((image,))


def test_a_changed_tree_gets_no_tag_of_a_version() -> None:
    key = ("api", "")
    plan = named("v1.2.3", "sha-1a2b3c4")
    assert of_sources(plan, {key: "1.2.3"}) == plan
    with pytest.raises(UsageError) as raised:
        of_sources(plan, {key: CHANGED})
    told = str(raised.value)
    assert told.startswith("a changed tree gets no tag of a version or a commit")
    assert f"{CHANGED} as v1.2.3" in told


def test_a_changed_tree_leaves_the_name_of_its_commit_to_the_commit() -> None:
    own = CHANGED.replace("+", ".")
    (image,) = of_sources(named(own, "sha-1a2b3c4"), {("api", ""): CHANGED}).images
    assert image.tags == (own, "main")
    with pytest.raises(UsageError, match="a commit's is its only tag"):
        of_sources(named("sha-1a2b3c4", moving=""), {("api", ""): CHANGED})


def test_a_tag_that_moves_to_a_changed_tree_is_told_of() -> None:
    plan, key = named(CHANGED.replace("+", ".")), ("api", "")
    assert moved_by_changes(plan, {key: CHANGED}) == (
        "the tag main moves to what is in no commit: api of a changed tree",
    )
    assert moved_by_changes(plan, {key: "1.2.4-0.dev.1+g1a2b3c4"}) == ()


def test_rights_are_asked_for_once_for_each_repository(memory: Memory) -> None:
    check_rights({HOST: memory}, [API, f"{HOST}/team/web"])
    assert sorted(memory.checked) == ["team/api", "team/web"]
    memory.denied = "you are a guest"
    with pytest.raises(UnavailableError, match="you are a guest"):
        check_rights({HOST: memory}, [API])


def test_what_is_attached_is_what_was_asked_for() -> None:
    assert attested(()) == ()
    assert attested(("provenance",)) == ("type=provenance,mode=max",)
    assert attested(("sbom",)) == ("type=sbom", "type=provenance,disabled=true")


def test_content_goes_out_by_digest() -> None:
    (output,) = by_digest(API)
    assert output.startswith(f"type=image,name={API},")
    assert {"push=true", "push-by-digest=true", "name-canonical=true"} <= set(output.split(","))
