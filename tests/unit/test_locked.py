"""The file of locked base images: stable, readable, and refused where it is not ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from hullwright import locked
from hullwright.errors import ExitCode, LockedError, UsageError
from hullwright.locked import Lock, LockedImage
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

AT: Final = datetime(2026, 11, 21, 10, 30, 5, tzinfo=UTC)
GOLANG: Final = LockedImage(
    "golang:1.26",
    f"sha256:{'a' * 64}",
    {"linux/arm64": f"sha256:{'c' * 64}", "linux/amd64": f"sha256:{'b' * 64}"},
    "docker.io/library/golang:1.26",
    AT,
)
PYTHON: Final = LockedImage(
    "python:3.13",
    source="deploy/base-images/python",
    at=AT,
    stand_in=f"sha256:{'d' * 64}",
    packages={"libc6": "2.41-12", "libstdc++6": "14.2.0-19", "zlib1g": "1:1.3.1"},
)
TEXT: Final = f"""\
# The base images that Dockerfiles of this repository name, as builds take them.
# invoke images --lock brings it up to date with the Dockerfiles and moves nothing else;
# invoke images --outdated says what moved since, invoke images --update NAME takes it.

schema = 1

[image."golang:1.26"]
digest = "sha256:{"a" * 64}"
source = "docker.io/library/golang:1.26"
at = 2026-11-21T10:30:05Z

[image."golang:1.26".platforms]
"linux/amd64" = "sha256:{"b" * 64}"
"linux/arm64" = "sha256:{"c" * 64}"

[image."python:3.13"]
stand-in = "sha256:{"d" * 64}"
source = "deploy/base-images/python"
at = 2026-11-21T10:30:05Z

[image."python:3.13".packages]
libc6 = "2.41-12"
"libstdc++6" = "14.2.0-19"
zlib1g = "1:1.3.1"
"""


def test_a_repository_may_have_no_lock(tmp_path: Path) -> None:
    assert locked.load(tmp_path) is None


def test_what_is_saved_is_read_again_and_sorted(tmp_path: Path) -> None:
    written = locked.save(workspace(tmp_path), {"python:3.13": PYTHON, "golang:1.26": GOLANG})
    assert (tmp_path / "images.lock").read_text(encoding="utf-8") == TEXT
    read = locked.load(tmp_path)
    assert read is not None
    assert dict(read.images) == {"golang:1.26": GOLANG, "python:3.13": PYTHON}
    assert read.text() == written.text() == TEXT


def test_a_change_leaves_the_rest_as_it_is_and_none_removes(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    locked.save(ws, {"python:3.13": PYTHON, "golang:1.26": GOLANG})
    moved = replace(GOLANG, digest=f"sha256:{'e' * 64}")
    assert locked.save(ws, {"golang:1.26": moved}).find("golang:1.26") == moved
    left = locked.save(ws, {"golang:1.26": None})
    assert set(left.images) == {"python:3.13"}


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    locked.save(ws, {"golang:1.26": GOLANG})
    before = (tmp_path / "images.lock").stat().st_mtime_ns
    locked.save(ws, {"golang:1.26": GOLANG})
    assert (tmp_path / "images.lock").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["golang", "golang:latest", "docker.io/library/golang"])
def test_an_image_is_found_however_its_name_is_written(name: str) -> None:
    latest = replace(GOLANG, name="golang:latest")
    assert Lock({"golang:latest": latest}).find(name) == latest


def test_a_stand_in_is_not_pinned() -> None:
    assert PYTHON.pinned == ""
    assert GOLANG.pinned == f"golang:1.26@sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("schema = 2\n", "its schema is 2, and this version knows 1"),
        ("<<<<<<" + "< ours\n", "it is not what"),
        ("schema = 1\n[image.x]\nat = 2026-11-21T10:30:05Z\n", "'source'"),
        (
            'schema = 1\n[image.x]\nsource = "s"\nat = 2026-11-21T10:30:05Z\n',
            "x needs either a digest or a stand-in",
        ),
        (
            'schema = 1\n[image.x]\ndigest = "sha256:1"\nsource = "s"\nat = 2026-11-21T10:30:05Z\n',
            'x: "sha256:1" is no digest',
        ),
        ("schema = 1\nimage = 1\n", "it is not what"),
    ],
)
def test_a_file_that_is_not_ours_ends_with_2(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "images.lock").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        locked.load(tmp_path)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.what == "images.lock cannot be read"
    assert why in f"{caught.value}"


def test_one_run_writes_at_a_time(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    with (
        ws.writing(tmp_path / "images.lock", "images.lock"),
        pytest.raises(LockedError, match=r"images\.lock is in use") as caught,
    ):
        locked.save(ws, {"golang:1.26": GOLANG})
    assert caught.value.exit_code is ExitCode.LOCKED
    assert locked.load(tmp_path) is None
