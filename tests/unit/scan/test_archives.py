"""Images as they are streamed: places, deleted files, compression, and what cannot be read."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Final

from archives import Layout, digest, tar
from hullwright.scan.archives import Archive, leaves, place_in
from hullwright.scan.hits import Hits
from hullwright.scan.images import _by_place, _document_findings, _layer_findings
from hullwright.scan.models import ScannedImage
from hullwright.scan.needles import needles
from hullwright.scan.search import Haystack
from hullwright.secret import Secret

if TYPE_CHECKING:
    from hullwright.findings import Finding

VALUE: Final = "q7Vt0zB1u8Xw2Yd3"
HAYSTACK: Final = Haystack(needles({"TOKEN": Secret(VALUE)}))
IMAGE: Final = ScannedImage("shop/api:1", "sha256:1")


def scanned(layout: Layout) -> list[Finding]:
    archive = Archive(HAYSTACK)
    archive.read(io.BytesIO(layout.archive()))
    return [*_layer_findings(archive, IMAGE), *_document_findings(archive, IMAGE)]


def told(layout: Layout) -> list[str]:
    return [f"{one.subject} {one.message}" for one in scanned(layout)]


def test_a_file_of_a_layer_is_named_with_its_step() -> None:
    layout = Layout()
    layout.image(tar({"a": b"nothing"}), tar({"app/.env": f"T={VALUE}".encode()}))
    assert told(layout) == [
        "shop/api:1 layer 2: app/.env holds the value of TOKEN, as it is; made by COPY 1 /"
    ]


def test_a_deleted_file_is_still_found() -> None:
    layout = Layout()
    secret = tar({"app/.env": VALUE.encode(), "etc/key": VALUE.encode(), "kept": VALUE.encode()})
    layout.image(secret, tar({"app/.wh..wh..opq": b"", "etc/.wh.key": b""}))
    found = told(layout)
    assert [("deleted in a later layer" in one) for one in found] == [True, True, False]


def test_a_value_across_two_reads_and_in_base64_is_found() -> None:
    layout = Layout()
    for before in (256 * 1024 - 5, 256 * 1024 - 20, 512 * 1024 - 1):
        data = b"\0" * before + base64.b64encode(b"xy" + VALUE.encode())
        layout.image(tar({f"big{before}": data}), compress=False)
    assert [one.partition(": ")[2] for one in told(layout)] == [
        f"big{before} holds the value of TOKEN, base64; made by COPY 0 /"
        for before in (262139, 262124, 524287)
    ]


def test_a_gzip_file_is_searched_one_level_deep() -> None:
    layout = Layout()
    once = gzip.compress(VALUE.encode(), mtime=0)
    broken = b"\x1f\x8b" + VALUE.encode()
    layout.image(tar({"once.gz": once, "twice.gz": gzip.compress(once), "broken": broken}))
    assert [one.split()[3] for one in told(layout)] == ["once.gz", "broken"]


def test_names_and_links_are_searched_and_masked() -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, f"/run/{VALUE}"
    layout = Layout()
    layout.image(tar({f"data/{VALUE}.txt": b""}, [link]))
    assert [one.split()[3] for one in told(layout)] == ["data/***.txt", "link"]
    assert VALUE not in str(scanned(layout))


def test_a_configuration_tells_where_the_value_stands() -> None:
    layout = Layout()
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["PATH=/", f"TOKEN={VALUE}"], "Labels": {"note": f"see {VALUE}"}},
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": "ARG A"}, {"created_by": f"RUN |1 A={VALUE} make"}],
    }
    manifest = layout.document(
        {"config": layout.document(config), "layers": [], "annotations": {"why": VALUE}}
    )
    statement = {"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"a": [VALUE]}}
    layout.document(statement)
    layout.manifests.append(manifest)
    assert {one.partition(" holds")[0] for one in told(layout)} == {
        "shop/api:1 configuration: ENV TOKEN",
        "shop/api:1 configuration: label note",
        "shop/api:1 configuration: history step 2",
        "shop/api:1 manifest: annotation why",
        "shop/api:1 provenance: predicate.a.1",
    }


def test_places_are_told_in_their_order() -> None:
    places = ["history step 12", "history step 3", "history step 1", "ENV B", ""]
    assert [hit[0] for hit in sorted(((one, "", "") for one in places), key=_by_place)] == [
        *("", "ENV B", "history step 1", "history step 3", "history step 12"),
    ]


def test_a_step_that_names_the_value_is_masked() -> None:
    layout = Layout()
    layer = tar({"a": VALUE.encode()})
    config = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
        "history": [{"created_by": f"RUN echo {VALUE} >a # buildkit"}],
    }
    stored = {"mediaType": "application/vnd.oci.image.layer.v1.tar", **layout.blob(layer)}
    layout.manifests.append(
        layout.document({"config": layout.document(config), "layers": [stored]})
    )
    found = scanned(layout)
    assert found[0].message.endswith("made by RUN echo *** >a")
    assert VALUE not in str(found)


def test_a_layer_of_two_platforms_is_told_of_once() -> None:
    layout = Layout()
    same = tar({"a": VALUE.encode()})
    layout.image(same)
    layout.image(same, arch="arm64")
    assert [one.partition(" holds")[0] for one in told(layout)] == [
        "shop/api:1 (linux/amd64) layer 1: a"
    ]


def test_what_cannot_be_read_is_an_error() -> None:
    layout = Layout()
    layout.image(gzip.compress(tar({"a": b"x" * 10_000}))[:-30], compress=False)
    (only,) = scanned(layout)
    assert (only.id, only.severity) == ("scan.unsearched", "error")
    assert "the archive is cut off" in only.message


def test_a_layer_that_is_not_there_is_an_error() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    kept = {name: blob for name, blob in layout.blobs.items() if blob[:1] == b"{"}
    layout.blobs = kept
    assert told(layout) == ["shop/api:1 layer 1 was not searched: the local store does not have it"]


def test_a_large_document_is_searched_as_bytes() -> None:
    layout = Layout()
    layout.image(tar({"a": b"x"}))
    layout.blob(json.dumps({"packages": ["x" * 100] * 40_000 + [VALUE]}).encode())
    assert told(layout) == ["shop/api:1 document holds the value of TOKEN, as it is"]


def test_keys_of_documents_are_texts() -> None:
    assert dict(leaves({"a": {"b": ["c"]}})) == {
        ("a",): "a",
        ("a", "b"): "b",
        ("a", "b", "1"): "c",
    }
    assert place_in(("config", "Cmd", "1"), "x") == "config.Cmd.1"


def test_a_value_in_many_files_is_counted() -> None:
    hits = Hits()
    for number in range(30):
        hits.add(f"file{number}", HAYSTACK.search(VALUE.encode()))
    assert len(list(hits.each())) == 20
    assert hits.left_out == {"TOKEN": 10}
