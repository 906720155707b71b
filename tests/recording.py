"""What tests of the history stand on: a workspace without a repository, and records."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hullwright.config.models import Config, History
from hullwright.console import Console
from hullwright.history import Record
from hullwright.run import Runner
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def workspace(
    root: Path, *, url: str = "", path: str = "", environ: Mapping[str, str] | None = None
) -> Workspace:
    """Return a workspace whose history goes to `url` too."""
    history = History(url=url, path=path or History().path)
    config = Config(project="shipyard", history=history)
    console = Console({}, out=io.StringIO(), err=io.StringIO())
    return Workspace(root, config, Runner({}), console, environ or {})


def record(kind: str = "build", *, minute: int = 0, **fields: object) -> Record:
    """Return a record of a known time."""
    at = datetime(2026, 11, 21, 12, minute, tzinfo=UTC)
    given: dict[str, object] = {"project": "shipyard", "status": "done", "at": at, **fields}
    return Record(kind=kind, **given)  # type: ignore[arg-type]  # each test gives what fits
