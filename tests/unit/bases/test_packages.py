"""Which packages a stand-in holds: read once from a container that never runs, then noted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.bases import packages
from hullwright.run import CommandError, Result
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.secret import Secret

STATUS: Final = """\
Package: apt
Status: install ok installed
Description: commandline package manager
 Version: of a continued line is none
Version: 3.0.3

Package: gone
Status: deinstall ok config-files
Version: 1

Package: libc6
Status: install ok installed
Version: 2.41-12
"""
IMAGE: Final = "python:3"


@dataclass
class Store(Replay):
    """An engine whose containers hold dpkg's list; none where `status` is empty."""

    status: str = STATUS

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> Result:
        if argv[:3] == ("docker", "container", "cp") and self.status:
            Path(argv[-1]).write_text(self.status, encoding="utf-8")
        return super().run(*argv, check=check)


def store(status: str = STATUS) -> Store:
    container = ("docker", "container")
    results: dict[tuple[str, ...], Result] = {
        (*container, "create"): Result((), 0, "c0ffee\n"),
        (*container, "cp"): Result(container, 0 if status else 1),
        (*container, "rm"): Result((), 0),
    }
    return Store({}, results=results, status=status)


def test_packages_are_read_noted_and_forgotten(tmp_path: Path) -> None:
    engine = store()
    ws = workspace(tmp_path, runner=engine)
    assert packages.noted(ws, IMAGE, "sha256:1") is None
    assert packages.note(ws, IMAGE, "sha256:1") == {"apt": "3.0.3", "libc6": "2.41-12"}
    create, copy, remove = (call.argv for call in engine.calls)
    assert create == ("docker", "container", "create", "--pull", "never", IMAGE, "true")
    assert copy[2:4] == ("cp", "c0ffee:/var/lib/dpkg/status")
    assert remove == ("docker", "container", "rm", "c0ffee")
    assert packages.noted(ws, IMAGE, "sha256:1") == {"apt": "3.0.3", "libc6": "2.41-12"}
    # Of another recipe it says nothing.
    assert packages.noted(ws, IMAGE, "sha256:2") is None
    packages.forget(ws, IMAGE)
    assert packages.noted(ws, IMAGE, "sha256:1") is None


def test_an_image_without_dpkg_has_no_packages(tmp_path: Path) -> None:
    assert packages.note(workspace(tmp_path, runner=store("")), IMAGE, "sha256:1") == {}


def test_an_image_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    create = ("docker", "container", "create")
    engine = Store({}, results={create: Result(create, 1, "", "No such image")})
    with pytest.raises(CommandError):
        packages.note(workspace(tmp_path, runner=engine), IMAGE, "sha256:1")


def test_what_became_of_packages_is_told_in_their_order() -> None:
    old = {"apt": "1", "dpkg": "1", "tar": "1"}
    assert packages.differing(old, {"apt": "2", "dpkg": "1", "zlib": "3"}) == (
        "apt 1 → 2",
        "tar removed",
        "zlib 3 added",
    )
    assert packages.differing(old, old) == ()
