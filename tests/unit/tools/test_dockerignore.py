"""Ignore files by BuildKit's rules; what BuildKit itself says is asked in the integration tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.tools.dockerignore import ignore_file, parse

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text("ab*?[]!\\/.#^-", min_size=1, max_size=8)
PATHS = st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("rules", "path", "out"),
    [
        ("", "a", False),
        ("a", "a", True),
        ("a", "a/b/c", True),
        ("a", "b/a", False),
        ("**/a", "b/a/c", True),
        ("**/a", "a", True),
        ("**a", "ba", True),
        ("*", ".hidden", True),
        ("*\n!a", "a/b", False),
        ("!a\n*", "a", True),
        ("a/*", "a/b", True),
        ("a/*", "a", False),
        ("a?", "ab", True),
        ("a?", "a/", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("/a/", "a", True),
        ("./a/../b", "b", True),
        ("# a\n#b", "#b", False),
        ("\\#b", "#b", True),
        ("  a  ", "a", True),
        ("!", "a", False),
        ("a\r\nb\r\n", "a", True),
    ],
)
def test_the_last_matching_pattern_decides(rules: str, path: str, out: bool) -> None:  # noqa: FBT001  a column of the table above
    assert parse(rules.encode()).leaves_out(path) is out


def test_a_pattern_that_no_build_takes_hides_nothing() -> None:
    assert not parse(b"[a").leaves_out("[a/b")
    # Taken back by a broken exception, a file is looked at rather than overlooked.
    assert not parse(b"*\n![a").leaves_out("b")


@given(st.lists(NAMES, max_size=5), PATHS)
def test_whatever_is_written_a_path_is_either_taken_or_left_out(
    rules: list[str], path: str
) -> None:
    assert parse("\n".join(rules).encode()).leaves_out(path) in {True, False}


@given(st.lists(NAMES, max_size=5), PATHS)
def test_a_folder_that_holds_nothing_taken_is_never_one_with_an_exception(
    rules: list[str], path: str
) -> None:
    ignore = parse("\n".join(rules).encode())
    folder = path.rpartition("/")[0]
    if folder and ignore.leaves_out(folder) and not ignore.may_hold(folder):
        assert ignore.leaves_out(path)


def test_the_dockerfiles_own_ignore_file_comes_first(tmp_path: Path) -> None:
    dockerfile = tmp_path / "deploy/Dockerfile"
    dockerfile.parent.mkdir()
    assert ignore_file(dockerfile, tmp_path) is None
    (tmp_path / ".dockerignore").touch()
    assert ignore_file(dockerfile, tmp_path) == tmp_path / ".dockerignore"
    own = tmp_path / "deploy/Dockerfile.dockerignore"
    own.touch()
    assert ignore_file(dockerfile, tmp_path) == own
