"""Two builds of one image: what differs, in which layer, and what usually causes it."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from hullwright import reproducing
from hullwright.reproducing import causes
from hullwright.reproducing.causes import Contents, cause_of
from hullwright.reproducing.models import Cause, LayerDifference, PlatformResult
from hullwright.tools.tarstream import ArchiveError
from twins import Build, Entry, archive

PLAIN: Final = Build([[Entry("a"), Entry("b")]], ["COPY a b / # buildkit"])


def unplaced(step: str) -> tuple[str, str]:
    return step, ""


def compared(folder: Path, first: Build, second: Build) -> PlatformResult:
    one, other = archive(folder / "1.tar", first), archive(folder / "2.tar", second)
    (found,) = reproducing.compare(one, other, unplaced)
    return found


def differing(folder: Path, first: list[Entry], second: list[Entry]) -> LayerDifference:
    found = compared(folder, replace(PLAIN, layers=[first]), replace(PLAIN, layers=[second]))
    assert found.layer is not None
    return found.layer


def test_the_same_bytes_are_the_same(tmp_path: Path) -> None:
    found = compared(tmp_path, PLAIN, PLAIN)
    assert found.same
    assert found.layer is None
    assert found.digests[0].startswith("sha256:")


def test_the_first_layer_that_differs_is_named_with_its_step(tmp_path: Path) -> None:
    steps = ["COPY base / # buildkit", "RUN /bin/sh -c date > /built # buildkit", "COPY z /"]
    first = Build([[Entry("a")], [Entry("built", b"10:00:00")], [Entry("z", b"1")]], steps)
    second = Build([[Entry("a")], [Entry("built", b"10:00:01")], [Entry("z", b"2")]], steps)
    layer = compared(tmp_path, first, second).layer
    assert layer is not None
    assert (layer.number, layer.count, layer.step, layer.further) == (
        *(2, 3, "RUN date > /built"),
        1,
    )
    (file,) = layer.files
    assert (file.path, file.kinds, file.cause) == ("built", ("content",), causes.DATE)


@pytest.mark.parametrize(
    ("other", "kinds", "told"),
    [
        (Entry("b", b"longer"), ("content", "size"), "1 bytes and 6 bytes"),
        (Entry("b", b"y"), ("content",), ""),
        (Entry("b", time_s=5), ("time",), "1700000000 and 5"),
        (Entry("b", mode=0o600), ("mode",), "0644 and 0600"),
        (Entry("b", uid=7), ("owner",), "0:0 and 7:0"),
        (Entry("b", b"", link="a"), ("kind", "content", "size", "link"), ""),
    ],
)
def test_what_differs_of_a_file_is_told(
    other: Entry, kinds: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    (file,) = differing(tmp_path, [Entry("a"), Entry("b")], [Entry("a"), other]).files
    assert (file.path, file.kinds, file.told) == ("b", kinds, told)


def test_files_of_one_build_only_are_told(tmp_path: Path) -> None:
    layer = differing(tmp_path, [Entry("tmp/x.Ab12Cd")], [Entry("tmp/x.Zz98Yy")])
    assert [(file.path, file.kinds, file.cause) for file in layer.files] == [
        ("tmp/x.Ab12Cd", ("first",), causes.RANDOM),
        ("tmp/x.Zz98Yy", ("second",), causes.RANDOM),
    ]


def test_folders_whose_time_alone_differs_come_last(tmp_path: Path) -> None:
    one = [Entry("a", folder=True, time_s=1), Entry("a/b", b"1")]
    other = [Entry("a", folder=True, time_s=2), Entry("a/b", b"2")]
    assert [file.path for file in differing(tmp_path, one, other).files] == ["a/b", "a"]


def test_of_many_files_some_are_told_and_all_are_counted(tmp_path: Path) -> None:
    one, other = ([Entry(f"{n:03}", bytes([which])) for n in range(90)] for which in (1, 2))
    layer = differing(tmp_path, one, other)
    assert (layer.file_count, len(layer.files), layer.files[0].path) == (90, 40, "000")


def test_another_order_is_told_as_such(tmp_path: Path) -> None:
    layer = differing(tmp_path, [Entry("a"), Entry("b")], [Entry("b"), Entry("a")])
    assert (layer.files, layer.cause) == ((), causes.ORDER)


def test_another_compression_is_told_as_such(tmp_path: Path) -> None:
    long = Build([[Entry("a", b"ab" * 5000)]])
    one, other = archive(tmp_path / "1", long), archive(tmp_path / "2", long, level=1)
    (found,) = reproducing.compare(one, other, unplaced)
    assert found.layer is not None
    assert found.layer.cause is causes.COMPRESSION


def test_a_layer_that_only_one_has_is_told(tmp_path: Path) -> None:
    more = replace(PLAIN, layers=[*PLAIN.layers, [Entry("c")]], steps=[*PLAIN.steps, "RUN more"])
    layer = compared(tmp_path, PLAIN, more).layer
    assert layer is not None
    assert (layer.number, layer.count, layer.step) == (2, 1, "RUN more")
    assert [file.kinds for file in layer.files] == [("second",)]


def test_keys_of_the_configuration_are_told_and_never_a_value(tmp_path: Path) -> None:
    one, other = (
        replace(PLAIN, config={"config": {"Labels": {"run": value, "x": "1"}, "Env": ["A=1"]}})
        for value in ("hush", "hushhush")
    )
    found = compared(tmp_path, one, other)
    assert (found.layer, found.settings) == (None, ("config.Labels.run",))
    assert found.cause is causes.SETTINGS


def test_each_platform_is_compared_and_attestations_are_not(tmp_path: Path) -> None:
    arm = replace(PLAIN, platform="linux/arm64")
    changed = replace(arm, layers=[[Entry("a", b"other"), Entry("b")]])
    one = archive(tmp_path / "1", PLAIN, arm, attested=True)
    other = archive(tmp_path / "2", PLAIN, changed)
    found = reproducing.compare(one, other, unplaced)
    assert [(each.platform, each.same) for each in found] == [
        ("linux/amd64", True),
        ("linux/arm64", False),
    ]
    lone = reproducing.compare(one, archive(tmp_path / "3", PLAIN), unplaced)
    assert [each.digests[1] == "" for each in lone] == [False, True]


def test_what_holds_no_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as file:
        info = tarfile.TarInfo("index.json")
        info.size = 2
        file.addfile(info, io.BytesIO(b"{}"))
    with pytest.raises(ArchiveError, match="holds no images"):
        reproducing.compare(path, path, unplaced)


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("var/lib/apt/lists/partial", causes.APT),
        ("var/log/dpkg.log", causes.APT),
        ("var/cache/ldconfig/aux-cache", causes.LDCONFIG),
        ("var/cache/man/index.db", causes.MAN),
        ("var/log/lastlog", causes.LOGS),
        ("etc/shadow", causes.ACCOUNTS),
        ("etc/gshadow-", causes.ACCOUNTS),
        ("etc/machine-id", causes.MACHINE),
        ("var/lib/dpkg/status", causes.PACKAGES),
        ("opt/x/__pycache__/a.cpython-313.pyc", causes.BYTECODE),
        ("opt/x/a-1.dist-info/RECORD", causes.WHEEL),
        ("root/.cache/pip/http/x", causes.CACHES),
        ("app/node_modules/.package-lock.json", causes.CACHES),
        ("src/.git/index", causes.GIT),
        ("app/a.jar", causes.ARCHIVE),
        ("app/data.sqlite3", causes.DATABASE),
    ],
)
def test_paths_tell_the_usual_cause(path: str, cause: Cause) -> None:
    assert cause_of(path, ("content",), Contents()) is cause


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        (b'\x7fELF\0 Go build ID: "a"', b'\x7fELF\0 Go build ID: "b"', causes.GO),
        (b"\x7fELF /rustc/abc 1", b"\x7fELF /rustc/abc 2", causes.RUST),
        (b"\x7fELF 1", b"\x7fELF 2", causes.PROGRAM),
        (b"!<arch>\n1", b"!<arch>\n2", causes.LIBRARY),
        (b"\x1f\x8b\x08\0aaaa", b"\x1f\x8b\x08\0aaab", causes.GZIP),
        (b"PK\x03\x041", b"PK\x03\x042", causes.ARCHIVE),
        (b"built 2026-11-21", b"built 2026-11-22", causes.DATE),
        (b"at 1763720000 now", b"at 1763720001 now", causes.DATE),
        (b"x" * 70_000 + b"10:00:00", b"x" * 70_000 + b"10:00:01", causes.DATE),
        (b"one", b"other", None),
        (b"", b"", None),
    ],
)
def test_contents_tell_the_usual_cause(first: bytes, second: bytes, cause: Cause | None) -> None:
    assert cause_of("app/file", ("content",), Contents(first, second)) is cause


def test_headers_tell_the_usual_cause() -> None:
    assert cause_of("a", ("time",), Contents()) is causes.TIMES
    assert cause_of("a", ("mode", "time"), Contents()) is causes.TIMES
    assert cause_of("a", ("mode",), Contents()) is causes.MODES
    assert cause_of("a", ("first",), Contents()) is None
    assert cause_of("a", ("attributes",), Contents()) is None


def test_a_step_is_found_in_its_dockerfile(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(
        "FROM scratch AS base\nCOPY a /\nFROM base AS made\nRUN --mount=type=tmpfs,target=/t make\n"
        "COPY --from=base /x /y\n",
        encoding="utf-8",
    )
    steps = reproducing.Steps(file, "api/Dockerfile", "made", {})
    assert steps("RUN make") == ("RUN make", "api/Dockerfile:4")
    assert steps("COPY /x /y") == ("COPY --from=base /x /y", "api/Dockerfile:5")
    assert steps("COPY a /") == ("COPY a /", "api/Dockerfile:2")
    assert steps("RUN other") == ("RUN other", "")
