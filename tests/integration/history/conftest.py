"""A dashboard that records can be sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serving import dashboard_process, postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving import Dashboard


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    """The settings of a dashboard whose database is at the newest revision."""
    from hullwright.dashboard.migrate import migrate
    from hullwright.dashboard.settings import database

    with postgres_server() as server:
        found = server.environ("postgres")
        migrate(database(found))
        yield found


@pytest.fixture
def dashboard(environ: dict[str, str]) -> Iterator[Dashboard]:
    with dashboard_process(environ) as running:
        yield running
