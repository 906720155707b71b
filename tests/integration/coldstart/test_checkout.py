"""Another revision beside the work tree: there for a while, and gone with all that it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright import coldstart
from hullwright.errors import ExitCode, LockedError
from repositories import Repository, isolated

if TYPE_CHECKING:
    from pathlib import Path

    from composing import Made

pytestmark = pytest.mark.docker


@pytest.fixture
def repository(made: Made, tmp_path: Path) -> Repository:
    """Return a repository whose work tree is not what was committed."""
    repository = Repository.made(made.folder, isolated(tmp_path))
    repository.write("sub/own", "then\n")
    repository.write(".gitignore", ".env\n")
    repository.commit()
    repository.write("sub/own", "now\n")
    repository.write(".env", "MINE=7\n")
    return repository


def tags(namespace: str) -> list[str]:
    """Return the images of a namespace."""
    listed = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    return [name for name in listed.splitlines() if name.startswith(f"{namespace}/")]


def test_it_is_the_commit_and_is_gone_afterwards(repository: Repository, busybox: str) -> None:
    ws = repository.workspace()
    with coldstart.checked_out(ws, "main") as other:
        assert other.commit == repository.git("rev-parse", "main")
        assert other.root.name == repository.root.name
        assert (other.root / "sub/own").read_text() == "then\n"
        # No copy of a value is made: it is the same file.
        assert (other.root / ".env").resolve() == (repository.root / ".env").resolve()
        docker("tag", busybox, f"{other.namespace}/0-db:1")
        with pytest.raises(LockedError) as raised, coldstart.checked_out(ws, "main"):
            pass
        assert raised.value.exit_code == ExitCode.LOCKED
    assert not other.root.parent.exists()
    assert tags(other.namespace) == []
    assert docker("image", "ls", "--quiet", busybox)
    assert len(repository.git("worktree", "list").splitlines()) == 1
    assert (repository.root / "sub/own").read_text() == "now\n"
    assert (repository.root / ".env").read_text() == "MINE=7\n"


def test_what_a_run_left_that_was_killed_goes_with_the_next(
    made: Made, repository: Repository, busybox: str
) -> None:
    ws = repository.workspace()
    left = f"{made.project}-cold-0a1b2c3d"
    place = ws.state_dir / "against" / left / repository.root.name
    repository.git("worktree", "add", "--quiet", "--detach", str(place))
    docker("tag", busybox, f"{left}/0-db:1")
    with coldstart.checked_out(ws, "main"):
        assert not place.exists()
        assert tags(left) == []
    assert len(repository.git("worktree", "list").splitlines()) == 1


def test_names_mean_afterwards_what_they_meant(
    made: Made, repository: Repository, busybox: str
) -> None:
    kept, new = f"{made.project}/kept:1", f"{made.project}/new:1"
    docker("tag", busybox, kept)
    try:
        with coldstart.checked_out(repository.workspace(), "main") as other:
            other.keep_names([kept, new])
            docker("image", "rm", kept)
            docker("tag", busybox, new)
        assert tags(made.project) == [kept]
    finally:
        docker("image", "rm", kept, check=False)


def test_the_root_may_be_below_the_top_and_what_is_left_out_is_told(
    repository: Repository,
) -> None:
    repository.write(".gitmodules", "")
    repository.write("sub/.gitattributes", "*.bin filter=lfs\n")
    repository.write("sub/hullwright.toml", "")
    repository.commit("v1.0.0")
    ws = Repository(repository.root / "sub", repository.environ).workspace()
    with coldstart.checked_out(ws, "v1.0.0") as other:
        assert (other.root / "own").is_file()
        assert other.notes == (
            "v1.0.0: submodules are not checked out",
            "v1.0.0: files of Git LFS are what git lfs makes of them here, or else pointers",
        )
