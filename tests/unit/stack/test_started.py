"""Which project was started from files that Compose refuses by now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Stack
from hullwright.stack import started
from hullwright.stack.selection import Selection
from hullwright.tools import engine
from hullwright.tools.compose import Invocation
from replaying import workspace
from waiting import container

if TYPE_CHECKING:
    from pathlib import Path

FILES = "com.docker.compose.project.config_files"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = tmp_path / "My.Shop"
    made.mkdir()
    (made / "compose.yaml").write_text("services: {web: {imge: x}}\n")
    return made


@pytest.mark.parametrize(
    ("name", "files", "project"),
    [
        ("web", "{root}/compose.yaml,{root}/.hullwright/overrides/up-default.yaml", "web"),
        ("web", "{root}/compose.yaml,{root}/.hullwright/overrides/up-other.yaml", ""),
        ("myshop", "{root}/compose.yaml", "myshop"),
        # Somebody else may have started the same files under a name of their own.
        ("web", "{root}/compose.yaml", ""),
        ("myshop", "/elsewhere/compose.yaml", ""),
    ],
)
def test_what_was_started_from_the_files_tells_the_project(
    repository: Path, monkeypatch: pytest.MonkeyPatch, name: str, files: str, project: str
) -> None:
    ws = workspace(repository)
    labels = {FILES: files.format(root=ws.root)}
    there = (replace(container("db"), project=name, labels=labels),)
    monkeypatch.setattr(engine, "containers", lambda *_: there)
    selection = Selection(Stack("default", ("compose.yaml",)), call=Invocation(("compose.yaml",)))
    assert started.project(ws, selection) == project


def test_a_throwaway_of_the_same_files_is_not_the_stack(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = workspace(repository)
    labels = {FILES: f"{ws.root}/compose.yaml", engine.RUN: "1"}
    there = (replace(container("db"), project="myshop", labels=labels),)
    monkeypatch.setattr(engine, "containers", lambda *_: there)
    selection = Selection(Stack("default", ("compose.yaml",)), call=Invocation(("compose.yaml",)))
    assert started.project(ws, selection) == ""
