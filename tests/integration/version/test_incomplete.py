"""Clones and folders that lack what a version needs: refused, explained and repaired."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import UsageError
from hullwright.version import describe
from repositories import FIRST_S, Repository, told, workspace

if TYPE_CHECKING:
    from pathlib import Path


def _clone(origin: Repository, target: Path, *words: str) -> Repository:
    address = f"file://{origin.root}"
    origin.git("clone", "--quiet", *words, address, str(target))
    return Repository(target, origin.environ, origin.commits)


@pytest.fixture
def origin(repository: Repository) -> Repository:
    """A repository with the tag v1.2.3 and two commits after it."""
    repository.commit()
    repository.commit("v1.2.3")
    repository.commit()
    repository.commit()
    repository.git("config", "uploadpack.allowFilter", "true")
    return repository


def test_a_shallow_clone_is_refused_with_the_command_that_repairs_it(
    origin: Repository, tmp_path: Path
) -> None:
    clone = _clone(origin, tmp_path / "clone", "--depth=1")
    with pytest.raises(UsageError, match="shallow") as error:
        describe(clone.workspace())
    assert error.value.exit_code == 2
    command = error.value.next_step.splitlines()[0]
    assert command == "git fetch --unshallow --tags"
    subprocess.run(command.split(), cwd=clone.root, env=clone.environ, check=True)
    assert describe(clone.workspace()) == describe(origin.workspace())


def test_a_shallow_clone_is_repaired_on_request(origin: Repository, tmp_path: Path) -> None:
    clone = _clone(origin, tmp_path / "clone", "--depth=1", "--no-tags")
    assert describe(clone.workspace(), unshallow=True) == describe(origin.workspace())


def test_a_worktree_of_a_shallow_clone_is_as_shallow(origin: Repository, tmp_path: Path) -> None:
    clone = _clone(origin, tmp_path / "clone", "--depth=1")
    clone.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    side = Repository(tmp_path / "side", clone.environ, clone.commits)
    with pytest.raises(UsageError, match="shallow"):
        describe(side.workspace())
    assert (
        describe(side.workspace(), unshallow=True).version == describe(origin.workspace()).version
    )


def test_a_shallow_submodule_is_refused_and_the_repository_around_it_is_not(
    origin: Repository, tmp_path: Path
) -> None:
    outer = Repository.made(tmp_path / "outer", origin.environ)
    outer.commit("v3.0.0")
    words = ("submodule", "--quiet", "add", "--depth=1", f"file://{origin.root}", "part")
    outer.git("-c", "protocol.file.allow=always", *words)
    outer.commit("v3.1.0")
    with pytest.raises(UsageError, match="shallow"):
        describe(Repository(outer.root / "part", outer.environ).workspace())
    assert describe(outer.workspace()).version == "3.1.0"


def test_a_shallow_history_of_another_branch_changes_nothing(
    origin: Repository, tmp_path: Path
) -> None:
    origin.git("checkout", "--quiet", "--orphan", "pages")
    origin.commit()
    origin.commit()
    origin.git("checkout", "--quiet", "main")
    clone = _clone(origin, tmp_path / "clone", "--single-branch", "--branch=main")
    clone.git("fetch", "--quiet", "--depth=1", "origin", "pages")
    assert (clone.root / ".git" / "shallow").exists()
    assert describe(clone.workspace()).version == describe(origin.workspace()).version


def test_a_clone_without_tags_is_refused_and_repaired(origin: Repository, tmp_path: Path) -> None:
    clone = _clone(origin, tmp_path / "clone", "--no-tags")
    with pytest.raises(UsageError, match="without tags") as error:
        describe(clone.workspace())
    assert error.value.exit_code == 2
    assert "remote.origin.tagOpt = --no-tags" in str(error.value)
    for command in error.value.next_step.splitlines()[:2]:
        subprocess.run(command.split(), cwd=clone.root, env=clone.environ, check=True)
    assert describe(clone.workspace()) == describe(origin.workspace())


def test_one_remote_of_two_without_tags_is_fine(origin: Repository, tmp_path: Path) -> None:
    clone = _clone(origin, tmp_path / "clone")
    clone.git("remote", "add", "--no-tags", "fork", f"file://{origin.root}")
    assert describe(clone.workspace()).distance == 2


@pytest.mark.parametrize("missing", ["blob:none", "tree:0"])
def test_a_partial_clone_has_all_commits_and_so_the_right_version(
    origin: Repository, tmp_path: Path, missing: str
) -> None:
    clone = _clone(origin, tmp_path / "clone", f"--filter={missing}")
    clone.write("file", "changed\n")
    origin.write("file", "changed\n")
    assert describe(clone.workspace()) == describe(origin.workspace())


@pytest.mark.parametrize("paths", [[], ["file"]])
def test_a_partial_clone_out_of_reach_of_what_it_lacks_is_refused(
    origin: Repository, tmp_path: Path, paths: list[str]
) -> None:
    clone = _clone(origin, tmp_path / "clone", "--filter=tree:0")
    assert describe(clone.workspace(), paths=paths).distance == 2
    fresh = _clone(origin, tmp_path / "fresh", "--filter=tree:0")
    fresh.git("config", "remote.origin.url", f"file://{tmp_path}/gone")
    with pytest.raises(UsageError, match="partial clone") as error:
        describe(fresh.workspace(), paths=paths)
    assert error.value.exit_code == 2
    assert "git fetch --refetch --no-filter" in error.value.next_step


def test_outside_of_git_the_variables_tell(tmp_path: Path, repository: Repository) -> None:
    variables = {
        "HULLWRIGHT_VERSION": "1.2.3-rc.1+build.5",
        "HULLWRIGHT_REVISION": "0123456789abcdef0123456789abcdef01234567",
        "SOURCE_DATE_EPOCH": str(FIRST_S),
    }
    exported = tmp_path / "exported"
    exported.mkdir()
    found = describe(workspace(exported, {**repository.environ, **variables}))
    assert (found.version, found.image_tag) == ("1.2.3-rc.1+build.5", "1.2.3-rc.1.build.5")
    assert (found.short_revision, found.prerelease, found.build) == ("0123456", "rc.1", "build.5")
    assert found.commit_date.timestamp() == FIRST_S
    # Nobody told of these, and nought would be a number that somebody may believe.
    assert (found.distance, found.ref, found.dirty) == (None, "", False)


def test_an_exported_tree_tells_that_it_was_changed(tmp_path: Path, repository: Repository) -> None:
    variables = {
        "HULLWRIGHT_VERSION": "1.2.4-0.dev.1+gabcdef0.dirty.0123abcd",
        "HULLWRIGHT_REVISION": "abcdef0",
    }
    assert describe(workspace(tmp_path, {**repository.environ, **variables})).dirty


def test_an_image_tells_the_date_of_its_commit(tmp_path: Path, repository: Repository) -> None:
    variables = {
        "HULLWRIGHT_VERSION": "1.2.3",
        "HULLWRIGHT_REVISION": "abcdef0",
        "HULLWRIGHT_COMMIT_DATE": "2026-01-31T13:00:00+01:00",
        "SOURCE_DATE_EPOCH": "1",
    }
    found = describe(workspace(tmp_path, {**repository.environ, **variables}))
    assert found.commit_date == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "not in a Git repository"),
        ({"HULLWRIGHT_VERSION": "1.2.3"}, "HULLWRIGHT_REVISION +not set"),
        ({"HULLWRIGHT_VERSION": "v1.2", "HULLWRIGHT_REVISION": "abcdef0"}, "not SemVer 2"),
        ({"HULLWRIGHT_VERSION": "1.2.3", "HULLWRIGHT_REVISION": "main"}, "object name"),
        (
            {
                "HULLWRIGHT_VERSION": "1.2.3",
                "HULLWRIGHT_REVISION": "abcdef0",
                "SOURCE_DATE_EPOCH": "today",
            },
            'SOURCE_DATE_EPOCH is "today"',
        ),
    ],
)
def test_outside_of_git_nothing_is_guessed(
    tmp_path: Path, repository: Repository, variables: dict[str, str], message: str
) -> None:
    exported = tmp_path / "exported"
    exported.mkdir()
    with pytest.raises(UsageError, match=message) as error:
        describe(workspace(exported, {**repository.environ, **variables}))
    assert error.value.exit_code == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
def test_a_repository_of_another_user_is_explained(repository: Repository) -> None:
    repository.commit("v1.2.3")
    os.chown(repository.root, 12345, 12345)
    with pytest.raises(UsageError, match="belongs to another user") as error:
        describe(repository.workspace())
    assert error.value.exit_code == 2
    assert error.value.next_step == (f"git config --global --add safe.directory {repository.root}")


def _fetched_as_ci_does(origin: Repository, target: Path, *words: str) -> Repository:
    """Return a clone as a CI's checkout makes it: not shallow, as the history is short."""
    clone = Repository.made(target, origin.environ)
    clone.git("remote", "add", "origin", f"file://{origin.root}")
    refs = "+refs/heads/*:refs/remotes/origin/*"
    clone.git("fetch", "--quiet", "--no-tags", "--depth=100", "origin", refs, *words)
    clone.git("checkout", "--quiet", "-B", "main", "refs/remotes/origin/main")
    assert not (clone.root / ".git" / "shallow").exists()
    return clone


@pytest.mark.parametrize(
    ("variable", "hint"),
    [("GITHUB_ACTIONS", "fetch-depth: 0"), ("GITLAB_CI", "GIT_DEPTH: 0"), ("NONE", "unshallow")],
)
def test_a_clone_that_was_fetched_without_tags_is_refused_and_repaired(
    origin: Repository, tmp_path: Path, variable: str, hint: str
) -> None:
    clone = _fetched_as_ci_does(origin, tmp_path / "clone")
    clone.environ = {**clone.environ, variable: "true"}
    with pytest.raises(UsageError, match="without tags") as error:
        describe(clone.workspace())
    assert error.value.exit_code == 2
    assert "last fetch  git fetch" in str(error.value)
    assert error.value.next_step.splitlines()[0] == "git fetch --tags"
    assert hint in error.value.next_step
    assert describe(clone.workspace(), unshallow=True) == describe(origin.workspace())


def test_a_fetch_that_names_the_tags_itself_brings_them(origin: Repository, tmp_path: Path) -> None:
    origin.git("tag", "--delete", "v1.2.3")
    clone = _fetched_as_ci_does(origin, tmp_path / "clone", "+refs/tags/*:refs/tags/*")
    assert describe(clone.workspace()).version == describe(origin.workspace()).version


def test_after_a_later_fetch_a_repository_without_tags_has_a_version(
    origin: Repository, tmp_path: Path
) -> None:
    origin.git("tag", "--delete", "v1.2.3")
    clone = _fetched_as_ci_does(origin, tmp_path / "clone")
    clone.git("fetch", "--quiet", "--tags")
    later = (clone.root / ".git" / "FETCH_HEAD").stat().st_mtime + 60
    os.utime(clone.root / ".git" / "FETCH_HEAD", (later, later))
    assert describe(clone.workspace()).version.startswith("0.0.0-0.dev.4+g")


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "GITLAB_CI", "NONE"])
def test_what_only_the_remote_knows_is_said(
    origin: Repository, tmp_path: Path, variable: str
) -> None:
    origin.git("tag", "--delete", "v1.2.3")
    ws = workspace(_clone(origin, tmp_path / "clone").root, {**origin.environ, variable: "true"})
    assert describe(ws).version.startswith("0.0.0-0.dev.4+g")
    assert "whether origin has one is not known here: git fetch --tags" in told(ws)
    assert ("fetch-depth: 0" in told(ws)) == (variable == "GITHUB_ACTIONS")
    assert ("GIT_DEPTH: 0" in told(ws)) == (variable == "GITLAB_CI")


def test_a_clone_of_one_branch_has_the_tags_of_its_history(
    origin: Repository, tmp_path: Path
) -> None:
    origin.git("checkout", "--quiet", "-b", "1.x")
    origin.commit()
    clone = _clone(origin, tmp_path / "clone", "--single-branch", "--branch=1.x")
    ws = clone.workspace()
    assert describe(ws) == describe(origin.workspace())
    assert told(ws) == ""


@pytest.mark.parametrize(
    "variable",
    [
        ("SOURCE_DATE_EPOCH", "9" * 20),
        ("HULLWRIGHT_COMMIT_DATE", "0001-01-01T00:00:00+10:00"),
    ],
)
def test_a_date_beyond_the_calendar_is_explained(
    tmp_path: Path, repository: Repository, variable: tuple[str, str]
) -> None:
    exported = {"HULLWRIGHT_VERSION": "1.2.3", "HULLWRIGHT_REVISION": "abcdef0"}
    folder = tmp_path / "exported"
    folder.mkdir()
    environ = {**repository.environ, **exported, variable[0]: variable[1]}
    with pytest.raises(UsageError, match=variable[0]) as error:
        describe(workspace(folder, environ))
    assert error.value.exit_code == 2
