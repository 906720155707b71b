"""The generator lists the packages of a root file system, each once, and follows no link."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hullwright.sizes import sbom
from hullwright.sizes.sbom import Package, distribution, package_url, packages, statement
from hullwright.tools import elf

STATUS = """\
Package: base-files
Status: install ok installed
Architecture: amd64
Version: 13.8+deb13u1

Package: gone
Status: deinstall ok config-files
Version: 1
"""
RELEASE = 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty root file system beside a folder for what is scanned."""
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def write(root: Path, name: str, text: str, *, mode: int = 0o644) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def test_packages_of_each_kind_are_found(root: Path) -> None:
    write(root, "var/lib/dpkg/status", STATUS)
    write(root, "lib/apk/db/installed", "P:musl\nV:1.2.5-r9\nF:lib\nR:ld-musl.so\n\n")
    site = "usr/lib/python3.13/site-packages"
    write(root, f"{site}/Ruff_X-1.2.dist-info/METADATA", "Name: Ruff_X\nVersion: 1.2\n\nName: no\n")
    write(root, "app/node_modules/@a/b/package.json", '{"name": "@a/b", "version": "3.0.0"}')
    write(root, "app/node_modules/c/lib/package.json", '{"name": "inner"}')
    write(root, "var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2026a\n")
    write(root, "var/lib/dpkg/status.d/tzdata.md5sums", "0 usr/share/zoneinfo\n")
    found = [(one.kind, one.name, one.version) for one in packages(root)]
    assert found == [
        ("apk", "musl", "1.2.5-r9"),
        ("deb", "base-files", "13.8+deb13u1"),
        ("deb", "tzdata", "2026a"),
        ("npm", "@a/b", "3.0.0"),
        ("pypi", "Ruff_X", "1.2"),
    ]


def test_what_a_systems_package_brought_is_listed_once(root: Path) -> None:
    write(root, "var/lib/dpkg/status", STATUS)
    name = "usr/lib/python3/dist-packages/six-1.17.dist-info/METADATA"
    write(root, name, "Name: six\nVersion: 1.17\n")
    write(root, "var/lib/dpkg/info/base-files.list", f"/usr\n/{name}\n")
    assert [one.name for one in packages(root)] == ["base-files"]


def test_a_go_program_names_its_modules(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched:
        go = b""

        def __init__(self, first: bytes, _size_bytes: int) -> None:
            assert first.startswith(b"\x7fELF")

        def feed(self, piece: bytes) -> None:
            raise AssertionError("it is shorter than a piece")

    info = b"go\tgo1.26\npath\tapp\nmod\texample.com/app\tv1.0.0\ndep\tgolang.org/x/net\tv0.30.0\n"
    Watched.go = info
    monkeypatch.setattr(elf, "Watched", Watched)
    write(root, "app", "\x7fELF" + "x" * 100, mode=0o755)
    write(root, "data", "\x7fELF" + "x" * 100)
    assert [(one.name, one.version, one.place) for one in packages(root)] == [
        ("example.com/app", "v1.0.0", "app"),
        ("golang.org/x/net", "v0.30.0", "app"),
    ]


def test_no_link_of_an_image_is_followed(root: Path) -> None:
    write(root.parent, "elsewhere", STATUS)
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").symlink_to(root.parent / "elsewhere")
    assert packages(root) == ()
    assert distribution(root) == {}


def test_garbage_is_left_out(root: Path) -> None:
    write(root, "a/x.dist-info/METADATA", "\0\0")
    write(root, "b/node_modules/c/package.json", "{")
    write(root, "bin/script", "#!/bin/sh\n", mode=0o755)
    assert [(one.kind, one.name, one.version) for one in packages(root)] == [("npm", "c", "")]


def test_a_package_has_the_address_that_scanners_know(root: Path) -> None:
    write(root, "etc/os-release", RELEASE)
    system = distribution(root)
    deb = Package("deb", "libc6", "2.41-12+b1", "amd64")
    assert package_url(deb, system) == (
        "pkg:deb/debian/libc6@2.41-12%2Bb1?arch=amd64&distro=debian-13"
    )
    assert package_url(deb, {}) == "pkg:deb/debian/libc6@2.41-12%2Bb1?arch=amd64"
    assert package_url(Package("apk", "musl", "1"), {}) == "pkg:apk/alpine/musl@1"
    assert package_url(Package("pypi", "Ruff_X", "1.2"), system) == "pkg:pypi/ruff-x@1.2"
    assert package_url(Package("npm", "@a/b", ""), system) == "pkg:npm/%40a/b"
    assert package_url(Package("golang", "golang.org/x/net", "v1"), {}) == (
        "pkg:golang/golang.org/x/net@v1"
    )


def test_every_target_of_the_protocol_gets_a_document(tmp_path: Path) -> None:
    for name in ("source/final", "extras/builder", "out"):
        (tmp_path / name).mkdir(parents=True)
    write(tmp_path / "source/final", "var/lib/dpkg/status", STATUS)
    environ = {
        "BUILDKIT_SCAN_DESTINATION": str(tmp_path / "out"),
        "BUILDKIT_SCAN_SOURCE": str(tmp_path / "source/final"),
        "BUILDKIT_SCAN_SOURCE_EXTRAS": str(tmp_path / "extras"),
        "SOURCE_DATE_EPOCH": "1700000000",
    }
    assert sbom.main(environ) == ""
    told = {path.name: json.loads(path.read_bytes()) for path in (tmp_path / "out").iterdir()}
    assert set(told) == {"final.spdx.json", "builder.spdx.json"}
    final = told["final.spdx.json"]
    assert final["predicateType"] == "https://spdx.dev/Document"
    predicate = final["predicate"]
    assert predicate["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    assert [one["name"] for one in predicate["packages"]] == ["base-files"]
    (relation,) = predicate["relationships"]
    assert relation["relatedSpdxElement"] == predicate["packages"][0]["SPDXID"]
    assert told["builder.spdx.json"]["predicate"]["packages"] == []
    # Without the extras, and where they are no folder, only the source is scanned.
    assert sbom.main({**environ, "BUILDKIT_SCAN_SOURCE_EXTRAS": "/nowhere"}) == ""
    assert "BUILDKIT_SCAN_SOURCE are needed" in sbom.main({})


def test_the_same_packages_give_the_same_document() -> None:
    one = (Package("deb", "a", "1"), Package("deb", "b", "2"))
    assert statement("x", one, {}, "t") == statement("x", one, {}, "t")
    first, other = (
        statement("x", found, {}, "t")["predicate"]["documentNamespace"] for found in (one, one[:1])
    )
    assert first != other
