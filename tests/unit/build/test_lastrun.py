"""What `--failed` builds again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.build import TargetResult, undone
from hullwright.build.lastrun import remember
from hullwright.errors import ExitCode, UsageError
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.build.outcome import Status


def result(service: str, status: Status, target: str = "") -> TargetResult:
    return TargetResult(service, target, (), f"{service}:1", status)


def test_what_failed_or_was_skipped_is_undone_until_it_is_built(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    remember(ws, [result("a", "built"), result("b", "failed"), result("c", "skipped", "x")])
    assert undone(ws) == (("b", ""), ("c", "x"))
    # A run of one leaves what is known of the others.
    remember(ws, [result("b", "built")])
    assert undone(ws) == (("c", "x"),)
    remember(ws, [result("c", "current", "x"), result("a", "failed")])
    assert undone(ws) == (("a", ""),)


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    remember(ws, [result("a", "built")])
    file = tmp_path / ".hullwright" / "last-build.json"
    before = file.stat()
    remember(ws, [result("a", "built")])
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("content", [None, "", "{}", '{"targets": [1]}', "\0"])
def test_an_unknown_state_is_said_and_replaced_by_the_next_build(
    content: str | None, tmp_path: Path
) -> None:
    ws = workspace(tmp_path)
    if content is not None:
        (ws.state_dir / "last-build.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="what failed is not known") as raised:
        undone(ws)
    assert raised.value.exit_code == ExitCode.USAGE
    assert "invoke build" in str(raised.value)
    remember(ws, [result("a", "failed")])
    assert undone(ws) == (("a", ""),)
