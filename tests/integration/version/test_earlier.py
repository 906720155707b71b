"""The version of an earlier commit is what it was when that commit was checked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.version import describe, describe_at
from repositories import Repository, isolated, told

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a tag."""
    made = Repository.made(tmp_path / "repository", isolated(tmp_path))
    made.commit("v1.0.0")
    return made


def test_every_commit_of_the_history_keeps_its_version(repository: Repository) -> None:
    known = {}
    for step, tags in enumerate([(), (), ("v1.1.0",), ("api/v2.0.0",), ()]):
        revision = repository.commit(*tags, file="web/a" if step % 2 else "docs/a")
        known[revision] = [
            describe(repository.workspace()),
            describe(repository.workspace(), tag_prefix="api/v"),
            describe(repository.workspace(), paths=("web",)),
        ]
    repository.write("web/a", "changed, and not committed")
    ws = repository.workspace()
    for revision, (plain, service, limited) in known.items():
        for then, now in (
            (plain, describe_at(ws, revision)),
            (service, describe_at(ws, revision, tag_prefix="api/v")),
            (limited, describe_at(ws, revision, paths=("web",))),
        ):
            assert now is not None
            assert (now.version, now.revision, now.commit_date, now.dirty) == (
                then.version,
                then.revision,
                then.commit_date,
                False,
            )
    assert told(ws) == ""


def test_a_tag_that_came_later_counts(repository: Repository) -> None:
    revision = repository.commit()
    repository.commit()
    repository.git("tag", "v1.0.5", revision)
    found = describe_at(repository.workspace(), revision)
    assert found is not None
    assert found.version == "1.0.5"


@pytest.mark.parametrize("revision", ["", "HEAD", "--all", "1" * 40])
def test_what_is_no_commit_of_this_history_has_no_version(
    repository: Repository, revision: str
) -> None:
    assert describe_at(repository.workspace(), revision) is None


def test_a_commit_of_another_branch_has_no_version(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "aside")
    aside = repository.commit()
    repository.git("checkout", "--quiet", "main")
    assert describe_at(repository.workspace(), aside) is None
