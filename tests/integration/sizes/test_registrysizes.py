"""Sizes of images in a real registry, and in one that misbehaves on the way."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any, Final

import pytest

from answering import INDEX, MANIFEST, made
from archives import Layout, tar
from flaky import Proxy, denied, flaky
from hullwright.config.models import Config
from hullwright.errors import ExitCode, HullwrightError
from hullwright.run import Runner
from hullwright.sizes import Subject, measure
from hullwright.tools.registryclient import RegistryError, connect
from registries import registry, upload
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.workspace import Workspace

IMAGES: Final = 20
# Larger than one part that is asked for, and hard to compress.
LARGE: Final = random.Random(8).randbytes(5 << 20)  # noqa: S311  the same ones in every run
BLOBS: Final = "/blobs/"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry with the same images of two platforms, each under a tag of its own."""
    folder = tmp_path_factory.mktemp("registry")
    with registry(folder) as running:
        client = connect(_workspace(folder), running)
        layout = Layout()
        layout.image(tar({"large": LARGE}), tar({".wh.large": b"", "small": b"x" * 50}))
        layout.image(tar({"arm": b"z" * 5}), arch="arm64")
        platforms = []
        for descriptor, arch in zip(layout.manifests, ("amd64", "arm64"), strict=True):
            document = json.loads(layout.blobs[descriptor["digest"]])
            for each in (document["config"], *document["layers"]):
                upload(running, "team/app", layout.blobs[each["digest"]])
            document["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json"
            manifest = made(MANIFEST, **document)
            client.put_manifest("team/app", manifest.digest, manifest)
            told = {"mediaType": MANIFEST, "digest": manifest.digest, "size": len(manifest.content)}
            platforms.append({**told, "platform": {"os": "linux", "architecture": arch}})
        for number in range(IMAGES):
            index = made(INDEX, manifests=platforms, annotations={"number": f"{number}"})
            client.put_manifest("team/app", f"{number}", index)
        yield running


@pytest.fixture
def proxy(address: str) -> Iterator[Proxy]:
    with flaky(address) as running:
        yield running


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return _workspace(tmp_path)


def _workspace(folder: Path) -> Workspace:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return workspace(folder, Config("shop"), Runner(environ), **environ)


def sizes(ws: Workspace, proxy: Proxy, *, deep: bool = False, count: int = 1) -> Any:
    images = [Subject(f"{proxy.address}/team/app:{number}") for number in range(count)]
    return measure(ws, images, place="registry", platforms=["linux/amd64"], deep=deep).images


def stored_bytes(proxy: Proxy, ws: Workspace) -> int:
    """Return the bytes of the layers as the registry sends them."""
    client = connect(ws, proxy.upstream)
    index = client.manifest("team/app", "0")
    assert index is not None
    manifest = client.manifest("team/app", index.document()["manifests"][0]["digest"])
    assert manifest is not None
    layers = [each["digest"] for each in manifest.document()["layers"]]
    return sum(len(client.blob("team/app", layer, 1 << 30)) for layer in layers)


def test_compressed_is_what_the_registry_sends_and_no_layer_is_read(
    ws: Workspace, proxy: Proxy
) -> None:
    rows = sizes(ws, proxy, count=IMAGES)
    assert {row.figures.compressed_bytes for row in rows} == {stored_bytes(proxy, ws)}
    # An index, a manifest and a configuration each.
    assert (len(rows), len(proxy.seen)) == (IMAGES, 3 * IMAGES)
    assert proxy.counted("GET", BLOBS) == IMAGES


def test_layers_are_read_where_files_are_asked_for(ws: Workspace, proxy: Proxy) -> None:
    (row,) = sizes(ws, proxy, deep=True)
    assert row.figures.unpacked_bytes == len(LARGE) + 50
    assert row.figures.visible_bytes == 50
    assert row.figures.waste_bytes == len(LARGE)


def test_layers_that_are_cut_off_are_read_on_from_there(ws: Workspace, proxy: Proxy) -> None:
    proxy.cut(100_000, path=BLOBS, times=2)
    proxy.answer(503, path=BLOBS, times=1)
    (row,) = sizes(ws, proxy, deep=True)
    assert row.figures.visible_bytes == 50


@pytest.mark.parametrize(
    ("status", "code"), [(401, "UNAUTHORIZED"), (403, "DENIED"), (404, "BLOB_UNKNOWN")]
)
def test_a_layer_that_is_refused_ends_it(
    ws: Workspace, proxy: Proxy, status: int, code: str
) -> None:
    # The first blob that is asked for is the configuration.
    proxy.answer(status, path=BLOBS, skip=1, times=None, body=denied("not for you", code))
    with pytest.raises(RegistryError, match="team/app@sha256:") as raised:
        sizes(ws, proxy, deep=True)
    assert raised.value.exit_code == ExitCode.UNAVAILABLE


def test_a_layer_of_other_bytes_is_named(ws: Workspace, proxy: Proxy, address: str) -> None:
    client = connect(ws, address)
    content, other = tar({"a": b"x"}), tar({"a": b"y"})
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["sha256:0"]}}
    told = json.dumps(config).encode()
    layer = {"mediaType": "tar", "digest": upload(address, "team/app", content)}
    descriptor = {"digest": upload(address, "team/app", told), "size": len(told)}
    manifest = made(MANIFEST, config=descriptor, layers=[{**layer, "size": len(content)}])
    client.put_manifest("team/app", "wrong", manifest)
    proxy.answer(200, path=layer["digest"], times=None, body=other)
    with pytest.raises(HullwrightError, match=layer["digest"]) as raised:
        measure(ws, [Subject(f"{proxy.address}/team/app:wrong")], place="registry", deep=True)
    assert raised.value.exit_code == ExitCode.FAILED
