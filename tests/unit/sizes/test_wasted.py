"""What an image has and does not need."""

from __future__ import annotations

import pytest

from hullwright.sizes import wasted
from hullwright.sizes.analysing import analysed
from hullwright.tools.layers import File, LayerContent


def layer(*files: File) -> LayerContent:
    return LayerContent("", sum(file.size_bytes for file in files), files)


def sized(path: str, size: int = 10_000) -> File:
    return File(path, "file", size, content=path)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("var/lib/apt/lists/deb.debian.org_dists_x_Packages", "var/lib/apt/lists"),
        ("var/cache/apt/pkgcache.bin", "var/cache/apt"),
        ("var/cache/apk/APKINDEX.1.tar.gz", "var/cache/apk"),
        ("root/.cache/pip/http-v2/a/b", "root/.cache/pip"),
        ("home/app/.cache/pip/wheels/x", "home/app/.cache/pip"),
        ("srv/.cache/pip/wheels/x", "srv/.cache/pip"),
        ("root/.npm/_cacache/index", "root/.npm"),
        ("usr/local/share/.cache/yarn/v6/x", "usr/local/share/.cache/yarn"),
        ("root/.cache/go-build/ab/cd-d", "root/.cache/go-build"),
        ("go/pkg/mod/github.com/x/y@v1/z.go", "go/pkg/mod"),
        ("root/go/pkg/mod/cache/download/x", "root/go/pkg/mod"),
        ("usr/local/cargo/registry/src/x/y.rs", "usr/local/cargo/registry"),
        ("root/.cargo/git/db/x", "root/.cargo/git"),
        ("root/.ccache/a/b", "root/.ccache"),
        ("root/.cache/ccache/a/b", "root/.cache/ccache"),
        ("root/.cache/typescript/5/x", "root/.cache/typescript"),
        ("root/.m2/repository/org/x.jar", "root/.m2/repository"),
    ],
)
def test_a_cache_is_its_folder(path: str, folder: str) -> None:
    (found,) = analysed([layer(), layer(sized(path), sized(f"{folder}/other/1"))])[1].waste
    assert (found.kind, found.path, found.size_bytes, found.layer) == ("cache", folder, 20_000, 1)
    assert found.note


@pytest.mark.parametrize(
    "path",
    [
        "root/.cache/huggingface/hub/model",
        "root/.cache/ms-playwright/chromium/chrome",
        "var/lib/apt/extended_states",
        "app/cache/data",
        "app/pkg/mod.go",
        "srv/__pycache__/a.cpython-313.pyc",
        "var/cache/nginx/x",
    ],
)
def test_what_a_service_runs_with_is_no_cache(path: str) -> None:
    assert analysed([layer(sized(path))])[1].waste == ()


def test_a_cache_of_several_layers_stands_once_for_each() -> None:
    one = layer(sized("root/.cache/pip/a", 5_000))
    other = layer(sized("root/.cache/pip/b", 6_000))
    found = analysed([one, other])[1].waste
    assert [(each.size_bytes, each.layer) for each in found] == [(6_000, 1), (5_000, 0)]


def test_symbols_and_debug_information_are_those_of_the_file_that_is_seen() -> None:
    def program(symbols: int, debug: int) -> File:
        return File(
            "app", "file", 900_000, content=f"{debug}", elf=True,
            symbol_bytes=symbols, debug_bytes=debug,
        )  # fmt: skip

    found = analysed([layer(program(500_000, 99)), layer(program(40_000, 60_000))])[1].waste
    assert [(each.kind, each.size_bytes, each.layer) for each in found] == [
        ("replaced", 900_000, 0),
        ("debug", 60_000, 1),
        ("unstripped", 40_000, 1),
    ]


def test_static_libraries_and_debuggers_files_are_for_nobody_who_runs_it() -> None:
    files = [
        sized("usr/lib/libm.a", 50_000),
        sized("usr/lib/debug/.build-id/1", 40_000),
        File("app.debug", "file", 30_000, content="c", elf=True, debug_bytes=29_000),
    ]
    found = analysed([layer(*files)])[1].waste
    assert [(each.path, each.kind, each.size_bytes) for each in found] == [
        ("usr/lib/libm.a", "debug", 50_000),
        ("usr/lib/debug/.build-id/1", "debug", 40_000),
        ("app.debug", "debug", 30_000),
    ]


@pytest.mark.parametrize(
    ("second", "note"),
    [
        (File("x", "file", 9_000, uid=7, content="c"), wasted.SAME_OWNER),
        (File("x", "file", 9_000, mode=0o755, content="c"), wasted.SAME_MODE),
        (File("x", "file", 9_000, content="c"), wasted.SAME),
        (File("x", "file", 9_000, uid=7, content="d"), ""),
    ],
)
def test_a_file_that_is_written_again_unchanged_is_noted(second: File, note: str) -> None:
    found = analysed([layer(File("x", "file", 9_000, content="c")), layer(second)])[1].waste
    assert [(each.kind, each.note, each.by) for each in found] == [("replaced", note, 1)]


def test_small_leftovers_are_not_worth_a_line() -> None:
    assert analysed([layer(sized("var/lib/apt/lists/lock", 10))])[1].waste == ()
