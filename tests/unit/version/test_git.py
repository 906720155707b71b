"""What Git printed, as values; and which command was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tools.git import (
    Decorated,
    Nearest,
    find_git_dir,
    history_words,
    parse_history,
    parse_nearest,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_history_has_a_commit_a_line() -> None:
    text = (
        "aa\0t1\x001700000000\0bb\0HEAD -> refs/heads/a,b, tag: refs/tags/v1.0.0\n"
        "bb\0t2\x001600000000\0\0\n"
    )
    names = ("HEAD -> refs/heads/a,b", "tag: refs/tags/v1.0.0")
    assert parse_history(text) == [
        Decorated("aa", "t1", 1_700_000_000, has_parents=True, names=names),
        Decorated("bb", "t2", 1_600_000_000, has_parents=False, names=()),
    ]


def test_the_history_is_asked_without_anyones_settings() -> None:
    assert history_words("--max-parents=0") == (
        "log",
        "--no-show-signature",
        "--no-color",
        "--decorate=full",
        "--decorate-refs=HEAD",
        "--decorate-refs=refs/heads/",
        "--decorate-refs=refs/tags/",
        "--max-parents=0",
        "--format=%H%x00%T%x00%ct%x00%P%x00%D",
        "HEAD",
        "--",
    )


def test_the_nearest_tag_is_read_from_its_end() -> None:
    assert parse_nearest("v1.2.3-rc.1-5-g1a2b3c4\n") == Nearest(
        "v1.2.3-rc.1-5-g1a2b3c4", "v1.2.3-rc.1", 5
    )
    assert parse_nearest("v1.2.3-g-0-g1a2b3c4\n") == Nearest("v1.2.3-g", "v1.2.3-g", 0)
    assert parse_nearest("1a2b3c4\n") is None


def test_the_state_folder_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_git_dir(below, {}) == tmp_path / ".git"
    assert find_git_dir(below, {"GIT_DIR": "../x"}) == tmp_path / "a" / "x"


def test_a_linked_state_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / ".git").write_text("gitdir: ../.git/modules/part\n", encoding="utf-8")
    assert find_git_dir(tmp_path / "part", {}) == tmp_path / ".git" / "modules" / "part"
