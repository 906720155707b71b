"""The record of built images: merged, replaced whole, refused when it is not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.errors import ExitCode, HullwrightError, LockedError
from hullwright.files import lock
from hullwright.recorded import RecordedImage, load, save
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

API: Final = RecordedImage(
    service="api",
    target="production",
    reference="shop/api:1.0.0",
    digest=f"sha256:{'1' * 64}",
    version="1.0.0",
    revision="a" * 40,
    platforms=("linux/amd64", "linux/arm64"),
    at=datetime(2026, 11, 21, 10, 30, tzinfo=UTC),
)


def test_nothing_is_recorded_in_a_fresh_repository_and_no_folder_is_made(tmp_path: Path) -> None:
    assert load(workspace(tmp_path)) == {}
    assert list(tmp_path.iterdir()) == []


def test_an_image_without_a_fingerprint_is_read_as_one_of_before_there_were_any(
    tmp_path: Path,
) -> None:
    ws = workspace(tmp_path)
    path = save(ws, [replace(API, fingerprint="f" * 64)])
    assert load(ws)["api", "production"].fingerprint == "f" * 64
    document = json.loads(path.read_text())
    del document["images"][0]["fingerprint"]
    path.write_text(json.dumps(document))
    assert load(ws)["api", "production"] == API


def test_an_image_replaces_its_predecessor_and_leaves_the_others(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    web, newer = replace(API, service="web"), replace(API, version="1.1.0")
    save(ws, [API, web])
    save(ws, [newer])
    assert load(ws) == {("api", "production"): newer, ("web", "production"): web}


def test_the_file_is_documented_json(tmp_path: Path) -> None:
    path = save(workspace(tmp_path), [API])
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["schema"] == 1
    assert document["images"][0]["at"] == "2026-11-21T10:30:00+00:00"
    assert path == tmp_path / ".hullwright" / "images.json"


@pytest.mark.parametrize("content", ["", "{", "\xff", "[]", '{"images": [{}]}', '{"images": 1}'])
def test_a_broken_file_is_named_with_what_to_do(content: str, tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    (ws.state_dir / "images.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(HullwrightError, match=r"images\.json cannot be read") as raised:
        load(ws)
    assert raised.value.exit_code == ExitCode.FAILED
    assert "invoke build" in str(raised.value)


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    with lock(ws.state_dir / "images.lock", "x"), pytest.raises(LockedError) as raised:
        save(ws, [API])
    assert raised.value.exit_code == ExitCode.LOCKED
    assert load(ws) == {}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    (ws.state_dir / "images.json").mkdir()
    with pytest.raises(HullwrightError, match=r"images\.json cannot be read") as raised:
        load(ws)
    assert raised.value.exit_code == ExitCode.FAILED
    assert "Is a directory" in str(raised.value)
