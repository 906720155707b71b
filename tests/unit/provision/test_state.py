"""The record of an engine is what makes it ours on the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import ExitCode, HullwrightError
from hullwright.provision import state
from hullwright.provision.state import EngineRecord

if TYPE_CHECKING:
    from pathlib import Path

RECORD = EngineRecord(("docker.io",), "detached", ("start", "it"), "/log", "/pid")


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    state.save(tmp_path / "new", RECORD)
    assert state.load(tmp_path / "new") == RECORD


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"packages": 1}', "not JSON"])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / state.FILE_NAME).write_text(text)
    assert state.load(tmp_path) is None


def test_no_record_is_none(tmp_path: Path) -> None:
    assert state.load(tmp_path) is None


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(HullwrightError, match="cannot be made") as raised:
        state.save(tmp_path / "file" / "hullwright", RECORD)
    assert raised.value.exit_code == ExitCode.FAILED
