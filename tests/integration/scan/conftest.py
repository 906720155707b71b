"""A repository with real secrets for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vaults import Vault, made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A repository with a development key, and no encrypted file yet."""
    return made(tmp_path)
