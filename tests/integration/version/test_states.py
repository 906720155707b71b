"""The version of real repositories, in every state that the table of versions has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config, Service
from hullwright.errors import UsageError
from hullwright.version import describe, describe_services
from repositories import FIRST_S, Repository, told, workspace

if TYPE_CHECKING:
    from pathlib import Path


def _commits(repository: Repository, count: int) -> None:
    for _ in range(count):
        repository.commit()


def test_on_a_tag_the_version_is_the_tags(repository: Repository) -> None:
    revision = repository.commit("v1.2.3")
    found = describe(repository.workspace())
    assert (found.version, found.image_tag, found.describe) == ("1.2.3", "1.2.3", "v1.2.3")
    assert (found.revision, found.short_revision) == (revision, revision[:7])
    assert (found.ref, found.distance, found.dirty) == ("refs/heads/main", 0, False)
    assert (found.major, found.minor, found.patch) == (1, 2, 3)
    assert found.commit_date == datetime.fromtimestamp(FIRST_S + 60, UTC)


def test_commits_after_a_release_sort_below_every_pre_release_of_the_next(
    repository: Repository,
) -> None:
    repository.commit("v1.2.3")
    _commits(repository, 5)
    found = describe(repository.workspace())
    assert found.version == f"1.2.4-0.dev.5+g{found.short_revision}"
    assert found.image_tag == f"1.2.4-0.dev.5.g{found.short_revision}"
    assert found.describe == f"v1.2.3-5-g{found.short_revision}"
    assert (found.prerelease, found.build) == ("0.dev.5", f"g{found.short_revision}")


def test_commits_after_a_pre_release_stay_in_it(repository: Repository) -> None:
    repository.commit("v1.2.3")
    repository.commit("v1.3.0-rc.1")
    _commits(repository, 5)
    found = describe(repository.workspace())
    assert found.version == f"1.3.0-rc.1.dev.5+g{found.short_revision}"


def test_without_any_tag_it_counts_from_the_beginning(repository: Repository) -> None:
    _commits(repository, 3)
    found = describe(repository.workspace())
    assert found.version == f"0.0.0-0.dev.3+g{found.short_revision}"
    assert (found.tag, found.describe) == ("", found.short_revision)


def test_a_tag_on_a_first_commit_without_files_counts(repository: Repository) -> None:
    repository.git("commit", "--quiet", "--allow-empty", "--message=first")
    repository.git("tag", "v0.1.0")
    assert describe(repository.workspace()).version == "0.1.0"
    repository.git("commit", "--quiet", "--allow-empty", "--message=second")
    assert describe(repository.workspace()).version.startswith("0.1.1-0.dev.1+g")


@pytest.mark.parametrize(("after", "start"), [(0, "1.2.4-0.dev.0"), (5, "1.2.4-0.dev.5")])
def test_changed_content_is_in_the_version(repository: Repository, after: int, start: str) -> None:
    repository.commit("v1.2.3")
    _commits(repository, after)
    repository.write("file", "changed\n")
    found = describe(repository.workspace())
    repository.git("add", "--all")
    tree = repository.git("write-tree")
    assert found.version == f"{start}+g{found.short_revision}.dirty.{tree[:8]}"
    assert found.image_tag == found.version.replace("+", ".")
    assert found.dirty


def test_content_is_the_same_staged_or_not_and_other_content_is_not(
    repository: Repository,
) -> None:
    repository.commit("v1.2.3")
    repository.write("new", "one\n")
    untracked = describe(repository.workspace()).version
    repository.git("add", "new")
    staged = describe(repository.workspace()).version
    repository.write("new", "two\n")
    changed = describe(repository.workspace()).version
    assert untracked == staged != changed


def test_a_change_of_equal_length_in_the_same_second_is_seen(repository: Repository) -> None:
    repository.commit("v1.2.3", text="1\n")
    repository.write("file", "2\n")
    assert describe(repository.workspace()).dirty


def test_a_change_that_is_staged_and_undone_is_no_change(repository: Repository) -> None:
    repository.commit("v1.2.3", text="1\n")
    repository.write("file", "2\n")
    repository.git("add", "file")
    repository.write("file", "1\n")
    assert describe(repository.workspace()).version == "1.2.3"


def test_ignored_files_are_no_change(repository: Repository) -> None:
    repository.commit("v1.2.3", file=".gitignore", text="*.log\n")
    repository.write("a.log", "x")
    assert not describe(repository.workspace()).dirty


def test_nothing_in_the_repository_is_written_to(repository: Repository) -> None:
    repository.commit("v1.2.3")
    repository.commit()
    repository.write("file", "staged\n")
    repository.git("add", "file")
    repository.write("file", "changed\n")
    repository.write("new", "untracked\n")
    before = _state(repository.root)
    assert describe(repository.workspace()).dirty
    assert _state(repository.root) == before


def test_a_split_index_is_not_written_to_either(repository: Repository) -> None:
    repository.commit("v1.2.3")
    repository.git("config", "core.splitIndex", "true")
    repository.write("file", "staged\n")
    repository.git("add", "file")
    repository.write("file", "changed\n")
    before = {name: content for name, (_, content) in _state(repository.root).items()}
    assert describe(repository.workspace()).dirty
    # Git itself renews the time of the shared part when it reads it.
    assert {name: content for name, (_, content) in _state(repository.root).items()} == before


def test_of_two_tags_on_one_commit_the_higher_counts(repository: Repository) -> None:
    repository.commit("v1.2.3", "v1.10.0", "v1.9.0")
    assert describe(repository.workspace()).version == "1.10.0"


def test_a_merged_back_port_does_not_lower_the_version(repository: Repository) -> None:
    repository.commit("v1.9.0")
    repository.git("branch", "back")
    repository.commit("v2.0.0", file="new")
    repository.git("checkout", "--quiet", "back")
    repository.commit("v1.9.1", file="fix")
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--no-edit", "back")
    found = describe(repository.workspace())
    assert found.version == f"2.0.1-0.dev.2+g{found.short_revision}"
    assert found.tag == "v2.0.0"


def test_a_tag_on_a_merge_counts_from_there(repository: Repository) -> None:
    repository.commit("v1.0.0")
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("v1.1.0-rc.1", file="side")
    repository.git("checkout", "--quiet", "main")
    repository.commit(file="new")
    repository.git("merge", "--quiet", "--no-ff", "--no-edit", "side")
    repository.git("tag", "v1.1.0")
    assert describe(repository.workspace()).version == "1.1.0"
    repository.commit()
    assert describe(repository.workspace()).version.startswith("1.1.1-0.dev.1+g")


def test_longer_object_names_are_as_good(tmp_path: Path, repository: Repository) -> None:
    modern = Repository(tmp_path / "modern", repository.environ)
    modern.root.mkdir()
    modern.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    revision = modern.commit("v1.2.3")
    modern.write("file", "changed\n")
    found = describe(modern.workspace())
    assert (len(found.revision), found.revision) == (64, revision)
    assert found.version.startswith(f"1.2.4-0.dev.0+g{revision[:7]}.dirty.")


def test_a_lower_tag_on_head_is_told_of(repository: Repository) -> None:
    repository.commit("v2.0.0")
    repository.commit("v1.9.1")
    ws = repository.workspace()
    assert describe(ws).version.startswith("2.0.1-0.dev.1+g")
    assert "HEAD is tagged v1.9.1, but contains the higher v2.0.0" in told(ws)


def test_tags_of_other_branches_do_not_count(repository: Repository) -> None:
    repository.commit("v1.0.0")
    repository.git("checkout", "--quiet", "-b", "other")
    repository.commit("v9.0.0")
    repository.git("checkout", "--quiet", "main")
    assert describe(repository.workspace()).version == "1.0.0"


def test_annotated_tags_count(repository: Repository) -> None:
    repository.commit()
    repository.git("tag", "--annotate", "--message=release", "v1.2.3")
    repository.git("pack-refs", "--all")
    assert describe(repository.workspace()).version == "1.2.3"


def test_tags_that_are_not_semver_are_left_out_with_a_note(repository: Repository) -> None:
    repository.commit("v1.2.3")
    repository.commit("v1.3", "vision", "v01.2.3", "v2.0,0")
    ws = repository.workspace(verbose=True)
    assert describe(ws).tag == "v1.2.3"
    assert "left out, not SemVer: " in told(ws)
    assert "v1.3" in told(ws)


def test_each_service_has_the_tags_of_its_prefix(repository: Repository) -> None:
    repository.commit("v3.0.0", "api/v1.0.0", file="api/a")
    repository.commit("web/v2.0.0", file="web/a")
    config = Config(
        "p",
        services={
            "api": Service("api", tag_prefix="api/v", paths=("api",)),
            "web": Service("web", tag_prefix="web/v"),
            "new": Service("new", tag_prefix="new/v"),
        },
    )
    ws = repository.workspace(config)
    found = {name: one.version for name, one in describe_services(ws).items()}
    short = describe(ws).short_revision
    assert found == {"api": "1.0.0", "web": "2.0.0", "new": f"0.0.0-0.dev.2+g{short}"}
    assert describe(ws).version == f"3.0.1-0.dev.1+g{short}"


def test_paths_limit_the_distance(repository: Repository) -> None:
    repository.commit("v1.0.0")
    repository.commit(file="api/a")
    repository.commit(file="web/a")
    repository.commit(file="api/b")
    assert describe(repository.workspace(), paths=["api"]).distance == 2
    assert describe(repository.workspace(), paths=["api", "web"]).distance == 3


def test_a_detached_head_has_a_version(repository: Repository) -> None:
    revision = repository.commit("v1.2.3")
    repository.commit()
    repository.git("checkout", "--quiet", "--detach", revision)
    found = describe(repository.workspace())
    assert (found.version, found.ref) == ("1.2.3", "HEAD")


@pytest.mark.parametrize("branch", ["feature/größe-🚢", "a,b", "x--tag"])
def test_names_of_branches_may_be_anything(repository: Repository, branch: str) -> None:
    repository.commit("v1.2.3", "größe", "a,b")
    repository.git("checkout", "--quiet", "-b", branch)
    found = describe(repository.workspace())
    assert (found.version, found.ref) == ("1.2.3", f"refs/heads/{branch}")


def test_a_worktree_has_its_own_version(repository: Repository, tmp_path: Path) -> None:
    repository.commit("v1.2.3")
    other = tmp_path / "other"
    repository.git("worktree", "add", "--quiet", "-b", "side", str(other))
    linked = Repository(other, repository.environ, repository.commits)
    linked.commit()
    linked.write("file", "changed\n")
    found = describe(linked.workspace())
    assert found.version.startswith(f"1.2.4-0.dev.1+g{found.short_revision}.dirty.")
    assert found.ref == "refs/heads/side"
    assert describe(repository.workspace()).version == "1.2.3"


def test_a_submodule_is_a_repository_of_its_own(repository: Repository, tmp_path: Path) -> None:
    inner = Repository.made(tmp_path / "inner", repository.environ)
    inner.commit("v5.0.0")
    repository.commit("v1.0.0")
    add = ("submodule", "--quiet", "add", str(inner.root), "part")
    repository.git("-c", "protocol.file.allow=always", *add)
    repository.commit("v1.1.0")
    part = Repository(repository.root / "part", repository.environ)
    assert describe(part.workspace()).version == "5.0.0"
    assert describe(repository.workspace()).version == "1.1.0"
    # Content inside is the submodule's own; the commit that is checked out is the outer one's.
    part.write("file", "changed\n")
    assert not describe(repository.workspace()).dirty
    part.git("add", "--all")
    part.git("commit", "--quiet", "--message=more")
    assert describe(repository.workspace()).dirty


def test_a_folder_below_the_top_is_in_the_repository(repository: Repository) -> None:
    repository.commit("v1.2.3", file="deep/down/a")
    ws = workspace(repository.root / "deep" / "down", repository.environ)
    assert describe(ws).version == "1.2.3"
    repository.write("above", "x")
    assert describe(ws).dirty


def test_content_that_cannot_be_committed_is_explained(repository: Repository) -> None:
    repository.commit("v1.2.3")
    Repository.made(repository.root / "nested", repository.environ)
    with pytest.raises(UsageError, match="cannot read what is in the work tree") as error:
        describe(repository.workspace())
    assert error.value.exit_code == 2
    assert "nested/" in str(error.value)


def test_an_unborn_branch_is_explained(repository: Repository) -> None:
    with pytest.raises(UsageError, match="the branch main has no commit yet") as error:
        describe(repository.workspace())
    assert error.value.exit_code == 2


def test_four_processes_are_enough(repository: Repository) -> None:
    repository.commit()
    repository.commit("v1.2.3")
    repository.commit()
    for change in ("", "changed\n"):
        if change:
            repository.write("file", change)
        ws = repository.workspace()
        commands: list[str] = []
        ws.runner.echo = commands.append
        describe(ws)
        assert 1 < len(commands) <= 4


def _state(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_tags_without_the_v_count_where_no_other_exists(repository: Repository) -> None:
    repository.commit("1.2.3", "nightly")
    assert describe(repository.workspace()).version == "1.2.3"
    repository.commit()
    ws = repository.workspace()
    found = describe(ws)
    assert found.version == f"1.2.4-0.dev.1+g{found.short_revision}"
    assert (found.tag, found.describe) == ("1.2.3", f"1.2.3-1-g{found.short_revision}")
    assert told(ws) == ""
    loud = repository.workspace(verbose=True)
    describe(loud)
    assert 'no tag begins with "v": those with "" count' in told(loud)


def test_a_services_tags_without_the_v_count_too(repository: Repository) -> None:
    repository.commit("api/1.2.3", "2.0.0")
    assert describe(repository.workspace(), tag_prefix="api/v").tag == "api/1.2.3"
    assert describe(repository.workspace(), tag_prefix="dev").tag == ""


@pytest.mark.parametrize(
    ("tags", "prefix", "version", "other"),
    [
        (("v1.2.3", "2.0.0"), "v", "1.2.3", "2.0.0"),
        (("v1.2.3", "1.0.0"), "v", "1.2.3", ""),
        (("v1.2.3",), "", "0.0.0", "v1.2.3"),
        (("1.2.3", "v2.0.0"), "", "1.2.3", "v2.0.0"),
        (("api/v1.2.3",), "api/", "0.0.0", "api/v1.2.3"),
        (("v1.2.3",), "release-", "0.0.0", ""),
    ],
)
def test_a_higher_tag_that_is_written_the_other_way_is_told_of(
    repository: Repository, tags: tuple[str, ...], prefix: str, version: str, other: str
) -> None:
    repository.commit(*tags)
    ws = repository.workspace()
    found = describe(ws, tag_prefix=prefix)
    assert f"{found.major}.{found.minor}.{found.patch}" == version
    assert (f"! {other} is higher" in told(ws)) == bool(other)
    assert ("would count such tags" in told(ws)) == bool(other)


@pytest.mark.parametrize(("changed", "most"), [(False, 4), (True, 6)])
def test_with_the_refs_a_clean_tree_needs_four_processes(
    repository: Repository, *, changed: bool, most: int
) -> None:
    repository.commit()
    repository.commit("v1.2.3")
    repository.commit()
    if changed:
        repository.write("file", "changed\n")
    ws = repository.workspace()
    commands: list[str] = []
    ws.runner.echo = commands.append
    describe(ws, others=1)
    assert len(commands) + 1 <= most
