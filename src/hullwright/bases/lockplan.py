"""Deciding on a lock: what becomes of each image, from what Dockerfiles name and what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.bases.lockmodels import LOCAL, Change, Compared, LockPlan
from hullwright.bases.packages import differing
from hullwright.bases.recipes import FOLDER
from hullwright.errors import CheckFailedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.bases.lockmodels import LockSeen, Told
    from hullwright.bases.models import Recipe
    from hullwright.bases.needs import Need
    from hullwright.locked import LockedImage

_ANEW: Final = "invoke images --prepare --stand-ins   (makes them anew)"
_ELSEWHERE: Final = f"name a mirror that has it ([build] mirror), or copy its recipe to {FOLDER}"


def plan_lock(seen: LockSeen) -> LockPlan:
    """Return what becomes of each image.

    What is locked stays as it is unless it is to be moved, or is a stand-in of another recipe than
    there is now. What no Dockerfile names goes, but where one image is moved the others are left.

    Raises:
        UnavailableError: nobody gives an image; all of them at once.
        CheckFailedError: a stand-in that is here was made from another recipe.
    """
    locked = seen.lock.images if seen.lock else {}
    _refuse_hopeless(seen, locked)
    _refuse_stale(seen)
    changes: list[Change] = []
    notes: list[str] = []
    for name, need in seen.needs.images.items():
        before, told = locked.get(name), seen.told.get(name)
        if told is None or told.entry is None:
            if before is not None:
                changes.append(Change("keep", name, "it is locked", before, before))
                notes += _lacking(need, before, f"   (invoke images --update {name})")
            continue
        changes.append(_change(need, before, told.entry, moving=bool(seen.moving)))
        notes += _notes(need, told.entry)
    if not seen.moving:
        changes += [
            Change("drop", name, "no Dockerfile names it any more", locked[name])
            for name in locked
            if name not in seen.needs.images
        ]
    notes += [
        f"{place} depends on what only a build knows, so no lock can hold {written}"
        for place, written in seen.needs.unclear
    ]
    return LockPlan(tuple(sorted(changes, key=lambda change: change.image)), tuple(notes))


def _change(need: Need, before: LockedImage | None, after: LockedImage, *, moving: bool) -> Change:
    reads = bool(after.stand_in) and not after.packages
    if before is None:
        return Change("add", need.image, need.places[0], None, after, reads=reads)
    same = (before.digest, before.stand_in) == (after.digest, after.stand_in)
    if same and not reads and before.packages == after.packages:
        return Change("keep", need.image, "it did not move", before, before)
    if not moving:
        cause = "its recipe has changed"
    elif before.digest == after.digest:
        cause = "its packages moved" if same and not reads else "asked for"
    else:
        cause = "it moved"
    return Change("move", need.image, cause, before, after, reads=reads)


def _notes(need: Need, entry: LockedImage) -> Iterator[str]:
    if entry.source == LOCAL:
        yield (
            f"{need.image} is locked to what the local store has, for no registry answers: "
            "other machines may not have it"
        )
    yield from _lacking(need, entry)


def _lacking(need: Need, entry: LockedImage, remedy: str = "") -> Iterator[str]:
    lacking = [platform for platform in need.platforms if platform not in entry.platforms]
    if lacking and entry.digest:
        verb = "is locked without" if remedy else "has no"
        yield f"{need.image} {verb} {' '.join(lacking)}, which {need.places[0]} needs{remedy}"


def _refuse_hopeless(seen: LockSeen, locked: Mapping[str, LockedImage]) -> None:
    hopeless = [told for told in seen.told.values() if _is_hopeless(told, locked.get(told.image))]
    if not hopeless:
        return
    facts = [
        ("image", f"{told.image}, named by {seen.needs.images[told.image].places[0]}")
        for told in hopeless
    ]
    facts += dict.fromkeys(said for told in hopeless for said in told.said)
    if all(told.silent for told in hopeless):
        next_step = (
            "name a mirror ([build] mirror), or make stand-ins: invoke images --prepare --stand-ins"
        )
    else:
        next_step = "correct the name of the image, or log in: invoke login --registry NAME"
    names = ", ".join(told.image for told in hopeless)
    raise UnavailableError(f"nobody tells what {names} is now", why=facts, next_step=next_step)


def _is_hopeless(told: Told, before: LockedImage | None) -> bool:
    # The local store is no word of the registry that an image was read from: a stand-in, or an
    # older image, must not take the place of what is locked.
    registrys = before is not None and bool(before.digest) and before.source != LOCAL
    return told.entry is None or (told.silent and registrys)


def _refuse_stale(seen: LockSeen) -> None:
    stale: list[tuple[str, str]] = []
    steps: dict[str, None] = {}
    for name, told in seen.told.items():
        if told.entry is not None and told.entry.stand_in:
            recipe = seen.recipes.get(name)
            if recipe is None:
                stale.append((name, f"a stand-in, and {FOLDER} has no recipe for it"))
                steps[_ELSEWHERE] = None
            elif recipe.digest != told.entry.stand_in:
                stale.append((name, f"a stand-in by an earlier form of the recipe {recipe.name}"))
                steps[_ANEW] = None
    if stale:
        raise CheckFailedError(
            "what is here is not what the recipes make",
            why=stale,
            next_step="\n".join(steps),
        )


def compare(before: LockedImage, told: Told, recipe: Recipe | None) -> Compared:
    """Return a locked image beside what it is now."""
    after, name = told.entry, before.name
    if before.stand_in:
        return _compared_stand_in(before, told, recipe)
    if after is None or (told.silent and before.source != LOCAL):
        return Compared(name, "unknown", before, said=told.said)
    if after.stand_in:
        return Compared(name, "unknown", before, said=told.said)
    if after.digest == before.digest:
        return Compared(name, "current", before, after)
    return Compared(name, "moved", before, after, told.created)


def _compared_stand_in(before: LockedImage, told: Told, recipe: Recipe | None) -> Compared:
    after, name = told.entry, before.name
    if after is not None and after.digest:
        moved: Sequence[str] = (f"{after.source} is there now",)
        return Compared(name, "moved", before, after, told.created, tuple(moved))
    if recipe is None or recipe.digest != before.stand_in:
        moved = ("its recipe has changed" if recipe else "its recipe is gone",)
        return Compared(name, "moved", before, after, moved=tuple(moved))
    if after is None or not after.packages:
        return Compared(name, "unknown", before, said=(*told.said, *_unread(told)))
    moved = differing(before.packages, after.packages)
    return Compared(name, "moved" if moved else "current", before, after, moved=tuple(moved))


def _unread(told: Told) -> Iterator[tuple[str, str]]:
    if told.entry is None:
        yield "local store", "it has no stand-in of that name"
    else:
        yield "local store", f"the packages were not read yet: invoke images --update {told.image}"
