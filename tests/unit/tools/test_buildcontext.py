"""What a build context holds, and which hashes are remembered."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from hullwright.tools.buildcontext import Contexts

if TYPE_CHECKING:
    from pathlib import Path

LARGE = b"x" * 100_000
# Long before now, so that nobody takes it for a file that is just being written.
OLD_NS = 1_700_000_000 * 10**9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A context with two files and a folder of state."""
    made = tmp_path / "context"
    (made / "src").mkdir(parents=True)
    (made / ".hullwright").mkdir()
    (made / "src/app.py").write_text("1")
    (made / "README").write_text("2")
    (made / ".hullwright/history").write_text("3")
    return made


def contexts(folder: Path) -> Contexts:
    """Return the contexts of a new run."""
    return Contexts(folder.parent / "hashes.json", folder / ".hullwright")


def digest(folder: Path, ignore: bytes = b"") -> str:
    """Return what a new run sees of a folder."""
    return contexts(folder).of(folder, ignore).digest


def test_files_folders_and_permissions_count_and_the_state_does_not(folder: Path) -> None:
    assert set(contexts(folder).of(folder, b"").files) == {"src", "src/app.py", "README"}
    before = digest(folder)
    (folder / ".hullwright/history").write_text("4")
    assert digest(folder) == before
    (folder / "README").chmod(0o755)
    assert digest(folder) != before


def test_what_stands_apart_does_not_count_at_the_top(folder: Path) -> None:
    for place in (folder, folder / "src"):
        (place / ".git").mkdir()
        (place / ".git/HEAD").write_text("1")
    run = Contexts(folder.parent / "hashes.json", folder / ".hullwright", frozenset({".git"}))
    taken = run.of(folder, b"").files
    assert ".git" not in taken
    assert "src/.git/HEAD" in taken


@pytest.mark.parametrize("change", ["content", "name", "kind", "target", "gone", "empty folder"])
def test_whatever_is_copied_otherwise_changes_the_digest(folder: Path, change: str) -> None:
    (folder / "link").symlink_to("README")
    before, readme = digest(folder), folder / "README"
    if change == "content":
        readme.write_text("other")
    elif change == "name":
        readme.rename(folder / "README.md")
    elif change == "kind":
        readme.unlink()
        readme.symlink_to("src/app.py")
    elif change == "target":
        (folder / "link").unlink()
        (folder / "link").symlink_to("src")
    elif change == "gone":
        readme.unlink()
    else:
        (folder / "new").mkdir()
    assert digest(folder) != before


def test_neither_times_nor_what_is_left_out_count(folder: Path) -> None:
    before = digest(folder, b"**/*.log")
    os.utime(folder / "README", ns=(OLD_NS, OLD_NS))
    (folder / "src/run.log").write_text("1")
    assert digest(folder, b"**/*.log") == before


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    before = digest(folder)
    (tmp_path / "outside/file").write_text("1")
    assert digest(folder) == before


def test_a_folder_that_is_left_out_comes_with_what_is_taken_back_in_it(folder: Path) -> None:
    (folder / "src/other.py").write_text("1")
    taken = contexts(folder).of(folder, b"*\n!src/app.py")
    assert set(taken.files) == {"src", "src/app.py"}


def test_one_context_is_walked_once(folder: Path) -> None:
    run = contexts(folder)
    first = run.of(folder, b"")
    (folder / "README").unlink()
    assert run.of(folder, b"") is first
    assert run.of(folder, b"src") is not first


def test_a_large_file_is_read_again_only_when_its_marks_change(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = folder / "large"
    large.write_bytes(LARGE)
    os.utime(large, ns=(OLD_NS, OLD_NS))
    moment = large.stat().st_ctime_ns
    monkeypatch.setattr("time.time_ns", lambda: moment + 3 * 10**9)
    run = contexts(folder)
    before = run.of(folder, b"").digest
    run.remember()
    # What is remembered is believed: that is how it shows that the file was not read.
    document = json.loads((folder.parent / "hashes.json").read_text())
    (marks,) = document["files"].values()
    marks[-1] = "0" * 64
    (folder.parent / "hashes.json").write_text(json.dumps(document))
    assert contexts(folder).of(folder, b"").files["large"].endswith("0" * 64)
    os.utime(large, ns=(OLD_NS, OLD_NS + 1))
    assert digest(folder) == before


def test_the_first_run_of_a_repository_remembers_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 2**62)
    (folder / "large").write_bytes(LARGE)
    state = folder.parent / "no state yet"
    run = Contexts(state / "inputs" / "hashes.json", state)
    run.of(folder, b"")
    run.remember()
    assert (state / "inputs" / "hashes.json").is_file()


def test_a_file_that_changed_this_moment_is_not_remembered(folder: Path) -> None:
    (folder / "large").write_bytes(LARGE)
    run = contexts(folder)
    run.of(folder, b"")
    run.remember()
    assert not (folder.parent / "hashes.json").exists()


def test_what_is_remembered_of_files_that_are_gone_is_forgotten(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 2**62)
    for name in ("one", "two"):
        (folder / name).write_bytes(LARGE)
        run = contexts(folder)
        run.of(folder, b"")
        run.remember()
        (folder / name).unlink()
    document = json.loads((folder.parent / "hashes.json").read_text())
    assert [path.rpartition("/")[2] for path in document["files"]] == ["two"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"files": {"a": 1}}', b'{"files": [1]}'])
def test_a_broken_memory_is_none(folder: Path, content: bytes) -> None:
    (folder / "large").write_bytes(LARGE)
    (folder.parent / "hashes.json").write_bytes(content)
    assert "large" in contexts(folder).of(folder, b"").files
