"""What became of each image in its last build: what `--failed` builds again.

The file `.hullwright/last-build.json` holds a status for each service and target. A run that
builds only some of them changes only theirs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.build.outcome import TargetResult
    from hullwright.workspace import Workspace

_SCHEMA: Final = 1
_FILE: Final = "last-build.json"
_UNDONE: Final = frozenset({"failed", "skipped"})


def remember(ws: Workspace, results: Iterable[TargetResult]) -> None:
    """Keep what became of these images; of all others what was known stays.

    To be called under the lock of the build.
    """
    known = _read(ws) or {}
    now = known | {(r.service, r.target): f"{r.status}" for r in results}
    if now != known:
        entries = [
            {"service": service, "target": target, "status": status}
            for (service, target), status in sorted(now.items())
        ]
        document = {"schema": _SCHEMA, "targets": entries}
        write_atomic(ws.state_dir / _FILE, json.dumps(document, indent=2) + "\n")


def undone(ws: Workspace) -> tuple[tuple[str, str], ...]:
    """Return (service, target) of what failed or was skipped when it was built last.

    Raises:
        UsageError: nothing was built here yet, so nothing can be said.
    """
    known = _read(ws)
    if known is None:
        raise UsageError(
            "what failed is not known: no build was recorded here",
            why=f"{ws.root / '.hullwright' / _FILE} is not there, or is none of ours",
            next_step="invoke build   (without --failed; what is current is not built again)",
        )
    return tuple(key for key, status in known.items() if status in _UNDONE)


def _read(ws: Workspace) -> dict[tuple[str, str], str] | None:
    # Not `state_dir`: looking at a repository must not make a folder in it.
    try:
        content = (ws.root / ".hullwright" / _FILE).read_bytes()
        entries = json.loads(content)["targets"]
        return {(e["service"], e["target"]): e["status"] for e in entries}
    except (OSError, ValueError, KeyError, TypeError):
        # It only says what is tried again; a build writes it anew.
        return None
