"""Releases as values: hashes of stacks, kinds of tags, what of a release is meant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

import pytest

from hullwright.errors import CheckFailedError, UsageError
from hullwright.push import Content, promoting, pulling, release
from hullwright.push.pulling import Wanted
from hullwright.push.release import Release, ReleasedImage, config_hash
from pushing import Memory

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.tools.registryclient import RegistryClient

HOST: Final = "registry.example.com"


@dataclass
class Listing:
    """A registry in memory that tells its tags as a client does."""

    memory: Memory

    def __getattr__(self, name: str) -> object:
        return getattr(self.memory, name)

    def tags(self, repository: str) -> tuple[str, ...]:
        return tuple(self.memory.named(repository))


def client(memory: Memory) -> RegistryClient:
    """Return what stands for the client of a registry in memory."""
    return cast("RegistryClient", Listing(memory))


def image(service: str, target: str = "", *tags: str) -> ReleasedImage:
    """Return an image of a release."""
    digest = f"sha256:{'1' * 64}"
    return ReleasedImage(service, target, f"{HOST}/shop/{service}", digest, {}, tags or ("1.0.0",))


def of(*images: ReleasedImage) -> Release:
    """Return a release."""
    return Release("shop", "1.0.0", "a" * 40, "2026-11-21T12:00:00Z", images)


def test_a_stack_has_one_hash_wherever_it_is_checked_out(tmp_path: Path) -> None:
    hashes = set()
    for name, ending in (("here", "\n"), ("elsewhere", "\r\n")):
        root = tmp_path / name
        (root / "deploy").mkdir(parents=True)
        files = [root / "compose.yaml", root / "deploy" / "more.yaml"]
        for file in files:
            file.write_bytes(f"services: {{}}{ending}# {file.name}{ending}".encode())
        hashes.add(config_hash(root, files, ["b", "a"]))
        hashes.add(config_hash(root, files, ["a", "b", "a"]))
    assert len(hashes) == 1
    assert hashes.pop().startswith("sha256:")


def test_what_a_stack_is_made_of_changes_its_hash(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("services: {}\n", encoding="utf-8")
    other.write_text("services: {}\n", encoding="utf-8")
    hashes = [
        config_hash(tmp_path, [one]),
        config_hash(tmp_path, [other]),
        config_hash(tmp_path, [one, other]),
        config_hash(tmp_path, [other, one]),
        config_hash(tmp_path, [one], ["debug"]),
    ]
    one.write_text("services: {a: {}}\n", encoding="utf-8")
    assert len({*hashes, config_hash(tmp_path, [one])}) == len(hashes) + 1


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("1.4.1", "fixed"),
        ("v1.4.1", "fixed"),
        ("1.4.1-rc.1", "fixed"),
        ("1.4.1rc1", "fixed"),
        ("api-v1.4.1", "fixed"),
        ("sha-c2681b4", "fixed"),
        ("1.4", "moving"),
        ("1", "moving"),
        ("prod", "moving"),
        ("prod-2", "moving"),
        ("latest", "moving"),
        ("20261121", "moving"),
        ("sha-prod", "moving"),
    ],
)
def test_whole_versions_and_commits_name_one_image_for_ever(tag: str, kind: str) -> None:
    assert promoting.check_tag(tag) == kind


@pytest.mark.parametrize("tag", ["", "-x", ".x", "a b", "a/b", "a:b", "ä", "x" * 129])
def test_what_no_image_can_be_called_is_refused(tag: str) -> None:
    with pytest.raises(UsageError, match="no legal tag"):
        promoting.check_tag(tag)


def test_an_image_of_another_stage_is_promoted_under_its_suffix() -> None:
    memory = Memory()
    usual = replace(image("api", "production", "1.0.0"), digest=memory.image("shop/api"))
    other = replace(
        image("api", "development", "1.0.0-development", "latest-development"),
        digest=memory.image("shop/api", variant="v2"),
    )
    promotion = promoting.plan({HOST: memory}, of(usual, other), "prod")
    assert [move.tag for move in promotion.moves.moves] == ["prod", "prod-development"]
    promoting.execute({HOST: memory}, promotion)
    assert memory.named("shop/api") == {"prod": usual.digest, "prod-development": other.digest}


def test_a_tag_that_has_no_room_for_its_suffix_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(UsageError, match="no legal tag"):
        promoting.plan({}, of(image("api", "dev", "1.0.0-dev")), "x" * 126)


def test_all_that_a_registry_lacks_is_named_at_once() -> None:
    memory = Memory()
    there = replace(image("api"), digest=memory.image("shop/api"))
    with pytest.raises(CheckFailedError) as raised:
        promoting.plan({HOST: memory}, of(there, image("web"), image("jobs", "late")), "prod")
    told = str(raised.value)
    assert told.startswith("2 of 3 images of shop 1.0.0 are not in the registry, so no tag")
    assert f"web        {image('web').reference}" in told
    assert f"jobs late  {image('jobs').reference}" in told
    assert memory.puts == []


def test_a_release_cannot_be_made_of_what_the_registry_does_not_have() -> None:
    content = Content("api", "", f"{HOST}/shop/api", f"sha256:{'0' * 64}", "")
    with pytest.raises(CheckFailedError, match=r"the registry has no registry\.example\.com/shop"):
        _made(Memory(), content)


def test_an_index_without_platforms_of_its_own_is_told_by_its_images() -> None:
    memory = Memory()
    single = memory.image("shop/api", architecture="arm64")
    index = memory.add("shop/api", {"manifests": [{"digest": single}]})
    assert release.platforms_of(memory, "shop/api", index) == {"linux/arm64": single}


@pytest.mark.parametrize(
    ("services", "target", "chosen"),
    [
        ((), "", ["api production", "api development", "web production"]),
        (("web",), "", ["web production"]),
        ((), "development", ["api development"]),
        (("api",), "production", ["api production"]),
    ],
)
def test_services_and_stage_limit_what_is_pulled(
    services: tuple[str, ...], target: str, chosen: list[str]
) -> None:
    whole = of(image("api", "production"), image("api", "development"), image("web", "production"))
    assert [one.name for one in pulling.of_release(whole, services, target)] == chosen


def test_what_the_release_does_not_have_is_refused_with_what_it_has() -> None:
    with pytest.raises(UsageError, match='unknown service "wep" — did you mean "web"'):
        pulling.of_release(of(image("web")), ["wep"], "")
    with pytest.raises(UsageError, match='unknown target "prod"'):
        pulling.of_release(of(image("web", "production")), [], "prod")


def followed(version: str, revision: str) -> Wanted:
    """Return what is taken for 1.0.0 where only `main` exists, whose labels are these."""
    memory = Memory()
    labels = {
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": revision,
    }
    memory.image("shop/api", "main", labels=labels)
    name = f"{HOST}/shop/api"
    wanted = Wanted(
        "api",
        "",
        f"{name}:1.0.0",
        version="1.0.0",
        revision="a" * 40,
        moving=(f"{name}:main",),
    )
    (found,) = pulling.looked_up({HOST: client(memory)}, [wanted])
    return found


@pytest.mark.parametrize(("version", "revision"), [("1.0.0", ""), ("0.9.0", "a" * 40)])
def test_a_moving_tag_is_taken_while_it_names_this_version(version: str, revision: str) -> None:
    found = followed(version, revision)
    assert found.reference == f"{HOST}/shop/api:main"
    assert found.platforms == ("linux/amd64",)
    assert found.digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("version", "revision", "told"), [("0.9.0", "b" * 40, "its main is of 0.9.0; "), ("", "", "")]
)
def test_a_moving_tag_of_another_version_is_told_and_not_taken(
    version: str, revision: str, told: str
) -> None:
    with pytest.raises(CheckFailedError) as caught:
        followed(version, revision)
    assert f"has no tag 1.0.0; {told}it has main" in str(caught.value)


def test_the_tags_that_a_registry_has_are_told_without_those_of_staged_content() -> None:
    memory = Memory()
    memory.image("shop/api", "1.0.0", "latest", f"hullwright-{'0' * 32}")
    wanted = Wanted("api", "production", f"{HOST}/shop/api:1.0.1", others=(f"{HOST}/shop/api:v1",))
    with pytest.raises(CheckFailedError) as raised:
        pulling.looked_up({HOST: client(memory)}, [wanted])
    assert (
        f"api production  {HOST}/shop/api has no tag 1.0.1, v1; it has 1.0.0, latest "
        '— did you mean "1.0.0"?' in str(raised.value)
    )


def test_an_image_without_a_tag_is_pulled_under_its_digest() -> None:
    bare = replace(image("api"), tags=())
    (wanted,) = pulling.of_release(of(bare), [], "")
    assert wanted.reference == bare.reference == wanted.by_digest


def _made(memory: Memory, content: Content) -> Release:
    from datetime import UTC, datetime

    return release.make(
        {HOST: memory},
        [content],
        project="shop",
        version="1.0.0",
        revision="",
        created=datetime(2026, 11, 21, tzinfo=UTC),
        tags={},
    )
