"""Which files changed since a ref, in real repositories of Git."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import ExitCode, UsageError
from hullwright.tools.changes import changed_since
from repositories import Repository, isolated, workspace

if TYPE_CHECKING:
    from pathlib import Path

ODD = 'odd "name"\nü.txt'


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository whose branch `work` left `main` after the first commit."""
    made = Repository.made(tmp_path / "shop", isolated(tmp_path))
    for name in ("kept", "renamed", "deleted", "gone/deep", ".gitignore"):
        made.write(name, "ignored\n" if name == ".gitignore" else f"{name}\n" * 9)
    made.commit()
    made.git("checkout", "--quiet", "-b", "work")
    return made


def changed(repository: Repository, ref: str = "main") -> frozenset[str]:
    return changed_since(repository.workspace(), ref)


def test_every_kind_of_change_counts(repository: Repository) -> None:
    repository.git("mv", "renamed", "new name")
    repository.git("rm", "--quiet", "deleted")
    repository.commit(file="committed")
    (repository.root / "gone/deep").unlink()
    repository.write("staged", "x")
    repository.git("add", "staged")
    repository.write(ODD, "untracked")
    repository.write("ignored", "x")
    assert changed(repository) == {
        *("renamed", "new name", "deleted", "committed", "gone/deep", "staged", ODD),
    }


def test_what_the_other_branch_did_since_does_not_count(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit(file="theirs")
    repository.git("checkout", "--quiet", "work")
    assert changed(repository) == frozenset()
    repository.commit(file="ours")
    assert changed(repository) == {"ours"}
    assert changed(repository, "HEAD") == frozenset()


def test_paths_are_those_of_the_root_below_the_top_of_git(repository: Repository) -> None:
    repository.write("gone/new", "x")
    repository.write("beside", "x")
    ws = workspace(repository.root / "gone", repository.environ)
    assert changed_since(ws, "main") == {"new", "../beside"}


def refused(repository: Repository, ref: str) -> UsageError:
    with pytest.raises(UsageError) as raised:
        changed(repository, ref)
    assert raised.value.exit_code is ExitCode.USAGE
    return raised.value


@pytest.mark.parametrize("ref", ["mian", "--output=x", "HEAD~7", ""])
def test_an_unknown_ref_is_refused(repository: Repository, ref: str) -> None:
    error = refused(repository, ref)
    assert f'unknown ref "{ref}"' in str(error)
    assert ref != "mian" or "main" in str(error).partition("\n")[0]
    assert error.next_step.startswith("git fetch ")


def test_a_ref_without_common_history_is_refused(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit()
    error = refused(repository, "main")
    assert 'where HEAD left "main" is not known' in str(error)
    assert "no commit in common" in str(error.why)


def test_outside_of_a_repository_and_before_a_commit_it_is_refused(tmp_path: Path) -> None:
    environ = isolated(tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path))
    plain = tmp_path / "plain"
    plain.mkdir()
    with pytest.raises(UsageError, match="is in no repository"):
        changed_since(workspace(plain, environ), "main")
    empty = Repository.made(tmp_path / "empty", environ)
    assert 'unknown ref "main"' in str(refused(empty, "main"))


def test_in_a_shallow_clone_the_remedy_that_is_told_helps(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(file="a")
    repository.commit(file="b")
    clone = Repository(tmp_path / "clone", repository.environ)
    url = f"file://{repository.root}"
    repository.git("clone", "--quiet", "--depth=1", "--branch=work", url, str(clone.root))
    error = refused(clone, "origin/main")
    assert "shallow" in str(error.why)
    remedy = shlex.split(error.next_step.partition("   ")[0])
    clone.git(*remedy[1:])
    assert changed(clone, "origin/main") == {"a", "b"}


def test_a_shallow_clone_that_ends_before_the_fork_says_so(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(file="a")
    repository.git("checkout", "--quiet", "main")
    repository.commit(file="c")
    clone = Repository(tmp_path / "clone", repository.environ)
    url = f"file://{repository.root}"
    repository.git(
        *("clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=work", url),
        str(clone.root),
    )
    error = refused(clone, "origin/main")
    assert "this clone is shallow, and ends before that" in str(error.why)
    assert "fetch-depth: 0" in error.next_step
