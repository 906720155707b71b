"""Looking: what is needed, what the local store has, and what registries say about the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullwright import locked
from hullwright.bases.models import (
    RECIPE_LABEL,
    STAND_IN_LABEL,
    ListedImage,
    Listing,
    LocalBase,
    Observed,
)
from hullwright.bases.needs import needed
from hullwright.bases.recipes import load_recipes
from hullwright.bases.uses import named_images
from hullwright.errors import HullwrightError
from hullwright.images import Platform, Reference
from hullwright.tools import registry, whales

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from python_on_whales import SystemInfo

    from hullwright.bases.models import Origin, Recipe, State, Use
    from hullwright.tools.registry import Answer, Endpoint
    from hullwright.workspace import Workspace

    Ask = Callable[[Reference, Endpoint], Answer]


def native_platform(info: SystemInfo) -> Platform:
    """Return the platform that the engine runs by itself."""
    return Platform.parse(f"{info.os_type or 'linux'}/{info.architecture or 'x86_64'}")


def observe_listing(
    ws: Workspace,
    platforms: Sequence[Platform],
    native: Platform,
    services: Sequence[str] = (),
) -> Listing:
    """Return all images that the repository names, and whether they are there."""
    uses, built = named_images(ws, services)
    known, unknown = _split(uses)
    wanted = tuple(platforms) or ws.config.platforms or (native,)
    recipes = load_recipes(ws.root, ws.environ)
    needs = {image: _platforms(places, wanted, native) for image, places in known.items()}
    local = observe_local(ws, needs)
    lock = locked.load(ws.root)
    lockable = needed(ws, services).images if lock else {}
    listed = []
    for image in sorted(known):
        own = Reference.parse(image).repository in built
        one = _listed(image, local.get(image), recipes.get(image), built_here=own)
        entry, named = lock.find(image) if lock else None, image in lockable
        one = replace(one, uses=known[image], wanted=needs[image], locked=entry, lockable=named)
        listed.append(one)
    return Listing(tuple(listed), unknown, has_lock=lock is not None)


def observe_local(ws: Workspace, needs: Mapping[str, tuple[Platform, ...]]) -> dict[str, LocalBase]:
    """Return the images of the local store among `needs`, with those platforms of theirs."""
    found = {}
    for image, inspected in whales.images(ws.runner, needs).items():
        if inspected is not None:
            # Without a platform the store tells of this machine's own if it has it.
            own = Platform.parse(inspected.platform) if inspected.platform else None
            platforms = tuple(p for p in needs[image] if p == own or _has_platform(ws, image, p))
            labels = inspected.labels
            found[image] = LocalBase(
                platforms, labels.get(STAND_IN_LABEL, ""), labels.get(RECIPE_LABEL, "")
            )
    return found


def observe_registries(
    ws: Workspace, listing: Listing, info: SystemInfo, ask: Ask = registry.ask
) -> Observed:
    """Return the listing with what registries say about each image that it lacks.

    The mirror of the configuration is asked first, and nobody is asked twice who did not answer.
    """
    mirror = ws.config.build.mirror.rstrip("/").removeprefix("https://")
    silent: dict[str, Answer] = {}
    answers: dict[str, tuple[Answer, ...]] = {}
    stale = (image for image in listing.images if image.state == "stale")
    for listed in (*listing.missing, *stale):
        said: list[Answer] = []
        for reference, endpoint in _places(listed.image, mirror, info):
            answer = silent.get(endpoint.address) or ask(reference, endpoint)
            if answer.verdict == "unreachable":
                silent[endpoint.address] = answer
            said.append(answer)
            if answer.verdict == "present":
                break
        answers[listed.image] = tuple(said)
    return Observed(listing, load_recipes(ws.root, ws.environ), answers, mirror)


def mirrored(image: str, mirror: str) -> str:
    """Return the name under which a mirror has an image."""
    reference = Reference.parse(image)
    tag = f":{reference.tag}" if reference.tag else ""
    digest = f"@{reference.digest}" if reference.digest else ""
    return f"{mirror}/{reference.path}{tag}{digest}"


def _places(image: str, mirror: str, info: SystemInfo) -> Iterable[tuple[Reference, Endpoint]]:
    reference = Reference.parse(image)
    if mirror:
        copy = Reference.parse(mirrored(image, mirror))
        yield from ((copy, endpoint) for endpoint in registry.endpoints(copy, info))
    yield from ((reference, endpoint) for endpoint in registry.endpoints(reference, info))


def _split(uses: Iterable[Use]) -> tuple[dict[str, tuple[Use, ...]], tuple[Use, ...]]:
    known: dict[str, tuple[Use, ...]] = {}
    unknown: list[Use] = []
    for use in uses:
        try:
            Reference.parse(use.image)
        except HullwrightError:
            unknown.append(use)
            continue
        if use.missing:
            unknown.append(use)
        else:
            known[use.image] = (*known.get(use.image, ()), use)
    return known, tuple(unknown)


def _platforms(
    uses: Iterable[Use], wanted: Iterable[Platform], native: Platform
) -> tuple[Platform, ...]:
    if all(use.native for use in uses):
        return (native,)
    return tuple(dict.fromkeys(wanted))


def _has_platform(ws: Workspace, image: str, platform: Platform) -> bool:
    # python-on-whales cannot ask for a platform; the engine can since API 1.49.
    words = ("docker", "image", "inspect", "--format", "{{.Id}}", "--platform", str(platform))
    return ws.runner.read(*words, image, check=False).ok


def _listed(
    image: str, local: LocalBase | None, recipe: Recipe | None, *, built_here: bool
) -> ListedImage:
    origin: Origin = "registry"
    if built_here:
        origin = "built here"
    elif local and local.stand_in == image:
        origin = "stand-in"
    state: State = "present" if local else "missing"
    if local and recipe and origin == "stand-in" and local.recipe_digest != recipe.digest:
        state = "stale"
    return ListedImage(
        image=image,
        state=state,
        origin=origin,
        platforms=local.platforms if local else (),
        recipe=recipe.name if recipe else "",
        stand_in_of=local.stand_in if local else "",
    )
