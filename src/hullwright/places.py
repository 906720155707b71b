"""Where what is not a repository's own stands on a machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of things that can be made again, such as built tools."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "/")) / ".cache")
    return Path(base) / "hullwright"


def machine_state_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of this machine's state: an engine that setup started, and its log."""
    base = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "/")) / ".local/state")
    return Path(base) / "hullwright"
