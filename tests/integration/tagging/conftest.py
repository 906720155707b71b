"""A new repository for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from repositories import Repository, isolated

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository without commits, on the branch main."""
    return Repository.made(tmp_path / "repository", isolated(tmp_path))
