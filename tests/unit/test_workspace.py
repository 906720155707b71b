"""The state folder of a repository: made when it is needed, and ignored by Git by itself."""

from __future__ import annotations

import io
from pathlib import Path

from hullwright.config.models import Config
from hullwright.console import Console
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
