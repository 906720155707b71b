"""A push from two nodes: each sends its platforms by digest, and the tags name one image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from composing import docker
from matrix import matrix_in

from .conftest import configured, forget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matrix import Matrix

    from .conftest import Site

pytestmark = pytest.mark.docker
BOTH = ("--platform", "linux/amd64,linux/arm64")


@pytest.fixture
def pushing(site: Site, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a repository that pushes to the registry beside the nodes, each for one platform."""
    rules = 'tags = [{ type = "raw", value = "stable" }]'
    address = f"{site.registry}/team"
    with matrix_in(tmp_path, 2, registry=address, configuration=rules) as matrix:
        try:
            nodes = [site.node("plain", "linux/amd64"), site.node("secure", "linux/arm64")]
            configured(matrix, nodes)
            for name in matrix.names:
                matrix.repository.write(
                    f"services/{name}/Dockerfile", "FROM scratch\nCOPY steps.sh /s\n"
                )
            matrix.commit()
            yield matrix
        finally:
            forget(matrix)


def test_what_two_nodes_pushed_is_one_image_under_its_tags(pushing: Matrix) -> None:
    told = pushing.json("push", *BOTH)
    assert {target["status"] for target in told["build"]["targets"]} == {"built"}
    assert pushing.images() == []
    for image in told["images"]:
        assert set(image["platforms"]) == {"linux/amd64", "linux/arm64"}
        name = f"{pushing.registry}/{pushing.project}/{image['service']}:stable"
        raw = docker("buildx", "imagetools", "inspect", "--raw", name)
        platforms = [entry["platform"]["architecture"] for entry in json.loads(raw)["manifests"]]
        assert platforms == ["amd64", "arm64"]
    # It is found by its fingerprint, as an image of one node is.
    again = pushing.json("push", *BOTH)
    assert {target["status"] for target in again["build"]["targets"]} == {"current"}
    assert {tag["status"] for tag in again["tags"]} == {"unchanged"}
