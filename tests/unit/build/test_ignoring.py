"""The repository's own state stays out of images, whatever its ignore file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright import build
from hullwright.build import BuildPlan, BuildRequest, SourceVersion
from hullwright.build.ignoring import GeneratedFile, without_state, write
from hullwright.config.models import Config, Service
from hullwright.errors import ExitCode, HullwrightError
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path


def repository(root: Path, ignored: str | None, name: str = ".dockerignore") -> Service:
    (root / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    if ignored is not None:
        (root / name).write_text(ignored, encoding="utf-8")
    return Service("api")


@pytest.mark.parametrize(
    "ignored",
    [
        ".hullwright",
        "node_modules\n/.hullwright/\n",
        "./.hullwright",
        "**/.hullwright",
        ".hullwright/**",
        "*\n!src\n",
        ".*",
        "!.hullwright\n.hullwright\n",
    ],
)
def test_an_ignore_file_that_names_it_is_used_as_it_is(ignored: str, tmp_path: Path) -> None:
    assert without_state(workspace(tmp_path), repository(tmp_path, ignored)) == ()


@pytest.mark.parametrize(
    "ignored", [None, "", "node_modules", "*\n!*\n", ".hullwright\n!.hullwright", "#.hullwright"]
)
def test_else_the_dockerfile_is_copied_beside_an_ignore_file_with_a_line_more(
    ignored: str | None, tmp_path: Path
) -> None:
    dockerfile, ignore = without_state(workspace(tmp_path), repository(tmp_path, ignored))
    assert dockerfile == GeneratedFile(".hullwright/bake/api/Dockerfile", b"FROM scratch\n")
    assert ignore.path == f"{dockerfile.path}.dockerignore"
    lines = ignore.content.decode().splitlines()
    assert lines == [*(ignored or "").splitlines(), ".hullwright"]


def test_the_ignore_file_of_a_dockerfile_wins_as_it_does_for_buildkit(tmp_path: Path) -> None:
    service = repository(tmp_path, "only-this\n", "Dockerfile.dockerignore")
    (tmp_path / ".dockerignore").write_text(".hullwright\n", encoding="utf-8")
    _, ignore = without_state(workspace(tmp_path), service)
    assert ignore.content == b"only-this\n.hullwright\n"


def test_a_context_beside_the_state_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    service = Service("api", context="api", dockerfile="api/Dockerfile")
    (tmp_path / "api" / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    assert without_state(workspace(tmp_path), service) == ()


def test_a_context_above_the_repository_names_it_from_there(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    repository(root, None)
    _, ignore = without_state(workspace(root), Service("api", context=".."))
    assert ignore.content == b"shop/.hullwright\n"


def test_the_plan_names_the_copy_and_the_run_writes_it(tmp_path: Path) -> None:
    service = repository(tmp_path, None)
    ws = workspace(tmp_path, Config("shop", services={"api": service}), Replay({}))
    plan: BuildPlan = build.plan(ws, BuildRequest(), lambda _: SourceVersion("1", "1"))
    assert plan.targets[0].bake.dockerfile == ".hullwright/bake/api/Dockerfile"
    assert "generated  .hullwright/bake/api/Dockerfile " in plan.text()
    assert not (tmp_path / ".hullwright").exists()
    build.execute(ws, plan)
    assert (tmp_path / ".hullwright/bake/api/Dockerfile").read_bytes() == b"FROM scratch\n"


def test_a_file_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    ws, file = workspace(tmp_path), GeneratedFile(".hullwright/bake/api/Dockerfile", b"FROM x\n")
    write(ws, [file])
    before = (tmp_path / file.path).stat().st_ino
    write(ws, [file])
    assert (tmp_path / file.path).stat().st_ino == before


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    (ws.state_dir / "bake").write_text("a file", encoding="utf-8")
    with pytest.raises(HullwrightError, match="bake/api cannot be made") as raised:
        write(ws, [GeneratedFile(".hullwright/bake/api/Dockerfile", b"")])
    assert raised.value.exit_code == ExitCode.FAILED
