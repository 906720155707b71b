"""Which places a scan looks at."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config, Service, Stack
from hullwright.console import Console
from hullwright.run import Result, Runner
from hullwright.scan import ScanRequest, plan
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


class Silent(Runner):
    """Finds no program, and has no answer."""

    def read(self, *argv: str, **_: object) -> Result:
        return Result(argv, 1, "", "")

    def find(self, _program: str) -> None:
        return None


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Two services of one folder, each with a Dockerfile and an ignore file of its own."""
    for name in ("api", "jobs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
        (tmp_path / name / "Dockerfile.dockerignore").write_text(f"*\n!{name}\n", encoding="utf-8")
    services = {
        name: Service(name, dockerfile=f"{name}/Dockerfile", context=".")
        for name in ("api", "jobs")
    }
    config = Config("p", services=services, stacks={"web": Stack("web", ("web.yml", "more.yml"))})
    told = io.StringIO()
    console = Console({}, out=told, err=told)
    return Workspace(tmp_path, config, Silent({}), console, {"XDG_STATE_HOME": str(tmp_path)})


def test_contexts_of_one_folder_are_told_apart_by_their_ignore_files(ws: Workspace) -> None:
    assert plan(ws, ScanRequest(context=True)).text().splitlines()[:2] == [
        "search context . by api/Dockerfile.dockerignore: as it is sent",
        "search context . by jobs/Dockerfile.dockerignore: as it is sent",
    ]


def test_contexts_of_which_the_same_is_sent_are_one(ws: Workspace) -> None:
    for name in ("api", "jobs"):
        (ws.root / name / "Dockerfile.dockerignore").unlink()
    (ws.root / ".dockerignore").write_text("*.log\n", encoding="utf-8")
    assert [each.name for each in plan(ws, ScanRequest(context=True)).contexts] == ["."]


def test_what_up_adds_for_development_is_a_file_of_the_stack(ws: Workspace) -> None:
    for name in ("web.yml", "web.dev.yml", "more.dev.yml"):
        (ws.root / name).write_text("services: {}\n", encoding="utf-8")
    files = plan(ws, ScanRequest()).files
    assert [name for name in files if name.endswith(".yml")] == ["web.yml", "web.dev.yml"]
