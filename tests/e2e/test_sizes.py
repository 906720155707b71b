"""Sizes from the command line: every form, every flag, and what does not go together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from archives import Layout, tar
from e2e.conftest import Shop, told

if TYPE_CHECKING:
    from pathlib import Path

BASE = tar({"usr/bin/tool": b"\x7fELF" + b"x" * 40_000, "etc/motd": b"old" * 1000})
OWN = tar({"app/models/x.bin": b"y" * 90_000, "etc/motd": b"new"})


@pytest.fixture
def archive(bare: Shop) -> Path:
    """Return an archive of an image for two platforms; no engine has it."""
    layout = Layout()
    layout.image(BASE, OWN)
    layout.image(BASE, arch="arm64")
    path = bare.path / "image.tar"
    path.write_bytes(layout.archive())
    return path


def sizes(shop: Shop, *words: str) -> dict[str, Any]:
    done = shop.call("hullwright", "sizes", "--format", "json", *words)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_an_archive_has_a_row_for_each_platform(bare: Shop, archive: Path) -> None:
    images = sizes(bare, "--image", archive.name)["images"]
    assert [image["platform"] for image in images] == ["linux/amd64", "linux/arm64"]
    assert images[0]["unpacked_bytes"] == 40_004 + 3000 + 90_000 + 3
    assert images[0]["visible_bytes"] == 40_004 + 90_000 + 3
    assert images[0]["on_disk_bytes"] is None
    assert "files" not in images[0]


def test_a_layout_is_read_as_its_archive_is(bare: Shop, archive: Path) -> None:
    layout = Layout()
    layout.image(BASE, OWN)
    layout.write(bare.path / "layout")
    (of_layout,) = sizes(bare, "--image", "layout")["images"]
    of_archive = sizes(bare, "--image", archive.name)["images"][0]
    assert of_layout["layers"] == of_archive["layers"]


def test_one_platform_is_one_row(bare: Shop, archive: Path) -> None:
    (image,) = sizes(bare, "--image", archive.name, "--platform", "linux/arm64")["images"]
    assert image["platform"] == "linux/arm64"
    done = bare.call(
        "hullwright", "sizes", "--image", archive.name, "--platform", "linux/s390x", code=2
    )
    assert "linux/s390x" in told(done.stderr)[0]


def test_a_deep_look_tells_files_folders_types_and_waste(bare: Shop, archive: Path) -> None:
    image = sizes(bare, "--image", archive.name, "--deep")["images"][0]
    assert image["files"][0]["path"].strip("/") == "app/models/x.bin"
    assert image["files_count"] == 3
    assert {"kind": "replaced", "bytes": 3000}.items() <= image["waste"][0].items()
    assert image["directories"][0]["bytes"] == 90_000
    shown = bare.call("hullwright", "sizes", "--image", archive.name, "--deep").stdout
    for heading in ("layers", "waste", "directories", "types"):
        assert f"\n  {heading} " in shown


def test_a_record_is_small_and_a_page_needs_nothing_else(bare: Shop, archive: Path) -> None:
    for _ in range(2):
        bare.call("hullwright", "sizes", "--image", archive.name, "--html", "sizes.html")
    page = (bare.path / "sizes.html").read_text(encoding="utf-8")
    assert page.count('class="treemap"') == 2
    assert "over 2 runs" in page
    assert "<title>app/models/x.bin\n90.0 kB" in page
    assert "<script" not in page
    records = json.loads(bare.call("hullwright", "history", "--format", "json").stdout)["records"]
    assert [record["kind"] for record in records] == ["sizes", "sizes"]
    assert "files" not in records[0]["data"]["images"][0]


def test_a_page_that_cannot_be_written_is_told(bare: Shop, archive: Path) -> None:
    done = bare.call("hullwright", "sizes", "--image", archive.name, "--html", "no/x.html", code=1)
    assert "no/x.html" in done.stderr


def test_markdown_is_one_table_and_folded_layers(bare: Shop, archive: Path) -> None:
    done = bare.call("hullwright", "sizes", "--image", archive.name, "--format", "markdown")
    assert done.stdout.startswith("### Image sizes\n\n| image | platform |")
    assert done.stdout.count("<details>") == 2


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--image", "x", "--service", "api"), "--image and --service both say what is measured"),
        (("--image", "x", "--target", "a"), "--image and --target both say what is measured"),
        (("--update-budgets",), "--update-budgets needs a reason"),
        (("--update-budgets", "--reason", " "), "--update-budgets needs a reason"),
        (("--update-budgets", "--reason", "x", "--image", "y"), "--image names none"),
        (("--reason", "x"), "--reason says why budgets change, and none do"),
        (("--registry",), "there is no registry whose images could be measured"),
        (("--image", "Not A Ref"), "Not A Ref"),
        (("--format", "xml"), 'unknown format "xml"'),
    ],
)
def test_what_does_not_go_together_is_refused(
    bare: Shop, words: tuple[str, ...], what: str
) -> None:
    bare.write("Dockerfile", "FROM scratch\nCOPY tasks.py /\n")
    bare.commit()
    done = bare.call("hullwright", "sizes", *words, code=2)
    first, *rest = told(done.stderr)
    assert what in first
    assert done.stdout == ""
    assert any(line.startswith(("next ", "known ", "why ")) for line in rest)


def test_a_damaged_archive_is_told(bare: Shop, archive: Path) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 4])
    done = bare.call("hullwright", "sizes", "--image", archive.name, code=1)
    assert "image.tar" in done.stderr
