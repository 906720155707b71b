"""Which images some files are inputs of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.build.inputs import materials
from hullwright.locked import FILE, full_name, load
from hullwright.tools.dockerignore import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.build.inputs import Material
    from hullwright.build.models import BuildPlan
    from hullwright.locked import Lock
    from hullwright.workspace import Workspace


def changed_targets(
    ws: Workspace, plan: BuildPlan, paths: Iterable[str], before: Lock | None = None
) -> frozenset[tuple[str, str]]:
    """Return (service, target) of the images that files are inputs of, or that build on such ones.

    Args:
        ws: the repository.
        plan: what is built, each target after those that it is built on.
        paths: from the repository's root; files that are gone count as well.
        before: the lock of base images as it was, where that is among the files; None means that
            it had none.
    """
    files = [Path(os.path.normpath(ws.root.resolve() / path)) for path in paths]
    moved = _moved(before, load(ws.root)) if ws.root.resolve() / FILE in files else frozenset()
    changed: dict[str, tuple[str, str]] = {}
    for material in materials(ws, plan):
        planned = material.planned
        built_on = not changed.keys().isdisjoint(material.siblings)
        rebased = not moved.isdisjoint(map(full_name, material.images))
        if rebased or built_on or _holds(ws, material, files):
            changed[planned.name] = (planned.service, planned.target)
    return frozenset(changed.values())


def _moved(before: Lock | None, now: Lock | None) -> frozenset[str]:
    """Return the names of the base images that are locked otherwise than before."""
    old, new = (_states(lock) for lock in (before, now))
    return frozenset(name for name in {*old, *new} if old.get(name) != new.get(name))


def _states(lock: Lock | None) -> dict[str, object]:
    images = lock.images if lock else {}
    return {name: (each.digest, each.stand_in, each.packages) for name, each in images.items()}


def _holds(ws: Workspace, material: Material, files: Iterable[Path]) -> bool:
    root = ws.root.resolve()
    own = {root / material.dockerfile, root / f"{material.dockerfile}.dockerignore"}
    rules = [(folder.resolve(), parse(ignore)) for folder, ignore in material.folders.values()]
    for file in files:
        if file in own:
            return True
        for folder, ignore in rules:
            if file.is_relative_to(folder):
                inside = file.relative_to(folder).as_posix()
                # An ignore file that is left out of its own context decides on it all the same.
                if inside == ".dockerignore" or not ignore.leaves_out(inside):
                    return True
    return False
