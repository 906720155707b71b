"""When each container wrote its first line, from the engine's logs."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from hullwright.tools import engine
from hullwright.tools.compose import Invocation

if TYPE_CHECKING:
    from hullwright.stack.track import Track
    from hullwright.stack.wait import Wait
    from hullwright.workspace import Workspace

# `web-1  | 2026-11-21T07:41:21.168Z GET / 200`
_LINE: Final = re.compile(r"(?P<name>\S+)\s+\| (?P<at>\d{4}-\S+) ")
# Where one writes a lot and another nothing, the end of the logs is not waited for.
_PATIENCE_S: Final = 1.0


def find(ws: Workspace, wait: Wait, project: str) -> None:
    """Note when each container that was started wrote its first line since.

    One process reads all logs, each from the start, and is ended once all have been heard of. Of
    a log whose driver cannot be read nothing is known.
    """
    started = {
        _shown(track.name, project): track
        for service in wait.expected
        for track in wait.containers(service)
        if (track.first_started_at or 0.0) >= wait.began_at
    }
    if not started:
        return
    words = ("logs", "--timestamps", "--no-color", "--since", f"{wait.began_at:.3f}")
    services = dict.fromkeys(track.service for track in started.values())
    with ws.runner.following(*Invocation(project=project).argv(*words, *services)) as logs:
        timer = threading.Timer(_PATIENCE_S, logs.terminate)
        timer.start()
        try:
            for line in logs.stdout or ():
                _note(line, started, project)
                if all(track.first_log_at for track in started.values()):
                    break
        finally:
            timer.cancel()


def _note(line: str, started: dict[str, Track], project: str) -> None:
    match = _LINE.match(line)
    track = started.get(_shown(match["name"], project)) if match else None
    at = engine.epoch_s(match["at"]) if match else 0.0
    if track is not None and at and at < (track.first_log_at or float("inf")):
        track.first_log_at = at


def _shown(name: str, project: str) -> str:
    """Return a container's name as its lines begin with it: without the project's."""
    return name.removeprefix(project).lstrip("-_")
