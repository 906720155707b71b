"""SBOM and provenance that a push attaches, by the real generator, and what is told of them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import generating
from buildkit import daemon, mirrored
from composing import docker

from .conftest import Yard, yard_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

_DOCKERFILE = "FROM scratch\nCOPY steps.sh /steps.sh\nCOPY status /var/lib/dpkg/status\n"
_TAGS = 'tags = [{ type = "ref", event = "branch" }]\n'
_BUILD = '[build]\nattestations = ["provenance", "sbom"]\n'


@pytest.fixture(scope="module")
def generator(engine: str) -> str:
    """The name of the image that lists packages."""
    return generating.generator()


@pytest.fixture
def yard(generator: str, tmp_path: Path) -> Iterator[Yard]:
    """A repository of one service, whose image says that it holds one package."""
    with yard_in(tmp_path, 1, tags=_TAGS, configuration=_BUILD) as made:
        made.matrix.repository.write("services/s0/Dockerfile", _DOCKERFILE)
        made.matrix.repository.write("services/s0/status", generating.STATUS)
        made.matrix.commit()
        yield made


def _listed(yard: Yard, tag: str = "main") -> Any:
    matrix = yard.matrix
    reference = f"{matrix.registry}/{matrix.project}/s0:{tag}"
    return matrix.json("images", "--attestations", reference)


def test_what_is_attached_is_listed_by_platform(yard: Yard) -> None:
    told = json.loads(yard.matrix.run("push", "--format", "json").stdout)
    assert told["images"][0]["attestations"] == ["provenance", "sbom"]
    listed = _listed(yard)
    assert listed["digest"] == told["images"][0]["digest"]
    (image,) = listed["images"]
    assert image["platform"] == "linux/amd64"
    attached = {one["kind"]: one for one in image["attached"]}
    assert set(attached) == {"provenance", "sbom"}
    assert attached["sbom"]["packages"] == 1
    assert attached["sbom"]["made_by"].startswith("hullwright-sbom-1")
    assert attached["provenance"]["predicate_type"].startswith("https://slsa.dev/provenance/")
    # The generator itself is a material, so that it can be asked which one it was.
    assert attached["provenance"]["materials"] is not None
    # The local store has the same, and says so where no registry is named.
    reference = f"{yard.matrix.registry}/{yard.matrix.project}/s0:main"
    docker("pull", "--quiet", reference)
    docker("tag", reference, f"{yard.matrix.project}/kept:1")
    local = yard.matrix.json("images", "--attestations", f"{yard.matrix.project}/kept:1")
    assert local["place"] == "local store"
    assert local["images"] == listed["images"]
    docker("image", "rm", f"{yard.matrix.project}/kept:1", reference)


def test_a_builder_elsewhere_gets_the_generator_through_its_mirror(
    yard: Yard, generator: str
) -> None:
    there = f"{yard.proxy.upstream}/{generator}"
    docker("tag", generator, there)
    docker("push", "--quiet", there)
    docker("image", "rm", there)
    builder = f"{yard.matrix.project}-remote"
    with (
        tempfile.TemporaryDirectory(prefix="hwbk-") as folder,
        daemon(Path(folder), config=mirrored(yard.proxy.upstream)) as running,
    ):
        docker("buildx", "create", "--name", builder, "--driver", "remote", running.address)
        try:
            yard.push("--platform", "linux/amd64,linux/arm64", BUILDX_BUILDER=builder)
        finally:
            docker("buildx", "rm", builder)
    images = _listed(yard)["images"]
    assert [image["platform"] for image in images] == ["linux/amd64", "linux/arm64"]
    for image in images:
        attached = {one["kind"]: one["packages"] for one in image["attached"]}
        assert attached == {"provenance": None, "sbom": 1}


def test_another_generator_is_asked_where_one_is_configured(yard: Yard) -> None:
    configured = yard.matrix.root / "hullwright.toml"
    text = configured.read_text(encoding="utf-8")
    name = f"127.0.0.1:1/{yard.matrix.project}/scanner:1"
    line = f'{_BUILD}sbom-generator = "{name}"\n'
    configured.write_text(text.replace(_BUILD, line), encoding="utf-8")
    yard.matrix.commit()
    said = yard.push(code=1)
    assert name in said
    assert not yard.all_tags()
    assert f"{name}" in yard.matrix.run("images").stdout


def test_what_is_nowhere_ends_with_1(yard: Yard) -> None:
    name = f"{yard.matrix.registry}/{yard.matrix.project}/s0:nothing"
    said = yard.matrix.run("images", "--attestations", name, code=1).stderr
    assert f"there is no image {name}" in said
    assert "invoke push" in said
    for other in ("--prepare", "--lock", "--outdated", "--update=x", "--platform=linux/amd64"):
        said = yard.matrix.run("images", "--attestations", name, other, code=2).stderr
        assert "--attestations looks at one image" in said
