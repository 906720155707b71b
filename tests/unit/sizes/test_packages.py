"""Whose files an image's are: by what its package managers left in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hullwright.sizes.overlay import applied
from hullwright.sizes.packages import attributed
from hullwright.tools.layers import File, LayerContent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.sizes.contents import Package

SITE = "usr/lib/python3/site-packages"


def layer(
    files: Mapping[str, int], documents: Mapping[str, str | bytes] | None = None, *more: File
) -> LayerContent:
    """Return a layer of files by their size; documents are files of it, too."""
    kept = {
        path: content.encode() if isinstance(content, str) else content
        for path, content in (documents or {}).items()
    }
    sizes = {path: len(content) for path, content in kept.items()} | dict(files)
    entries = [File(path, "file", size, content=path[-32:]) for path, size in sizes.items()]
    return LayerContent("", sum(sizes.values()), (*more, *entries), kept)


def owned(*layers: LayerContent) -> tuple[dict[str, str], tuple[Package, ...]]:
    """Return the package's name of each file that has one, and all packages."""
    seen, packages = attributed(applied(layers).seen, layers)
    return {f.path: packages[f.package].name for f in seen if f.package >= 0}, packages


def status(*packages: tuple[str, str], state: str = "installed") -> str:
    return "\n\n".join(
        f"Package: {name}\nStatus: install ok {state}\nArchitecture: amd64\nVersion: {version}\n"
        "Description: a text\n that goes on"
        for name, version in packages
    )


def test_files_are_debians_by_its_lists_also_where_usr_is_merged() -> None:
    files, packages = owned(
        layer(
            {"usr/lib/x86/libc.so.6": 900, "usr/bin/ls": 50, "srv/own": 7},
            {
                "var/lib/dpkg/status": status(("libc6", "2.41-12"), ("coreutils", "9.7-3")),
                "var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib\n/lib/x86\n/lib/x86/libc.so.6\n",
                "var/lib/dpkg/info/coreutils.list": "/bin/ls\n/usr/share/man/ls.1\n",
            },
        )
    )
    assert files == {"usr/lib/x86/libc.so.6": "libc6", "usr/bin/ls": "coreutils"}
    first, second = packages
    assert (first.ecosystem, first.name, first.version) == ("dpkg", "libc6", "2.41-12")
    assert (first.size_bytes, first.files, first.layer) == (900, 1, 0)
    assert second.size_bytes == 50


def test_a_package_that_is_only_configured_away_owns_nothing() -> None:
    documents = {
        "var/lib/dpkg/status": status(("gone", "1"), state="config-files").replace(
            "ok config-files", "deinstall ok config-files"
        ),
        "var/lib/dpkg/info/gone.list": "/etc/gone\n",
    }
    assert owned(layer({"etc/gone": 1}, documents)) == ({}, ())


def test_what_the_topmost_layer_says_counts() -> None:
    below = layer(
        {"usr/bin/a": 10},
        {
            "var/lib/dpkg/status": status(("a", "1")),
            "var/lib/dpkg/info/a.list": "/usr/bin/a\n",
        },
    )
    above = layer({"usr/bin/a": 30}, {"var/lib/dpkg/status": status(("a", "2"))})
    (package,) = owned(below, above)[1]
    assert (package.version, package.size_bytes, package.layer) == ("2", 30, 1)
    emptied = layer({}, None, File("var/lib/dpkg", "opaque"))
    assert owned(below, emptied) == ({}, ())


def test_a_distroless_image_has_its_packages_one_by_one() -> None:
    files, packages = owned(
        layer(
            {"usr/lib/libssl.so.3": 5},
            {
                "var/lib/dpkg/status.d/libssl3": "Package: libssl3\nVersion: 3.0\n",
                "var/lib/dpkg/status.d/libssl3.md5sums": f"{'0' * 32}  usr/lib/libssl.so.3\n",
            },
        )
    )
    assert files == {"usr/lib/libssl.so.3": "libssl3"}
    assert [package.name for package in packages] == ["libssl3"]


@pytest.mark.parametrize("folder", ["lib", "usr/lib"])
def test_files_are_alpines_by_its_database(folder: str) -> None:
    database = (
        "C:Q1x=\nP:musl\nV:1.2.5-r9\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\nF:\nR:top\n\n"
        "P:busybox\nV:1.37-r1\nF:bin\nR:busybox\n"
    )
    files, packages = owned(
        layer(
            {"lib/ld-musl-x86_64.so.1": 600, "bin/busybox": 800, "top": 1},
            {f"{folder}/apk/db/installed": database},
        )
    )
    assert files == {"lib/ld-musl-x86_64.so.1": "musl", "bin/busybox": "busybox", "top": "musl"}
    assert [(p.name, p.version) for p in packages] == [("busybox", "1.37-r1"), ("musl", "1.2.5-r9")]


def test_files_are_a_distributions_by_its_record_and_compiled_ones_by_their_source() -> None:
    info = f"{SITE}/requests-2.32.dist-info"
    files, packages = owned(
        layer(
            {
                f"{SITE}/requests/api.py": 40,
                f"{SITE}/requests/__pycache__/api.cpython-313.pyc": 60,
                f"{SITE}/requests/a,b.py": 3,
                "usr/bin/req": 2,
                f"{info}/LICENSE": 1,
            },
            {
                f"{info}/METADATA": "Name: requests\nVersion: 2.32\n\nName: x\n",
                f"{info}/RECORD": (
                    "requests/api.py,sha256=x,40\n../../../bin/req,,\n"
                    '"requests/a,b.py",sha256=y,3\nrequests-2.32.dist-info/LICENSE,,\n'
                    "../../../../../../etc/passwd,,\n"
                ),
            },
        )
    )
    assert set(files.values()) == {"requests"}
    assert len(files) == 7
    assert [(p.ecosystem, p.name, p.version) for p in packages] == [("python", "requests", "2.32")]


def test_a_distribution_that_debian_installed_is_debians() -> None:
    info = f"{SITE}/six-1.dist-info"
    files, packages = owned(
        layer(
            {},
            {
                f"{info}/METADATA": "Name: six\nVersion: 1\n",
                "var/lib/dpkg/status": status(("python3-six", "1-1")),
                "var/lib/dpkg/info/python3-six.list": f"/{info}/METADATA\n",
            },
        )
    )
    assert files == {f"{info}/METADATA": "python3-six"}
    assert [package.name for package in packages] == ["python3-six"]


def test_an_egg_owns_its_folder_and_the_module_of_its_name() -> None:
    files, _ = owned(
        layer(
            {f"{SITE}/old_thing/x.py": 1, f"{SITE}/old_thing_too/x.py": 1},
            {f"{SITE}/old_thing-1.egg-info/PKG-INFO": "Name: old-thing\nVersion: 1\n"},
        )
    )
    assert files == {
        f"{SITE}/old_thing/x.py": "old-thing",
        f"{SITE}/old_thing-1.egg-info/PKG-INFO": "old-thing",
    }


def test_files_are_the_innermost_node_packages() -> None:
    inner = "app/node_modules/a/node_modules/@s/b"
    files, packages = owned(
        layer(
            {
                "app/node_modules/a/index.js": 10,
                "app/node_modules/a/node_modules/c.js": 1,
                f"{inner}/lib/x.js": 20,
                "app/node_modules/.package-lock.json": 1,
                "app/index.js": 1,
            },
            {
                "app/node_modules/a/package.json": json.dumps({"name": "a", "version": "1.0.0"}),
                f"{inner}/package.json": json.dumps({"version": 7}),
            },
        )
    )
    assert files == {
        "app/node_modules/a/index.js": "a",
        "app/node_modules/a/package.json": "a",
        "app/node_modules/a/node_modules/c.js": "a",
        f"{inner}/lib/x.js": "@s/b",
        f"{inner}/package.json": "@s/b",
    }
    assert {(p.name, p.version) for p in packages} == {("a", "1.0.0"), ("@s/b", "")}


def test_a_go_program_is_its_modules_and_those_it_needs_are_listed() -> None:
    built = (
        "go\tgo1.26.1\npath\texample.org/shop/cmd/api\nmod\texample.org/shop\tv1.2.0\t\n"
        "dep\tgithub.com/x/pgx\tv5.1.0\th1:a=\ndep\tgithub.com/x/y\tv1.0.0\n"
        "=>\tgithub.com/fork/y\tv1.0.1\th1:b=\nbuild\tCGO_ENABLED=0\n"
    )
    files, packages = owned(layer({"api": 9000}, {"api": built}))
    assert files == {"api": "example.org/shop"}
    assert [(p.name, p.version, p.size_bytes, p.layer) for p in packages] == [
        ("example.org/shop", "v1.2.0", 9000, 0),
        ("github.com/fork/y", "v1.0.1", 0, -1),
        ("github.com/x/pgx", "v5.1.0", 0, -1),
    ]


def test_a_program_of_go_itself_is_named_by_its_package() -> None:
    tool = "go\tgo1.26.1\npath\tcmd/vet\nbuild\t-compiler=gc\n"
    (package,) = owned(layer({"usr/local/go/vet": 10}, {"usr/local/go/vet": tool}))[1]
    assert (package.name, package.version) == ("cmd/vet", "go1.26.1")


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe\n\n" * 9,
        b"[" * 100_000,
        b"Name:\n",
        b"Package:\nStatus: installed",
        b"1" * 10_000,
        b"\n\n\nP:\nF:\nR:\n\n",
        b"go\t\ndep\n=>\t\t\nmod\ta",
        b',,,\n"\n"a,b\n',
    ],
)
def test_garbage_attributes_nothing_and_raises_nothing(garbage: bytes) -> None:
    paths = (
        "var/lib/dpkg/status",
        "var/lib/dpkg/info/a.list",
        "var/lib/dpkg/status.d/a",
        "lib/apk/db/installed",
        "x.dist-info/METADATA",
        "x.dist-info/RECORD",
        "x.egg-info/PKG-INFO",
        "a-program",
    )
    assert owned(layer({"etc/a": 1}, dict.fromkeys(paths, garbage)))[0] == {}
    files, packages = owned(layer({}, {"node_modules/a/package.json": garbage}))
    assert files == {"node_modules/a/package.json": "a"}
    assert packages[0].version == ""


def test_a_name_that_would_move_the_cursor_is_shown_as_none() -> None:
    hostile = json.dumps({"name": "a\x1b[2J\n" + "x" * 1000, "version": "1"})
    (package,) = owned(layer({}, {"node_modules/a/package.json": hostile}))[1]
    assert package.name.isprintable()
    assert len(package.name) == 200


def test_a_file_that_several_claim_is_the_first_ones() -> None:
    documents = {
        "var/lib/dpkg/status": status(("a", "1"), ("b", "1")),
        "var/lib/dpkg/info/a.list": "/x\n",
        "var/lib/dpkg/info/b.list": "/x\n",
    }
    files, packages = owned(layer({"x": 4}, documents))
    assert files == {"x": "a"}
    assert sum(package.size_bytes for package in packages) == 4
