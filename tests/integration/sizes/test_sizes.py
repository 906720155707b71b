"""Sizes of real images: equal to the tar streams and to the manifests, to the byte."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.build import BuildReport, TargetResult
from hullwright.config.models import Budget, Config, Service
from hullwright.console import Console
from hullwright.errors import ExitCode, HullwrightError
from hullwright.run import Runner
from hullwright.sizes import Subject, measure, of_build, sources
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

DOCKERFILE = """\
FROM {base}
RUN head -c 100000 /dev/zero > /zeros && ln /zeros /hard && ln -s /zeros /soft
RUN head -c 3000 /bin/busybox > /zeros && rm /hard
COPY a.txt /
"""


def docker(*words: str) -> bytes:
    return subprocess.run(("docker", *words), check=True, capture_output=True).stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace with an empty cache; its commands are told to its console."""
    environ = dict(os.environ) | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    console = Console(environ, out=io.StringIO(), err=io.StringIO())
    return Workspace(
        tmp_path, Config("shop"), Runner(environ, echo=console.command), console, environ
    )


@pytest.fixture(scope="module")
def image(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield an image of one platform with provenance, replaced files and links."""
    reference = f"hwtest-{uuid.uuid4().hex[:10]}:1"
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=busybox), encoding="utf-8")
    (folder / "a.txt").write_text("a", encoding="utf-8")
    docker("buildx", "build", "-q", "--provenance=mode=max", "-t", reference, str(folder))
    yield reference
    docker("image", "rm", "--force", reference)


def blobs(reference: str) -> dict[str, bytes]:
    """Return what the store has of an image, by name within the archive."""
    saved = docker("image", "save", reference)
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        return {m.name: file.read() for m in archive if (file := archive.extractfile(m))}


def manifests(stored: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    """Yield the manifests of platforms, found another way than the package does."""
    for content in stored.values():
        if content.startswith(b"{"):
            document = json.loads(content)
            kinds = {layer["mediaType"] for layer in document.get("layers", ())}
            if kinds and not any("in-toto" in kind for kind in kinds):
                yield document


def regular_bytes(layer: bytes) -> int:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        return sum(member.size for member in archive if member.isreg())


def test_figures_are_equal_to_the_tar_streams_and_the_manifest(
    workspace: Workspace, image: str
) -> None:
    (row,) = measure(workspace, [Subject(image)]).images
    stored = blobs(image)
    (manifest,) = manifests(stored)
    assert row.figures.compressed_bytes == sum(layer["size"] for layer in manifest["layers"])
    streams = [stored[f"blobs/sha256/{m['digest'][7:]}"] for m in manifest["layers"]]
    assert row.figures.unpacked_bytes == sum(regular_bytes(stream) for stream in streams)
    # Replaced and removed files count, hard links do not: this is not what a container sees.
    assert [layer.unpacked_bytes for layer in row.figures.layers[-3:]] == [100_000, 3000, 1]
    assert row.figures.layers[-1].created_by.startswith("COPY a.txt /")


def test_a_second_measurement_reads_no_layer(
    workspace: Workspace, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measure(workspace, [Subject(image)], deep=True)

    def refuse(*_: object) -> None:
        pytest.fail("what is known is not opened again")

    monkeypatch.setattr(sources, "of_store", refuse)
    assert measure(workspace, [Subject(image)], deep=True) == first


def test_every_way_to_the_same_image_gives_the_same(
    workspace: Workspace, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (direct,) = measure(workspace, [Subject(image)], deep=True).images
    saved = tmp_path / "saved.tar"
    docker("image", "save", "--output", str(saved), image)
    (filed,) = measure(workspace, [Subject("saved.tar")], deep=True).images
    # An engine whose folder this user may not read, or that is on another machine.
    monkeypatch.setattr(sources, "_STORES", ())
    fresh = replace(workspace, environ={**workspace.environ, "XDG_CACHE_HOME": f"{tmp_path}/x"})
    (streamed,) = measure(fresh, [Subject(image)], deep=True).images
    assert direct.figures == filed.figures == streamed.figures
    assert direct.contents == filed.contents == streamed.contents
    told = workspace.console.err
    assert isinstance(told, io.StringIO)
    assert told.getvalue().count("docker image save") == 1


def test_each_platform_has_a_row(workspace: Workspace, tmp_path: Path) -> None:
    reference = f"hwtest-{uuid.uuid4().hex[:10]}:1"
    (tmp_path / "Dockerfile").write_text(
        "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n", encoding="utf-8"
    )
    (tmp_path / "amd64").write_bytes(b"x" * 10)
    (tmp_path / "arm64").write_bytes(b"x" * 2000)
    platforms = "--platform=linux/amd64,linux/arm64"
    docker("buildx", "build", "-q", platforms, "-t", reference, str(tmp_path))
    try:
        rows = measure(workspace, [Subject(reference)]).images
        assert {row.figures.platform: row.figures.unpacked_bytes for row in rows} == {
            "linux/amd64": 10,
            "linux/arm64": 2000,
        }
    finally:
        docker("image", "rm", "--force", reference)


def test_a_hard_budget_is_a_verdict_of_failure(workspace: Workspace, image: str) -> None:
    service = Service("api", budgets=(Budget("unpacked", soft=1, hard=2),))
    config = replace(workspace.config, services={"api": service})
    report = measure(replace(workspace, config=config), [Subject(image, "api")])
    assert report.failed
    assert report.images[0].verdict == "fail"


def test_a_missing_image_is_named(workspace: Workspace, engine: str) -> None:
    with pytest.raises(HullwrightError, match="is not in the local store") as raised:
        measure(workspace, [Subject("hwtest-nowhere:1")])
    assert raised.value.exit_code == ExitCode.FAILED


def test_a_build_whose_image_is_gone_is_still_a_build(workspace: Workspace, engine: str) -> None:
    digest = f"sha256:{'0' * 64}"
    gone = TargetResult("api", "", (), "hwtest-gone:1", "built", digest=digest, stored=True)
    assert of_build(workspace, BuildReport((gone,), 0.0)) == {}
    told = workspace.console.err
    assert isinstance(told, io.StringIO)
    assert "hwtest-gone:1 was built, and could not be measured: the image" in told.getvalue()
