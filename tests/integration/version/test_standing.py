"""How an image stands to what is checked out, by the labels that its build gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.version import Standing, describe, standing
from repositories import Repository, isolated, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.version import Version


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a tag and a commit after it."""
    made = Repository.made(tmp_path / "repository", isolated(tmp_path))
    made.commit("v1.0.0")
    made.commit(file="web/a")
    return made


def found(repository: Repository, image: Version, *paths: str) -> Standing:
    ws = repository.workspace()
    return standing(
        ws,
        describe(ws, paths=paths),
        version=image.version,
        revision=image.revision,
        paths=paths,
    )


def test_commits_count_that_concern_the_service(repository: Repository) -> None:
    image = describe(repository.workspace())
    assert found(repository, image) == Standing("current", 0)
    repository.commit(file="docs/a")
    repository.commit(file="web/b")
    assert found(repository, image) == Standing("behind", 2)
    assert found(repository, image, "web") == Standing("behind", 1)
    assert found(repository, image, "api") == Standing("current", 0)


def test_a_tag_that_came_later_makes_no_other_content(repository: Repository) -> None:
    image = describe(repository.workspace())
    repository.git("tag", "v1.0.1")
    assert found(repository, image) == Standing("current", 0)


def test_other_files_of_the_same_commit_are_told(repository: Repository) -> None:
    clean = describe(repository.workspace())
    repository.write("web/a", "changed, and not committed")
    assert found(repository, clean) == Standing("changed", 0)
    dirty = describe(repository.workspace())
    assert found(repository, dirty) == Standing("current", 0)
    repository.git("checkout", "--quiet", "--", ".")
    assert found(repository, dirty) == Standing("changed", 0)


def test_what_is_not_in_the_history_is_of_another_commit(
    repository: Repository, tmp_path: Path
) -> None:
    image = describe(repository.workspace())
    repository.git("checkout", "--quiet", "v1.0.0")
    assert found(repository, image) == Standing("other")
    ws = repository.workspace()
    for revision in ("", "HEAD", "--all", "1" * 40):
        assert standing(ws, describe(ws), version="x", revision=revision) == Standing("other")
    outside = workspace(tmp_path, {**repository.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})
    other = standing(outside, image, version="x", revision=image.revision)
    assert other == Standing("other")
