"""One PostgreSQL server for all tests here, and a database of its own for each test."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from serving import PostgresServer, dashboard_process, postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving import Dashboard


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[dict[str, str]]:
    """The settings of a dashboard whose database is there, and empty."""
    name = f"dashboard_{secrets.token_hex(4)}"
    with postgres.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres.environ(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def migrated(empty_database: dict[str, str]) -> dict[str, str]:
    """The settings of a dashboard whose database is at the newest revision."""
    from hullwright.dashboard.migrate import migrate
    from hullwright.dashboard.settings import database

    migrate(database(empty_database))
    return empty_database


@pytest.fixture
def dashboard(migrated: dict[str, str]) -> Iterator[Dashboard]:
    with dashboard_process(migrated) as running:
        yield running
