"""Start-up is part of the product: what the first import of our tasks brings with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    *("python_on_whales", "ruamel", "sqlalchemy", "starlette", "uvicorn", "alembic", "psycopg"),
    *("requests", "httpx", "pydantic", "sqlite3", "asyncio", "email", "http.client", "ssl"),
)


def imported_by(statements: str, folder: Path) -> set[str]:
    """Return what a fresh interpreter has imported after the statements."""
    program = f"{statements}\nimport sys\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["hullwright.tasks", "hullwright.config.load"])
def test_the_first_import_brings_nothing_heavy(module: str, tmp_path: Path) -> None:
    base = imported_by("import invoke", tmp_path)
    added = imported_by(f"import invoke, {module}", tmp_path) - base
    assert module in added
    assert sorted(name for name in HEAVY if name in added) == []


def test_loading_a_repository_without_a_table_parses_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {build: .}}", encoding="utf-8")
    load = "import os, pathlib\nfrom hullwright.config.load import load\n"
    load += "config = load(pathlib.Path.cwd(), os.environ)\n"
    assert "ruamel.yaml" not in imported_by(load, tmp_path)
    assert "ruamel.yaml" in imported_by(f"{load}assert list(config.services)", tmp_path)
