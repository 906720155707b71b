"""The inputs of the last build of each image, kept so that a later one can say what changed.

One file for each image below `.hullwright/inputs`, and one for each context that any of them had:
services that share a context share its listing. They explain; whether an image is current never
depends on them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.build.fingerprint import changes
from hullwright.build.ignoring import STATE
from hullwright.build.inputs import FOLDER
from hullwright.files import make_folder, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hullwright.build.fingerprint import Fingerprint
    from hullwright.build.inputs import Material
    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.build.outcome import TargetResult
    from hullwright.workspace import Workspace

_SCHEMA: Final = 1
_CONTEXTS: Final = "contexts"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The inputs of an image's last recorded build."""

    fingerprint: str
    parts: Mapping[str, str]
    contexts: tuple[str, ...]


def save_inputs(ws: Workspace, plan: BuildPlan, results: Iterable[TargetResult]) -> None:
    """Keep the inputs of what is there now; of anything else the earlier ones stay.

    To be called under the lock of the build.
    """
    there = {"built", "current"}
    named = {(r.service, r.target) for r in results if r.status in there and r.digest}
    mine = [t for t in plan.targets if (t.service, t.target) in named and _is_new(ws, t)]
    if not mine:
        return
    folder = make_folder(ws.state_dir / FOLDER / _CONTEXTS).parent
    for planned in mine:
        if planned.inputs is not None:
            _write(folder, planned, planned.inputs)
    _remove_unused(folder)


def earlier(ws: Workspace, planned: PlannedTarget) -> Earlier | None:
    """Return the inputs of the last recorded build, or None where there is none that is known."""
    return _read(ws.root / STATE / FOLDER / f"{planned.name}.json")


def changes_since(
    ws: Workspace, before: Earlier, material: Material, now: Fingerprint
) -> tuple[str, ...]:
    """Return what differs between the inputs of the last recorded build and those of now."""
    folder = ws.root / STATE / FOLDER / _CONTEXTS
    listings = {digest: _json(folder / f"{digest}.json") for digest in before.contexts}
    return changes(
        before.parts,
        now,
        {digest: files for digest, files in listings.items() if files is not None},
        dockerfile=material.dockerfile,
        folders=material.shown_folders(ws.root),
    )


def _is_new(ws: Workspace, planned: PlannedTarget) -> bool:
    before = earlier(ws, planned)
    return planned.inputs is not None and (
        before is None or before.fingerprint != planned.fingerprint
    )


def _write(folder: Path, planned: PlannedTarget, inputs: Fingerprint) -> None:
    for digest, files in inputs.files.items():
        listing = folder / _CONTEXTS / f"{digest}.json"
        if not listing.exists():
            write_atomic(listing, json.dumps(dict(files)) + "\n")
    document = {
        "schema": _SCHEMA,
        "fingerprint": inputs.value,
        "parts": dict(inputs.parts),
        "contexts": list(inputs.files),
    }
    write_atomic(folder / f"{planned.name}.json", json.dumps(document, indent=1) + "\n")


def _remove_unused(folder: Path) -> None:
    kept = [_read(path) for path in folder.glob("*.json")]
    used = {digest for each in kept if each for digest in each.contexts}
    for listing in (folder / _CONTEXTS).glob("*.json"):
        if listing.stem not in used:
            listing.unlink(missing_ok=True)


def _read(path: Path) -> Earlier | None:
    document = _json(path)
    if document is None:
        return None
    try:
        return Earlier(
            document["fingerprint"], dict(document["parts"]), tuple(document["contexts"])
        )
    except (KeyError, TypeError, ValueError):
        return None


def _json(path: Path) -> Any:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
