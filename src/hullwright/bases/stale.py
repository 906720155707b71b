"""Whether the lock still fits what Dockerfiles name: told by files alone, nobody is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.bases.needs import needed
from hullwright.bases.packages import differing, noted
from hullwright.bases.recipes import FOLDER, load_recipes
from hullwright.findings import Finding, ordered
from hullwright.locked import FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullwright.bases.models import Recipe
    from hullwright.bases.needs import Need
    from hullwright.locked import Lock, LockedImage
    from hullwright.workspace import Workspace

LOCK: Final = "invoke images --lock"


def check(
    ws: Workspace,
    lock: Lock,
    services: Sequence[str] = (),
    *,
    platforms: Iterable[str] = (),
    build_args: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Return what does not fit, the gravest first; warnings leave a build as it is locked.

    Args:
        ws: the repository.
        lock: what is locked.
        services: whose Dockerfiles are looked at; default all.
        platforms: that are built for; default those of the configuration.
        build_args: that win over those of each service.

    Raises:
        UsageError: an unknown service, a text that is no platform, or recipes that are wrong.
    """
    needs, recipes = needed(ws, services, platforms, build_args), load_recipes(ws.root, ws.environ)
    found: list[Finding] = []
    for need in needs.images.values():
        entry = lock.find(need.image)
        if entry is None:
            message = f"{need.places[0]} is not locked"
            found.append(Finding("lock.missing", "error", need.image, message, LOCK))
        elif entry.stand_in:
            found += _stand_in(ws, entry, recipes.get(need.image))
        else:
            found += _platforms(need, entry)
    found += [
        Finding(
            "lock.unclear",
            "warning",
            written,
            f"{place} depends on what only a build knows, so no lock can hold it",
            "write the name out, or give its ARG a default",
        )
        for place, written in needs.unclear
    ]
    return ordered([*found, *(() if services else _unused(lock, needs.images))])


def _stand_in(ws: Workspace, entry: LockedImage, recipe: Recipe | None) -> Iterator[Finding]:
    if recipe is None:
        message = f"it is locked as a stand-in, and {FOLDER} has no recipe for it"
        yield Finding("lock.recipe", "error", entry.name, message, LOCK)
    elif recipe.digest != entry.stand_in:
        message = f"the recipe of its stand-in, {FOLDER}/{recipe.name}, has changed since"
        remedy = f"invoke images --prepare --stand-ins, then: {LOCK}"
        yield Finding("lock.recipe", "error", entry.name, message, remedy)
    else:
        here = noted(ws, entry.name, entry.stand_in)
        moved = differing(entry.packages, here) if here and entry.packages else ()
        if moved:
            message = f"the packages of the stand-in here are others than the lock's: {told(moved)}"
            remedy = f"invoke images --update {entry.name}"
            yield Finding("lock.packages", "warning", entry.name, message, remedy)


def told(moved: Sequence[str], most: int = 3) -> str:
    """Return the first of what moved, and how many more did."""
    rest = len(moved) - most
    return ", ".join(moved[:most]) + (f" and {rest} more" if rest > 0 else "")


def _platforms(need: Need, entry: LockedImage) -> Iterator[Finding]:
    lacking = [platform for platform in need.platforms if platform not in entry.platforms]
    if lacking:
        yield Finding(
            "lock.platform",
            "error",
            need.image,
            f"it is locked without {' '.join(lacking)}, which {need.places[0]} needs",
            f"invoke images --update {need.image}; if nothing changes, it has no such platform",
        )


def _unused(lock: Lock, needs: Mapping[str, Need]) -> Iterator[Finding]:
    for name in lock.images:
        if name not in needs:
            message = f"no Dockerfile names it any more, and {FILE} does"
            yield Finding("lock.unused", "warning", name, message, LOCK)
