"""Under which tags a build looks for what an earlier push left in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.config import Config
from invoke.context import Context

from hullwright.build import BuildRequest
from hullwright.tasks.building import planned, tags_by_repository
from hullwright.tasks.session import Session
from repositories import Repository, isolated

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SETTINGS = """
project = "shop"
registry = "registry.example.test/team"

[services.api]
targets = ["development", "production"]

[[tags]]
type = "ref"
event = "branch"

[[tags]]
type = "version"
"""


def test_moving_tags_are_looked_at_with_the_suffix_of_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.made(tmp_path / "shop", isolated(tmp_path))
    (repository.root / "Dockerfile").write_text(
        "FROM scratch AS development\nFROM scratch AS production\n"
    )
    (repository.root / "hullwright.toml").write_text(SETTINGS)
    repository.git("add", "-A")
    repository.git("commit", "--quiet", "-m", "first")
    monkeypatch.chdir(repository.root)
    for target, suffix in (("production", ""), ("development", "-development")):
        session = Session(Context(Config()))
        plan = planned(session, BuildRequest(target=target))
        tags = tags_by_repository(session, plan)["registry.example.test/team/api"]
        assert f"main{suffix}" in tags
        assert all(tag.endswith(suffix) for tag in tags)
