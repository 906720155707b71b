"""The lock of base images: looking at what there is and what registries say, and writing it down.

Locking brings the file in line with the Dockerfiles and moves nothing that is locked; an update
moves what it is told to.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hullwright import locked
from hullwright.bases import packages
from hullwright.bases.lockmodels import Locked, LockSeen, Outdated
from hullwright.bases.lockplan import compare
from hullwright.bases.needs import needed
from hullwright.bases.recipes import load_recipes
from hullwright.bases.resolving import resolve
from hullwright.errors import UsageError, unknown
from hullwright.images import Reference
from hullwright.locked import FILE, full_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from hullwright.bases.lockmodels import Change, LockPlan
    from hullwright.bases.models import Recipe
    from hullwright.bases.needs import Need
    from hullwright.locked import Lock, LockedImage
    from hullwright.workspace import Workspace


def observe(ws: Workspace, update: Sequence[str] = ()) -> LockSeen:
    """Return what Dockerfiles name, what is locked, and what each image that is asked for is now.

    Args:
        ws: the repository.
        update: images that are moved, by name, repository or pattern; without any, only what is
            not locked, or does not fit any more, is asked for.

    Raises:
        UsageError: no lock to update, or a name that no Dockerfile has.
    """
    needs, recipes = needed(ws), load_recipes(ws.root, ws.environ)
    lock = _existing(ws) if update else locked.load(ws.root)
    moving = _chosen(update, needs.images)
    asked = moving or _unfit(lock, needs.images, recipes)
    known = lock.images if lock else {}
    told = resolve(ws, [needs.images[name] for name in asked], recipes, known)
    return LockSeen(needs, lock, told, recipes, moving)


def execute(ws: Workspace, plan: LockPlan, at: datetime) -> Locked:
    """Write what a plan says, with its time; nothing is written where all of it is kept."""
    changes = tuple(_finished(ws, change, at) for change in plan.changes)
    writes = {
        change.image: None if change.action == "drop" else change.after
        for change in changes
        if change.action != "keep"
    }
    return Locked(plan, changes, locked.save(ws, writes))


def outdated(ws: Workspace) -> Outdated:
    """Return what each locked image is now beside what it was when it was locked.

    Raises:
        UsageError: there is no lock.
    """
    lock, needs, recipes = _existing(ws), needed(ws), load_recipes(ws.root, ws.environ)
    names = [name for name in lock.images if name in needs.images]
    told = resolve(ws, [needs.images[name] for name in names], recipes, lock.images)
    return Outdated(
        tuple(compare(lock.images[name], told[name], recipes.get(name)) for name in names)
    )


def _finished(ws: Workspace, change: Change, at: datetime) -> Change:
    if change.after is None or change.action == "keep":
        return change
    after = replace(change.after, at=at)
    if change.reads:
        with ws.console.step(f"read the packages of {change.image}"):
            found = packages.note(ws, change.image, after.stand_in)
        after = replace(after, packages=found)
    if change.before is not None and after == replace(change.before, at=at):
        # Its packages are the ones that are locked, which was not known before they were read.
        return replace(change, action="keep", after=change.before)
    return replace(change, after=after)


def _existing(ws: Workspace) -> Lock:
    lock = locked.load(ws.root)
    if lock is None:
        raise UsageError(f"there is no {FILE}", next_step="invoke images --lock")
    return lock


def _chosen(update: Iterable[str], needs: Mapping[str, Need]) -> tuple[str, ...]:
    """Return the images that names, repositories and patterns mean."""
    chosen: dict[str, None] = {}
    for word in update:
        mine = [name for name in needs if _means(word, name)]
        if not mine:
            raise unknown("base image", word, needs)
        chosen.update(dict.fromkeys(mine))
    return tuple(name for name in needs if name in chosen)


def _means(word: str, name: str) -> bool:
    return (
        name in {word, full_name(word)}
        or Reference.parse(name).repository == word
        or fnmatchcase(name, word)
    )


def _unfit(
    lock: Lock | None, needs: Mapping[str, Need], recipes: Mapping[str, Recipe]
) -> tuple[str, ...]:
    """Return the images that are not locked, or to what is not there any more."""
    return tuple(name for name in needs if not _fits(lock.find(name) if lock else None, recipes))


def _fits(entry: LockedImage | None, recipes: Mapping[str, Recipe]) -> bool:
    if entry is None or not entry.stand_in:
        return entry is not None
    recipe = recipes.get(entry.name)
    return recipe is not None and recipe.digest == entry.stand_in
