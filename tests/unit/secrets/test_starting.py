"""Where a new key cannot be written, the message says what is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import CheckFailedError, HullwrightError
from hullwright.secrets.starting import _write_new

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "age").write_text("mine")
    with pytest.raises(HullwrightError, match="could not be written") as caught:
        _write_new(tmp_path / "age/keys.txt", "text", "~/age/keys.txt")
    assert not isinstance(caught.value, CheckFailedError)
    assert f"{tmp_path / 'age'} is a file, and no folder" in str(caught.value.why)
    assert (tmp_path / "age").read_text() == "mine"
