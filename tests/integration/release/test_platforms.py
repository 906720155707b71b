"""Images of several platforms: of the release all, here what docker pulls for this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright import recorded
from hullwright.tasks import releasing, sizing
from releasing import Shop, forget
from replaying import workspace

if TYPE_CHECKING:
    from releasing import Runs

pytestmark = pytest.mark.docker

BOTH = ("linux/amd64", "linux/arm64")


def built_for(shop: Shop, *platforms: str) -> Shop:
    """Return the shop with an api of some platforms, and attestations of them, in the registry."""
    folder = shop.root.parent / "two"
    folder.mkdir()
    (folder / "file").write_text("content\n", encoding="utf-8")
    (folder / "Dockerfile").write_text(
        f"FROM scratch\nCOPY file /file\nLABEL dev.hullwright.project={shop.project}\n",
        encoding="utf-8",
    )
    name = f"{shop.repository('api')}:two"
    words = ("--quiet", "--provenance=true", "--platform", ",".join(platforms), "--tag", name)
    docker("buildx", "build", *words, f"{folder}")
    docker("push", "--quiet", name)
    found = json.loads(docker("image", "inspect", name))[0]
    digest = found["RepoDigests"][0].partition("@")[2]
    made = Shop(shop.root, shop.project, shop.address, {"api": digest})
    forget(made)
    return made


@pytest.fixture
def two(shop: Shop) -> Shop:
    """The shop with an api of two platforms."""
    return built_for(shop, *BOTH)


def test_the_release_has_the_digest_of_each_platform_and_no_attestation(two: Shop) -> None:
    (released,) = two.release().images
    assert tuple(released.platforms) == BOTH
    client = two.client()
    for digest in released.platforms.values():
        assert client.describe(f"{two.project}/api", digest) is not None
    assert released.digest not in released.platforms.values()


def test_what_was_pulled_is_measured_though_the_other_platform_is_not_here(
    two: Shop, run: Runs
) -> None:
    done = run(releasing.pull, release=two.file())
    assert done.code == 0, done.err
    (pulled,) = recorded.load(workspace(two.root)).values()
    assert (pulled.digest, pulled.platforms) == (two.digests["api"], ("linux/amd64",))
    measured = run(sizing.sizes, service=["api"], format="json")
    assert measured.code == 0, measured.err
    assert [one["platform"] for one in measured.json()["images"]] == ["linux/amd64"]


def test_an_image_that_has_nothing_for_this_machine_is_1(shop: Shop, run: Runs) -> None:
    arm = built_for(shop, "linux/arm64")
    done = run(releasing.pull, release=arm.file())
    assert done.code == 1
    assert f"{arm.repository('api')}:1.4.1 has no image for this machine" in done.err
    assert "it has  linux/arm64" in done.err
    assert not (arm.root / ".hullwright" / "images.json").exists()
