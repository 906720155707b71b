"""Base images: what Dockerfiles and compose files name, and how it becomes present.

`listing` looks. `prepare` takes what is lacking from the registry that a reference names, or from
`[build] mirror`; where no registry can be reached it builds stand-ins of the same names from
Debian's packages, if that was asked for. A stand-in is labelled with the official reference, and
whatever is built on one inherits the label.

Recipes are read from the repository itself (`deploy/base-images/NAME/recipe.toml`, a Dockerfile,
hooks) and from the folders that `HULLWRIGHT_STAND_INS` names; the package brings none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.bases.execute import execute
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
from hullwright.bases.observe import (
    native_platform,
    observe_listing,
    observe_registries,
)
from hullwright.bases.plan import plan_images
from hullwright.bases.recipes import load_recipes
from hullwright.images import Platform
from hullwright.tools import engine, whales

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.workspace import Workspace

__all__ = [
    "Build",
    "Done",
    "ListedImage",
    "Listing",
    "Plan",
    "Prepared",
    "Pull",
    "Recipe",
    "Use",
    "is_stand_in_based",
    "listing",
    "load_recipes",
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
    planned = plan(ws, stand_ins=stand_ins, platforms=platforms, services=services)
    done = execute(ws, planned)
    return Prepared(planned, done, listing(ws, platforms=platforms, services=services))


def stand_in_of(ws: Workspace, reference: str) -> str:
    """Return the official image that a stand-in below `reference` stands in for; empty for none.

    An image that is not in the local store is not based on one as far as this machine can tell.
    """
    found = engine.image(ws.runner, reference)
    return found.labels.get(STAND_IN_LABEL, "") if found else ""


def is_stand_in_based(ws: Workspace, reference: str) -> bool:
    """Return whether an image of the local store is a stand-in or is built on one."""
    return bool(stand_in_of(ws, reference))


def _parsed(platforms: Sequence[Platform | str]) -> tuple[Platform, ...]:
    return tuple(p if isinstance(p, Platform) else Platform.parse(p) for p in platforms)
