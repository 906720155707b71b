"""Where images are read from, what is asked for, and what is wrong with what was found."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from archives import Layout, digest, docker_archive, tar, zstd
from hullwright.config.models import Config
from hullwright.errors import ExitCode, HullwrightError, UsageError
from hullwright.run import Result
from hullwright.sizes import Subject, measure
from hullwright.sizes.choosing import locate
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hullwright.workspace import Workspace

FILES: Final = (tar({"etc/a": b"x" * 1000}), tar({"etc/.wh.a": b"", "b": b"y" * 20}))
REFERENCE: Final = "registry.example.com/team/app:1"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    gone = Result(("docker",), 1, "", "Error response from daemon: No such image\n")
    return workspace(tmp_path, Config("shop"), Replay({}, results={("docker",): gone}))


def layout(*, arm: bool = False, compress: bool = True) -> Layout:
    made = Layout()
    made.image(*FILES, compress=compress)
    if arm:
        made.image(tar({"arm": b"z" * 5}), arch="arm64")
    made.attestation()
    return made


def of_file(ws: Workspace, name: str, *, deep: bool = True) -> Any:
    return measure(ws, [Subject(name)], place="file", deep=deep).images


def test_a_folder_and_archives_of_both_formats_hold_the_same(ws: Workspace) -> None:
    layout(compress=False).write(ws.root / "folder")
    (ws.root / "new.tar").write_bytes(layout(compress=False).archive())
    (ws.root / "old.tar").write_bytes(docker_archive(*FILES))
    for name in ("folder", "new.tar", "old.tar"):
        (row,) = of_file(ws, name)
        assert (row.figures.unpacked_bytes, row.figures.visible_bytes) == (1020, 20), name
        assert row.figures.waste_bytes == 1000
        assert row.on_disk_bytes is None
    sizes = [of_file(ws, name)[0].figures.compressed_bytes for name in ("new.tar", "old.tar")]
    assert sizes == [sum(map(len, FILES)), None]
    assert "known once it is pushed" in of_file(ws, "old.tar")[0].figures.problem


def test_a_file_is_found_by_its_name_alone(ws: Workspace) -> None:
    (ws.root / "image.tar").write_bytes(layout().archive())
    located = locate(ws, Subject("image.tar"))
    assert located is not None
    assert located.place == "file"
    assert isinstance(ws.runner, Replay)
    assert ws.runner.calls == []


def test_a_file_that_is_not_there_is_said(ws: Workspace) -> None:
    with pytest.raises(HullwrightError, match=r"no file or folder none\.tar") as raised:
        of_file(ws, "none.tar")
    assert raised.value.exit_code == ExitCode.FAILED
    for name in ("none.tar", "/none/at/all", "../none"):
        with pytest.raises(HullwrightError, match=f"no file or folder {re.escape(name)}"):
            measure(ws, [Subject(name)])


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_a_compressed_archive_is_read(ws: Workspace, compress: Callable[[bytes], bytes]) -> None:
    (ws.root / "image.tar.gz").write_bytes(compress(layout().archive()))
    assert of_file(ws, "image.tar.gz")[0].figures.unpacked_bytes == 1020


def test_a_folder_that_is_no_layout_is_said(ws: Workspace) -> None:
    (ws.root / "folder").mkdir()
    with pytest.raises(HullwrightError, match="is not an OCI layout") as raised:
        of_file(ws, "folder")
    assert raised.value.exit_code == ExitCode.FAILED
    assert raised.value.why == "its index.json cannot be read: No such file or directory"
    assert raised.value.next_step


def test_a_corrupt_archive_is_named(ws: Workspace) -> None:
    whole = layout().archive()
    (ws.root / "image.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        HullwrightError, match=r"image\.tar cannot be measured: the archive"
    ) as told:
        of_file(ws, "image.tar")
    assert told.value.exit_code == ExitCode.FAILED
    assert "build, pull or save it again" in str(told.value)


@pytest.mark.parametrize("kind", ["folder", "image.tar"])
def test_a_layer_with_a_wrong_digest_is_named(ws: Workspace, kind: str) -> None:
    made = layout()
    layer = made.first_layer()
    made.blobs[layer] = gzip.compress(tar({"other": b""}), mtime=0)
    if kind == "folder":
        made.write(ws.root / kind)
    else:
        (ws.root / kind).write_bytes(made.archive())
    with pytest.raises(HullwrightError, match=layer) as raised:
        of_file(ws, kind)
    assert raised.value.exit_code == ExitCode.FAILED
    assert "its content has the digest" in str(raised.value)


def test_a_manifest_with_a_wrong_digest_is_named(ws: Workspace) -> None:
    made = layout()
    manifest = made.manifests[0]["digest"]
    made.blobs[manifest] += b" "
    made.write(ws.root / "folder")
    with pytest.raises(HullwrightError, match=manifest):
        of_file(ws, "folder")


def test_digests_that_lead_outside_are_only_names(ws: Workspace) -> None:
    secret = ws.root / "secret"
    secret.write_text("{}", encoding="utf-8")
    made = layout()
    made.manifests = [{"digest": "sha256:../../../secret"}]
    made.write(ws.root / "folder")
    with pytest.raises(HullwrightError, match="holds no image"):
        of_file(ws, "folder")


@pytest.mark.parametrize("kind", ["folder", "image.tar"])
def test_a_layer_that_is_corrupt_is_named(ws: Workspace, kind: str) -> None:
    made = Layout()
    broken = gzip.compress(FILES[0], mtime=0)[:-30]
    made.image(broken, compress=False)
    if kind == "folder":
        made.write(ws.root / kind)
    else:
        (ws.root / kind).write_bytes(made.archive())
    with pytest.raises(HullwrightError, match=f"{kind} cannot be measured: the layer") as raised:
        of_file(ws, kind)
    assert raised.value.exit_code == ExitCode.FAILED
    assert digest(broken) in str(raised.value)
    assert "its gzip data ends early" in str(raised.value)


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, bytes])
def test_layers_of_each_compression_are_read(
    ws: Workspace, compress: Callable[[bytes], bytes]
) -> None:
    made = Layout()
    made.image(compress(FILES[0]), compress=False)
    made.write(ws.root / "folder")
    assert of_file(ws, "folder")[0].figures.unpacked_bytes == 1000


def test_a_foreign_layer_makes_figures_unknown_and_says_why(ws: Workspace) -> None:
    made = Layout()
    made.image(*FILES)
    manifest = json.loads(made.blobs[made.manifests[0]["digest"]])
    manifest["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    del made.blobs[manifest["layers"][0]["digest"]]
    made.manifests = [made.document(manifest)]
    made.write(ws.root / "folder")
    (row,) = of_file(ws, "folder")
    assert row.figures.unpacked_bytes is None
    assert row.figures.compressed_bytes == sum(each["size"] for each in manifest["layers"])
    assert "it is a foreign layer" in row.figures.problem


def test_what_an_archive_unpacks_to_is_written_nowhere(ws: Workspace) -> None:
    made = Layout()
    made.image(tar({"../../../outside": b"x", "/absolute": b"y"}))
    (ws.root / "image.tar").write_bytes(made.archive())
    of_file(ws, "image.tar")
    assert sorted(path.name for path in ws.root.iterdir()) == ["cache", "image.tar"]
    assert not (ws.root.parent / "outside").exists()


def test_links_to_what_is_no_file_are_no_blobs(ws: Workspace) -> None:
    made = layout()
    layer = made.first_layer()
    made.write(ws.root / "folder")
    path = ws.root / "folder" / "blobs" / "sha256" / layer.removeprefix("sha256:")
    path.unlink()
    path.symlink_to("/dev/zero")
    (row,) = of_file(ws, "folder")
    assert row.figures.unpacked_bytes is None
    assert row.figures.problem == f"layer {layer}: it is not there"


def test_a_link_out_of_the_tree_is_not_what_its_name_says(ws: Workspace) -> None:
    made = layout()
    layer = made.first_layer()
    made.write(ws.root / "folder")
    (ws.root / "secret").write_text("a secret of this machine", encoding="utf-8")
    path = ws.root / "folder" / "blobs" / "sha256" / layer.removeprefix("sha256:")
    path.unlink()
    path.symlink_to("../../../secret")
    with pytest.raises(HullwrightError, match="is not what its name says") as raised:
        of_file(ws, "folder")
    assert raised.value.exit_code == ExitCode.FAILED
    assert "a secret of this machine" not in str(raised.value)


@pytest.mark.parametrize("index", ["[]", "{}", '{"manifests": [7]}', "[" * 100_000, "no JSON"])
def test_an_index_that_makes_no_sense_is_said(ws: Workspace, index: str) -> None:
    folder = layout().write(ws.root / "folder")
    (folder / "index.json").write_text(index, encoding="utf-8")
    with pytest.raises(HullwrightError, match=r"folder (is not an OCI layout|cannot be measured)"):
        of_file(ws, "folder")


def test_a_manifest_without_end_is_refused(ws: Workspace) -> None:
    made = layout()
    made.manifests = [made.blob(b"[" * 100_000)]
    made.write(ws.root / "folder")
    with pytest.raises(HullwrightError, match="the manifests of the image cannot be read"):
        of_file(ws, "folder")


def test_an_artefact_is_no_image(ws: Workspace) -> None:
    made = Layout()
    config = made.document({"name": "chart", "version": "1"})
    layer = {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", **made.blob(b"x")}
    made.manifests = [made.document({"config": config, "layers": [layer]})]
    made.write(ws.root / "folder")
    with pytest.raises(HullwrightError, match="folder holds no image that can be measured") as told:
        of_file(ws, "folder")
    assert told.value.exit_code == ExitCode.FAILED


def test_a_platform_that_is_not_there_is_refused_with_those_that_are(ws: Workspace) -> None:
    layout(arm=True).write(ws.root / "folder")
    (row,) = measure(ws, [Subject("folder")], place="file", platforms=["linux/arm64"]).images
    assert row.figures.unpacked_bytes == 5
    with pytest.raises(UsageError, match="riscv64") as raised:
        measure(ws, [Subject("folder")], place="file", platforms=["linux/riscv64"])
    assert "linux/arm64" in str(raised.value)
