"""Base images: what Dockerfiles and compose files name, and how it becomes present.

`listing` looks. `prepare` takes what is lacking from the registry that a reference names, or from
`[build] mirror`; where no registry can be reached it builds stand-ins of the same names from
Debian's packages, if that was asked for. A stand-in is labelled with the official reference, and
whatever is built on one inherits the label.

`lock_images` writes `images.lock`, the digests that builds take; `check` tells by files alone
whether it still fits, and `outdated` what moved since.

Recipes are read from the repository itself (`deploy/base-images/NAME/recipe.toml`, a Dockerfile,
hooks) and from the folders that `HULLWRIGHT_STAND_INS` names; the package brings none.

A build asks only for `check`, so what talks to registries and to the engine is imported by what
needs it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hullwright.bases.lockmodels import Change, Compared, Locked, LockPlan, Outdated
from hullwright.bases.models import (
    STAND_IN_LABEL,
    Build,
    Done,
    ListedImage,
    Listing,
    Plan,
    Prepared,
    Pull,
    Recipe,
    Use,
)
from hullwright.bases.recipes import load_recipes
from hullwright.bases.stale import check
from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.workspace import Workspace

__all__ = [
    "Build",
    "Change",
    "Compared",
    "Done",
    "ListedImage",
    "Listing",
    "LockPlan",
    "Locked",
    "Outdated",
    "Plan",
    "Prepared",
    "Pull",
    "Recipe",
    "Use",
    "check",
    "is_stand_in_based",
    "listing",
    "load_recipes",
    "lock_images",
    "lock_plan",
    "outdated",
    "plan",
    "prepare",
    "stand_in_of",
]


def listing(
    ws: Workspace, *, platforms: Sequence[Platform | str] = (), services: Sequence[str] = ()
) -> Listing:
    """Return every image that the repository names, where it comes from, and whether it is there.

    Args:
        ws: the repository.
        platforms: that bases are needed for; default the configuration's, else the engine's own.
        services: whose Dockerfiles are looked at, beside the stacks; default all.

    Raises:
        UnavailableError: the engine does not answer.
    """
    from hullwright.bases.observe import native_platform, observe_listing
    from hullwright.tools import whales

    native = native_platform(whales.info(ws.runner))
    return observe_listing(ws, _parsed(platforms), native, services)


def plan(
    ws: Workspace,
    *,
    stand_ins: bool,
    platforms: Sequence[Platform | str] = (),
    services: Sequence[str] = (),
) -> Plan:
    """Return what would make every image present; changes nothing.

    Raises:
        UnavailableError: the engine does not answer, or nothing can give an image.
    """
    from hullwright.bases.observe import native_platform, observe_listing, observe_registries
    from hullwright.bases.planning import plan_images
    from hullwright.tools import whales

    info = whales.info(ws.runner)
    seen = observe_listing(ws, _parsed(platforms), native_platform(info), services)
    return plan_images(observe_registries(ws, seen, info), stand_ins=stand_ins)


def prepare(
    ws: Workspace,
    *,
    stand_ins: bool,
    platforms: Sequence[Platform | str] = (),
    services: Sequence[str] = (),
) -> Prepared:
    """Make every image present that the repository names; return what was done.

    Args:
        ws: the repository.
        stand_ins: whether images may be built from recipes where no registry can be reached.
        platforms: that bases are needed for; default the configuration's, else the engine's own.
        services: whose Dockerfiles are looked at, beside the stacks; default all.

    Raises:
        UnavailableError: a registry refuses or lacks an image, or nothing can give it.
        LockedError: another run prepares images on this machine.
    """
    from hullwright.bases.execute import execute

    planned = plan(ws, stand_ins=stand_ins, platforms=platforms, services=services)
    done = execute(ws, planned)
    return Prepared(planned, done, listing(ws, platforms=platforms, services=services))


def lock_plan(ws: Workspace, update: Sequence[str] = ()) -> LockPlan:
    """Return what would be written to the lock; asks registries, and changes nothing.

    Args:
        ws: the repository.
        update: images that are moved, by name, repository or pattern; without any, only what is
            not locked, or does not fit any more, is asked for.

    Raises:
        UsageError: no lock to update, or a name that no Dockerfile has.
        UnavailableError: nobody gives an image.
        CheckFailedError: a stand-in that is here was made from another recipe.
    """
    from hullwright.bases.locking import observe
    from hullwright.bases.lockplan import plan_lock

    return plan_lock(observe(ws, update))


def lock_images(ws: Workspace, update: Sequence[str] = ()) -> Locked:
    """Write the lock; return what became of each image.

    Raises:
        UsageError, UnavailableError, CheckFailedError: as `lock_plan` says.
        LockedError: another run is writing the lock.
    """
    from hullwright.bases.locking import execute

    return execute(ws, lock_plan(ws, update), datetime.now(UTC).replace(microsecond=0))


def outdated(ws: Workspace) -> Outdated:
    """Return what each locked image is now beside what it was when it was locked.

    Raises:
        UsageError: there is no lock.
    """
    from hullwright.bases.locking import outdated as compared

    return compared(ws)


def stand_in_of(ws: Workspace, reference: str) -> str:
    """Return the official image that a stand-in below `reference` stands in for; empty for none.

    An image that is not in the local store is not based on one as far as this machine can tell.
    """
    from hullwright.tools import engine

    found = engine.image(ws.runner, reference)
    return found.labels.get(STAND_IN_LABEL, "") if found else ""


def is_stand_in_based(ws: Workspace, reference: str) -> bool:
    """Return whether an image of the local store is a stand-in or is built on one."""
    return bool(stand_in_of(ws, reference))


def _parsed(platforms: Sequence[Platform | str]) -> tuple[Platform, ...]:
    return tuple(p if isinstance(p, Platform) else Platform.parse(p) for p in platforms)
