"""Images in archives of both formats: figures to the byte, and archives that lie."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from archives import Layout, digest, docker_archive, tar, zstd
from hullwright.errors import ExitCode
from hullwright.tools import layouts
from hullwright.tools.layers import LayerContent
from hullwright.tools.layouts import read_archive
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.tools.oci import PlatformImage


def read(archive: bytes) -> tuple[PlatformImage, ...]:
    return read_archive(io.BytesIO(archive), lambda _: None)


def problem(image: PlatformImage) -> str:
    assert image.layers[0].content is None
    return image.layers[0].problem


def unpacked(image: PlatformImage) -> list[int]:
    return [layer.content.unpacked_bytes for layer in image.layers if layer.content]


@pytest.mark.parametrize("compress", [True, False])
def test_an_image_is_measured_layer_by_layer(compress: bool) -> None:  # noqa: FBT001  a case
    layout = Layout()
    layers = (tar({"a": b"x" * 1000, "b": b""}), tar({"a": b"y" * 70_000, ".wh.b": b""}))
    manifest = layout.image(*layers, compress=compress)
    (image,) = read(layout.archive())
    assert str(image.platform) == "linux/amd64"
    assert image.digest == manifest["digest"]
    assert unpacked(image) == [1000, 70_000]
    assert [layer.stored_bytes for layer in image.layers] == [
        len(gzip.compress(layer, mtime=0)) if compress else len(layer) for layer in layers
    ]
    assert [layer.diff_id for layer in image.layers] == [digest(layer) for layer in layers]
    assert [layer.created_by for layer in image.layers] == ["COPY 0 /", "COPY 1 /"]


def test_an_attestation_is_no_platform() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    layout.attestation()
    layout.image(tar({"a": b"xy"}), arch="arm64")
    assert [str(image.platform) for image in read(layout.archive())] == [
        "linux/amd64",
        "linux/arm64",
    ]


def test_an_index_within_the_index_is_followed() -> None:
    layout = Layout()
    inner = [layout.image(tar({"a": b"x"})), layout.image(tar({"a": b"x"}), arch="arm64")]
    layout.manifests = [layout.document({"manifests": inner})]
    assert len(read(layout.archive())) == 2


def test_a_platform_that_was_not_pulled_is_left_out() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    layout.manifests.append({"digest": f"sha256:{'0' * 64}", "size": 7})
    assert len(read(layout.archive())) == 1


def test_a_layer_that_is_not_there_is_unknown_and_its_descriptor_still_counts() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    gone = json.loads(layout.blobs[layout.manifests[0]["digest"]])["layers"][0]
    del layout.blobs[gone["digest"]]
    (image,) = read(layout.archive())
    assert image.layers[0].content is None
    assert image.layers[0].stored_bytes == gone["size"]


def test_a_known_layer_is_not_read_again() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    layer = json.loads(layout.blobs[layout.manifests[0]["digest"]])["layers"][0]["digest"]
    layout.blobs[layer] = b"not read"
    known = LayerContent(layer, 4711, ())
    (image,) = read_archive(io.BytesIO(layout.archive()), {layer: known}.get)
    assert image.layers[0].content == known


def test_a_blob_with_another_digest_is_refused_by_name() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    layer = json.loads(layout.blobs[layout.manifests[0]["digest"]])["layers"][0]["digest"]
    layout.blobs[layer] = gzip.compress(tar({"a": b"other"}), mtime=0)
    with pytest.raises(ArchiveError, match=f"the blob {layer} is not what its name says") as raised:
        read(layout.archive())
    assert raised.value.exit_code == ExitCode.FAILED


@pytest.mark.parametrize("cut", [100, 700, -600])
def test_a_cut_off_archive_is_refused(cut: int) -> None:
    layout = Layout()
    layout.image(tar({"a": b"x" * 5000}))
    # The two empty blocks at the end are no content.
    with pytest.raises(ArchiveError):
        read(layout.archive().rstrip(b"\0")[:cut])


def test_an_archive_that_is_no_layout_is_told_apart() -> None:
    with pytest.raises(ArchiveError, match="holds no images") as raised:
        read(tar({"manifest.json": b"[]"}))
    assert raised.value.exit_code == ExitCode.FAILED


@pytest.mark.parametrize(
    "index", [b"[]", b"{}", b'{"manifests": [{}]}', b'{"manifests": 7}', b"[" * 100_000]
)
def test_an_index_that_makes_no_sense_is_refused(index: bytes) -> None:
    with pytest.raises(ArchiveError):
        read(tar({"index.json": index}))


def test_indexes_that_point_at_each_other_end() -> None:
    layout = Layout()
    inner: list[dict[str, object]] = []
    for _ in range(10):
        inner = [layout.document({"manifests": inner})]
    layout.manifests = inner
    with pytest.raises(ArchiveError, match="point at each other"):
        read(layout.archive())


def test_a_manifest_that_does_not_fit_its_configuration_is_refused() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    manifest = json.loads(layout.blobs[layout.manifests[0]["digest"]])
    manifest["layers"] *= 2
    layout.manifests = [layout.document(manifest)]
    with pytest.raises(ArchiveError, match="does not fit its configuration"):
        read(layout.archive())


def test_names_that_lead_outside_are_only_names(tmp_path: Path) -> None:
    link = tarfile.TarInfo("escape")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    layout = Layout()
    layout.image(tar({"../../outside": b"x" * 10, "/absolute": b"y" * 20}, [link]))
    (image,) = read(layout.archive())
    assert unpacked(image) == [30]
    assert image.layers[0].content is not None
    assert [each.path for each in image.layers[0].content.files] == [
        "outside",
        "absolute",
        "escape",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_layer_of_garbage_is_named() -> None:
    layout = Layout()
    layer = layout.image(b"garbage" * 200, compress=False)
    with pytest.raises(ArchiveError, match=f"the layer {digest(b'garbage' * 200)}") as raised:
        read(layout.archive())
    assert raised.value.why == "the archive is corrupt: a header holds no number"
    assert raised.value.exit_code == ExitCode.FAILED
    # What does not say that it is an archive need not be one.
    manifest = json.loads(layout.blobs[layer["digest"]])
    manifest["layers"][0]["mediaType"] = "application/vnd.wasm.content.layer.v1+wasm"
    layout.manifests = [layout.document(manifest)]
    (image,) = read(layout.archive())
    assert problem(image) == "the archive is corrupt: a header holds no number"


def test_documents_beyond_all_measure_are_not_kept() -> None:
    layout = Layout()
    for number in range(10):
        layout.document({"padding": f"{number}" * 7_500_000})
    with pytest.raises(ArchiveError, match="more documents than an image has"):
        read(layout.archive())


def test_more_blobs_than_any_image_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_MOST_BLOBS", 20)
    with pytest.raises(ArchiveError, match="hostile") as raised:
        read(tar({f"{number}.json": b"{}" for number in range(21)}))
    assert "more than 20 blobs" in str(raised.value)


def test_a_layer_of_zstd_is_read() -> None:
    layout = Layout()
    layout.image(zstd.compress(tar({"a": b"x" * 1234})), compress=False)
    (image,) = read(layout.archive())
    assert unpacked(image) == [1234]


OLD = (tar({"etc/a": b"x" * 1000}), tar({"etc/.wh.a": b"", "b": b"y" * 20}))


def test_the_format_of_older_engines_is_read() -> None:
    (image,) = read(docker_archive(*OLD))
    assert unpacked(image) == [1000, 20]
    assert [layer.digest for layer in image.layers] == [digest(layer) for layer in OLD]
    assert [layer.diff_id for layer in image.layers] == [digest(layer) for layer in OLD]
    assert image.layers[0].content is not None
    assert image.layers[0].content.digest == digest(OLD[0])
    # It has no manifest, so it is known by its configuration.
    assert image.digest == image.config_digest
    assert [layer.created_by for layer in image.layers] == ["COPY 0 /", "COPY 1 /"]


def test_a_layer_that_is_used_twice_is_a_link_in_the_older_format() -> None:
    (image,) = read(docker_archive(OLD[0], OLD[1], OLD[0]))
    assert unpacked(image) == [1000, 20, 1000]


def test_compressed_layers_of_the_older_format_are_read() -> None:
    (image,) = read(docker_archive(*OLD, compress=True))
    assert unpacked(image) == [1000, 20]
    assert image.layers[0].stored_bytes == len(gzip.compress(OLD[0], mtime=0))


def test_a_layer_of_the_older_format_with_another_digest_is_named() -> None:
    archive = docker_archive(*OLD, diff_ids=[digest(OLD[0]), digest(b"other")])
    with pytest.raises(
        ArchiveError, match=r"layer 1/layer\.tar is not what its image says"
    ) as told:
        read(archive)
    assert told.value.exit_code == ExitCode.FAILED


def test_a_layer_that_the_older_format_lacks_is_unknown() -> None:
    (image,) = read(docker_archive(*OLD, without=1))
    assert [layer.content is None for layer in image.layers] == [False, True]


@pytest.mark.parametrize("told", ["[{}]", "[7]", '[{"Config": "none.json", "Layers": []}]'])
def test_a_manifest_of_the_older_format_that_makes_no_sense_is_refused(told: str) -> None:
    with pytest.raises(ArchiveError, match="manifests of the image cannot be read"):
        read(tar({"manifest.json": told.encode()}))
