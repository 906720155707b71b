"""Images in archives: figures to the byte, and archives that lie."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from archives import Layout, digest, tar
from hullwright.errors import ExitCode
from hullwright.tools.oci import Gunzip, LayerFigures, PlatformImage, read_layout
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from pathlib import Path


def read(archive: bytes) -> tuple[PlatformImage, ...]:
    return read_layout(io.BytesIO(archive), lambda _: None)


def problem(image: PlatformImage) -> str:
    figures = image.layers[0].figures
    assert figures is not None
    assert figures.unpacked_bytes is None
    return figures.problem


@pytest.mark.parametrize("compress", [True, False])
def test_an_image_is_measured_layer_by_layer(compress: bool) -> None:  # noqa: FBT001  a case
    layout = Layout()
    layers = (tar({"a": b"x" * 1000, "b": b""}), tar({"a": b"y" * 70_000, ".wh.b": b""}))
    manifest = layout.image(*layers, compress=compress)
    (image,) = read(layout.archive())
    assert str(image.platform) == "linux/amd64"
    assert image.digest == manifest["digest"]
    assert [layer.figures.unpacked_bytes for layer in image.layers if layer.figures] == [
        1000,
        70_000,
    ]
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
    assert image.layers[0].figures is None
    assert image.layers[0].stored_bytes == gone["size"]


def test_a_known_layer_is_not_read_again() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    layer = json.loads(layout.blobs[layout.manifests[0]["digest"]])["layers"][0]["digest"]
    layout.blobs[layer] = b"not read"
    known = LayerFigures(layer, "gzip", 4711)
    (image,) = read_layout(io.BytesIO(layout.archive()), {layer: known}.get)
    assert image.layers[0].figures == known


def test_a_blob_with_another_digest_is_refused_by_name() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    layer = json.loads(layout.blobs[layout.manifests[0]["digest"]])["layers"][0]["digest"]
    layout.blobs[layer] = gzip.compress(tar({"a": b"other"}), mtime=0)
    with pytest.raises(ArchiveError, match=f"the blob {layer} is not what its name says") as raised:
        read(layout.archive())
    assert raised.value.exit_code == ExitCode.FAILED


def test_zstd_without_its_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    layout = Layout()
    layout.image(b"\x28\xb5\x2f\xfd" + b"\0" * 600, compress=False)
    (image,) = read(layout.archive())
    assert "zstandard" in problem(image)


@pytest.mark.parametrize("cut", [100, 700, -600])
def test_a_cut_off_archive_is_refused(cut: int) -> None:
    layout = Layout()
    layout.image(tar({"a": b"x" * 5000}))
    # The two empty blocks at the end are no content.
    with pytest.raises(ArchiveError):
        read(layout.archive().rstrip(b"\0")[:cut])


def test_an_archive_that_is_no_layout_is_told_apart() -> None:
    with pytest.raises(ArchiveError, match="is not an OCI layout"):
        read(tar({"manifest.json": b"[]"}))


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
    assert image.layers[0].figures is not None
    assert image.layers[0].figures.unpacked_bytes == 30
    assert list(tmp_path.iterdir()) == []


def test_a_layer_of_garbage_is_a_problem_of_that_layer() -> None:
    layout = Layout()
    layout.image(b"garbage" * 200, compress=False)
    (image,) = read(layout.archive())
    assert problem(image) == "the archive is corrupt: a header holds no number"


def test_documents_beyond_all_measure_are_not_kept() -> None:
    layout = Layout()
    for number in range(10):
        layout.document({"padding": f"{number}" * 7_500_000})
    with pytest.raises(ArchiveError, match="more documents than an image has"):
        read(layout.archive())


def test_gzip_of_several_members_and_padding_is_read_in_bounded_pieces() -> None:
    data = gzip.compress(b"a" * 100_000) + gzip.compress(b"b" * 5) + b"\0" * 64
    source = Gunzip(io.BytesIO(data))
    pieces = []
    while piece := source.read(1000):
        assert len(piece) <= 1000
        pieces.append(piece)
    assert b"".join(pieces) == b"a" * 100_000 + b"b" * 5


@pytest.mark.parametrize("end", [-20, 12])
def test_gzip_that_is_cut_off_is_refused(end: int) -> None:
    source = Gunzip(io.BytesIO(gzip.compress(bytes(range(256)) * 1000)[:end]))

    def drain() -> None:
        while source.read(1 << 20):
            pass

    with pytest.raises(ArchiveError, match="cut off"):
        drain()


def test_gzip_that_is_corrupt_is_refused() -> None:
    data = gzip.compress(bytes(range(256)) * 1000)
    with pytest.raises(ArchiveError, match="corrupt"):
        Gunzip(io.BytesIO(data[:12] + b"\xff" * 50)).read(1 << 20)
