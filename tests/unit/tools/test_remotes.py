"""Where a clone came from, as an address for a browser and without anyone's credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.tools.remotes import parse_remotes, published, source_address

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://git.example.com/team/shop.git", "https://git.example.com/team/shop"),
        ("https://git.example.com/team/shop/", "https://git.example.com/team/shop"),
        ("https://bot:s3cret@git.example.com:8443/shop", "https://git.example.com:8443/shop"),
        ("https://s3cret@git.example.com/shop", "https://git.example.com/shop"),
        ("http://git.example.com/shop.git", "http://git.example.com/shop"),
        ("git@git.example.com:team/shop.git", "https://git.example.com/team/shop"),
        ("git.example.com:/team/shop.git", "https://git.example.com/team/shop"),
        ("ssh://git@git.example.com:2222/team/shop.git", "https://git.example.com/team/shop"),
        ("git://git.example.com/shop.git", "https://git.example.com/shop"),
        ("/srv/git/shop.git", ""),
        ("../shop", ""),
        ("file:///srv/git/shop.git", ""),
        ("C:/git/shop", ""),
        ("https://git.example.com", ""),
        ("https://[broken/shop", ""),
        ("ssh://git@[2001:db8::1]:22/shop.git", "https://[2001:db8::1]/shop"),
        ("bot:s3cret@git.example.com:team/shop", ""),
        ("bot:s3:cret@git.example.com/shop", ""),
        ("https:/bot:s3cret@git.example.com/shop", ""),
        ("https:/git.example.com/shop", ""),
        ("ext::sh -c x", ""),
        ("", ""),
    ],
)
def test_an_address_is_one_that_a_browser_opens(address: str, shown: str) -> None:
    assert published(address) == shown


def test_remotes_are_read_as_git_writes_them() -> None:
    text = """\
[core]
\turl = no
[remote "origin"]
\turl = https://git.example.com/a.git ; a note
\turl = https://git.example.com/second.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
[Remote "odd \\" name"] URL = "git@git.example.com:b c.git"
[remote]
\tpushDefault = origin
"""
    assert parse_remotes(text) == {
        "origin": "https://git.example.com/a.git",
        'odd " name': "git@git.example.com:b c.git",
    }


def test_origin_counts_or_else_the_only_remote(tmp_path: Path) -> None:
    config = tmp_path / "config"
    assert source_address(tmp_path) == ""
    config.write_text('[remote "up"]\nurl = git@git.example.com:up.git\n', encoding="utf-8")
    assert source_address(tmp_path) == "https://git.example.com/up"
    with config.open("a", encoding="utf-8") as file:
        file.write('[remote "fork"]\nurl = git@git.example.com:fork.git\n')
    assert source_address(tmp_path) == ""
    with config.open("a", encoding="utf-8") as file:
        file.write('[remote "origin"]\nurl = git@git.example.com:origin.git\n')
    assert source_address(tmp_path) == "https://git.example.com/origin"
