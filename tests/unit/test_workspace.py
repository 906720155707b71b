"""The state folder of a repository: made when it is needed, and ignored by Git by itself."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import NoReturn

import pytest

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.errors import ExitCode, HullwrightError, LockedError
from hullwright.run import Runner
from hullwright.workspace import Workspace


def test_the_state_folder_ignores_itself_and_is_made_once(tmp_path: Path) -> None:
    console = Console({}, out=io.StringIO(), err=io.StringIO())
    workspace = Workspace(tmp_path, Config("shop"), Runner({}), console, {})
    assert list(tmp_path.iterdir()) == []
    assert workspace.state_dir == tmp_path / ".hullwright"
    assert (workspace.state_dir / ".gitignore").read_text(encoding="utf-8") == "*\n"
    (workspace.state_dir / ".gitignore").write_text("*\n!kept\n", encoding="utf-8")
    assert (workspace.state_dir / ".gitignore").read_text(encoding="utf-8") == "*\n!kept\n"


def workspace_of(root: Path) -> Workspace:
    console = Console({}, out=io.StringIO(), err=io.StringIO())
    return Workspace(root, Config("shop"), Runner({}), console, {})


def test_a_state_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / ".hullwright").write_text("a file", encoding="utf-8")
    with pytest.raises(HullwrightError, match=r"the folder .*\.hullwright cannot be made") as error:
        _ = workspace_of(tmp_path).state_dir
    assert error.value.exit_code == ExitCode.FAILED
    assert error.value.why == "File exists"
    assert error.value.next_step


def test_a_full_disk_leaves_no_empty_ignore_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(HullwrightError, match="No space left on device"):
            _ = workspace_of(tmp_path).state_dir
    assert list((tmp_path / ".hullwright").iterdir()) == []
    state = workspace_of(tmp_path).state_dir
    assert (state / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_two_ways_to_one_file_have_one_lock(tmp_path: Path) -> None:
    root, link = tmp_path / "root", tmp_path / "link"
    root.mkdir()
    link.symlink_to(root)
    with (
        workspace_of(root).writing(root / ".env", ".env"),
        pytest.raises(LockedError, match=r"\.env is in use by another run"),
        workspace_of(link).writing(link / ".env", ".env"),
    ):
        pytest.fail("two write one file")
    with (
        workspace_of(root).writing(root / ".env", ".env"),
        workspace_of(root).writing(root / "other.env", "other.env"),
    ):
        pass
