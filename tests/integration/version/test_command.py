"""`hullwright version` as it is run: its output goes to a pipe, and its failures have codes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from repositories import Repository, isolated

if TYPE_CHECKING:
    from pathlib import Path


def _run(folder: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "hullwright", "version", *words),
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_works_in_any_repository_without_configuration(repository: Repository) -> None:
    revision = repository.commit("v1.2.3")
    done = _run(repository.root, repository.environ, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["schema"] == 1
    assert (told["version"], told["revision"], told["dirty"]) == ("1.2.3", revision, False)


def test_its_lines_are_for_a_shell(repository: Repository) -> None:
    repository.commit("v1.2.3")
    done = _run(repository.root, repository.environ, "--format", "env")
    shown = subprocess.run(
        ("sh", "-c", f'{done.stdout}\necho "$VERSION $IMAGE_TAG $REF"'),
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "1.2.3 1.2.3 refs/heads/main\n"


def test_outside_of_git_it_is_a_usage_error(tmp_path: Path) -> None:
    done = _run(tmp_path, isolated(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not in a Git repository" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_shallow_clone_is_repaired_by_the_flag(repository: Repository, tmp_path: Path) -> None:
    repository.commit("v1.2.3")
    repository.commit()
    clone = tmp_path / "clone"
    address = f"file://{repository.root}"
    repository.git("clone", "--quiet", "--depth=1", address, str(clone))
    refused = _run(clone, repository.environ)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "git fetch --unshallow --tags" in refused.stderr
    done = _run(clone, repository.environ, "--unshallow", "--format", "env")
    assert done.returncode == 0
    assert done.stdout.startswith("VERSION=1.2.4-0.dev.1+g")


def test_without_git_itself_the_program_is_named(repository: Repository, tmp_path: Path) -> None:
    repository.commit("v1.2.3")
    done = _run(repository.root, {**repository.environ, "PATH": str(tmp_path)})
    assert done.returncode == 3
    assert "git is not on PATH" in done.stderr


def test_a_dry_run_shows_the_repair_and_says_what_follows(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("v1.2.3")
    repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(clone))
    done = subprocess.run(
        (sys.executable, "-m", "hullwright", "--dry", "version", "--unshallow"),
        cwd=clone,
        env=repository.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "git fetch --unshallow --tags" in done.stdout + done.stderr
    assert "the version is known once the clone is whole" in done.stderr
    assert (clone / ".git" / "shallow").exists()
