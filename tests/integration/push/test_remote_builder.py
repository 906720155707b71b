"""A push through a builder that is not the engine's: content goes out by digest only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildkit import buildkitd
from composing import docker
from hullwright import reproducing
from hullwright.reproducing.causes import COMPRESSION

from .conftest import Yard, yard_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker


@pytest.fixture(scope="session")
def daemon() -> Iterator[str]:
    """Yield the address of a BuildKit daemon of our own."""
    with tempfile.TemporaryDirectory(prefix="hwbk-") as folder, buildkitd(Path(folder)) as address:
        yield address


@pytest.fixture
def remote(daemon: str, tmp_path: Path, busybox: str) -> Iterator[tuple[Yard, str]]:
    """Yield a repository whose images need no base, and the name of a remote builder."""
    with yard_in(tmp_path, 2) as yard:
        for name in yard.matrix.names:
            text = "FROM scratch\nCOPY steps.sh /steps.sh\n"
            yard.matrix.repository.write(f"services/{name}/Dockerfile", text)
        yard.matrix.commit()
        builder = f"{yard.matrix.project}-remote"
        docker("buildx", "create", "--name", builder, "--driver", "remote", daemon)
        try:
            yield yard, builder
        finally:
            docker("buildx", "rm", builder)


def test_a_remote_builder_pushes_by_digest(remote: tuple[Yard, str]) -> None:
    yard, builder = remote
    words = ("push", "--platform", "linux/amd64,linux/arm64")
    told = yard.matrix.json(*words, BUILDX_BUILDER=builder)
    assert {target["status"] for target in told["build"]["targets"]} == {"built"}
    assert set(told["images"][0]["platforms"]) == {"linux/amd64", "linux/arm64"}
    for image in told["images"]:
        tags = yard.tags(image["service"])
        assert set(tags.values()) == {image["digest"]}
        assert {"main", "stable"} < set(tags)
    assert yard.matrix.images() == []
    # What it pushed is found by its fingerprint, as what the engine's builder pushed is.
    again = yard.matrix.json(
        "push", "--platform", "linux/amd64,linux/arm64", BUILDX_BUILDER=builder
    )
    assert {target["status"] for target in again["build"]["targets"]} == {"current"}
    assert {tag["status"] for tag in again["tags"]} == {"unchanged"}


def test_a_failed_target_leaves_the_others_waiting_by_digest(remote: tuple[Yard, str]) -> None:
    yard, builder = remote
    dockerfile = "FROM scratch\nCOPY nowhere /nowhere\n"
    yard.matrix.repository.write("services/s1/Dockerfile", dockerfile)
    yard.matrix.commit()
    told = yard.push(code=1, BUILDX_BUILDER=builder)
    assert "1 of 2 wait in the registry for the others" in told
    assert yard.all_tags() == {}
    (staged,) = yard.tags("s0", staging=True)
    assert staged.startswith("hullwright-")


def test_a_reproducible_image_is_pushed_with_the_commits_times(remote: tuple[Yard, str]) -> None:
    yard, builder = remote
    configured = yard.matrix.root / "hullwright.toml"
    text = configured.read_text(encoding="utf-8")
    configured.write_text(f"{text}[build]\nreproducible = true\n", encoding="utf-8")
    yard.matrix.commit()
    first = yard.matrix.json("push", "--force", BUILDX_BUILDER=builder)
    for script in yard.matrix.root.glob("services/*/steps.sh"):
        os.utime(script, (1_500_000_000, 1_500_000_000))
    second = yard.matrix.json("push", "--force", BUILDX_BUILDER=builder)
    assert {target["status"] for target in second["build"]["targets"]} == {"built"}
    assert [i["digest"] for i in first["images"]] == [i["digest"] for i in second["images"]]


def test_two_builders_differ_in_their_compression_at_most(
    remote: tuple[Yard, str], tmp_path: Path
) -> None:
    yard, builder = remote
    ours, theirs = tmp_path / "ours.tar", tmp_path / "theirs.tar"
    for file, name in ((ours, "default"), (theirs, builder)):
        output = f"type=oci,dest={file}"
        words = ("build", "--reproducible", "--service", "s0", "--output", output)
        yard.matrix.run(*words, BUILDX_BUILDER=name)
    for found in reproducing.compare(ours, theirs, lambda step: (step, "")):
        # Not every version of BuildKit writes the same gzip.
        assert found.same or (found.layer and found.layer.cause is COMPRESSION), found
