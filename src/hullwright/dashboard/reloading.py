"""The application for a server that restarts it when a source file changes (development only)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hullwright.dashboard.app import create_app
from hullwright.dashboard.settings import settings
from hullwright.dashboard.store import Store, connect

if TYPE_CHECKING:
    from starlette.applications import Starlette


def application() -> Starlette:
    """Return the application with the settings of the environment, for `uvicorn --factory`."""
    found = settings(os.environ)
    return create_app(found, Store(connect(found.database), found.database.place))
