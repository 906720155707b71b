"""Reproducible images on builders elsewhere: one digest on both, whichever way it is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from composing import docker

from .conftest import configured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matrix import Matrix

    from .conftest import Site

pytestmark = pytest.mark.docker


@pytest.fixture
def both(far: Matrix, site: Site) -> Iterator[Matrix]:
    """Yield a repository with two builders, of one node each."""
    configured(far, [site.node("plain")])
    path = far.root / "hullwright.toml"
    more = f'[builders.near]\ndriver = "remote"\nnodes = [{site.node("secure")}]\n'
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    far.commit()
    try:
        yield far
    finally:
        docker("buildx", "rm", f"hullwright-{far.project}-near-1", check=False)


def test_the_two_builds_of_a_check_are_made_by_two_builders(both: Matrix) -> None:
    told = both.json("build", "--verify-reproducible")
    assert told["builders"] == ["far", "near"]
    assert told["held"]
    assert [image["service"] for image in told["images"]] == ["s0", "s1"]
    assert both.json("build", "--verify-reproducible", "--builder", "near", "--service", "s0")[
        "builders"
    ] == ["near", "far"]


def test_what_is_kept_by_a_builder_and_what_is_loaded_are_the_same(both: Matrix) -> None:
    words = ("build", "--reproducible", "--service", "s0", "--no-cache")
    (kept,) = both.json(*words)["targets"]
    (loaded,) = both.json(*words, "--load", "--builder", "near")["targets"]
    assert kept["digest"] == loaded["digest"]
    (image,) = json.loads(docker("image", "inspect", loaded["reference"]))
    assert image["Id"] == loaded["digest"]


def test_platforms_of_two_nodes_are_the_same_image(both: Matrix, site: Site) -> None:
    plain, secure = site.node("plain", "linux/amd64"), site.node("secure", "linux/arm64")
    configured(both, [plain, secure])
    both.repository.write("services/s0/Dockerfile", "FROM scratch\nCOPY steps.sh /s\n")
    both.commit()
    words = ("build", "--reproducible", "--service", "s0", "--load", "--no-cache")
    (spread,) = both.json(*words, "--platform", "linux/amd64,linux/arm64")["targets"]
    assert len(spread["nodes"]) == 2
    (image,) = json.loads(docker("image", "inspect", spread["reference"]))
    assert image["Id"] == spread["digest"]
    (again,) = both.json(*words, "--platform", "linux/amd64,linux/arm64")["targets"]
    assert again["digest"] == spread["digest"]
