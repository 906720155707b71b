"""Which base images Dockerfiles name, as far as a lock is about them: looked at in files alone.

Images that only compose files name are run, not built on; what is built here has no digest before
it is built; a digest that a Dockerfile writes itself is locked there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.bases.uses import in_dockerfile
from hullwright.errors import UsageError, unknown
from hullwright.images import Platform, Reference
from hullwright.locked import full_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from hullwright.config.models import Service
    from hullwright.tools.dockerfile import ImageUse
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Need:
    """A base image that Dockerfiles name.

    Attributes:
        image: its name, the tag written.
        places: where it is named, such as `Dockerfile:11 FROM`.
        platforms: that it is needed for where somebody says so; empty is the builder's own.
    """

    image: str
    places: tuple[str, ...]
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """What Dockerfiles name.

    Attributes:
        images: by name.
        unclear: places whose image depends on what only a build knows, with what they write.
    """

    images: Mapping[str, Need]
    unclear: tuple[tuple[str, str], ...] = ()


def needed(
    ws: Workspace,
    services: Sequence[str] = (),
    platforms: Iterable[str] = (),
    build_args: Mapping[str, str] | None = None,
) -> Needs:
    """Return the base images that Dockerfiles name, in the order of their names.

    Args:
        ws: the repository.
        services: whose Dockerfiles are looked at; default all.
        platforms: that are built for; default those of the service, else of the configuration.
        build_args: that win over those of each service.

    Raises:
        UsageError: a service that is not configured, or a text that is no platform.
    """
    for name in services:
        if name not in ws.config.services:
            raise unknown("service", name, ws.config.services)
    asked = [f"{Platform.parse(text)}" for text in platforms]
    uses = {s.name: in_dockerfile(ws, s, build_args) for s in ws.config.services.values()}
    own = _made_here(ws, uses)
    places: dict[str, list[str]] = defaultdict(list)
    wanted: dict[str, list[str]] = defaultdict(list)
    unclear: list[tuple[str, str]] = []
    for service in ws.config.services.values():
        if services and service.name not in services:
            continue
        goals = asked or [f"{each}" for each in service.platforms or ws.config.platforms]
        for use in uses[service.name]:
            place = f"{service.dockerfile}:{use.line} {use.kind}"
            image = _name(use)
            if image is None:
                unclear.append((place, use.image or "an image"))
            elif image and not _given(service, image, own[service.name]):
                places[image].append(place)
                wanted[image] += _platforms(use, goals)
    found = {
        name: Need(name, tuple(dict.fromkeys(places[name])), tuple(dict.fromkeys(wanted[name])))
        for name in sorted(places)
    }
    return Needs(found, tuple(dict.fromkeys(unclear)))


def _name(use: ImageUse) -> str | None:
    """Return the name that is locked; empty where it needs no lock, None where it is not known."""
    if use.missing or "$" in use.image:
        return None
    try:
        reference = Reference.parse(use.image)
    except UsageError:
        return ""  # the name of a build context, in upper case; or BuildKit says what is wrong
    return "" if reference.digest else full_name(use.image)


def _platforms(use: ImageUse, goals: Sequence[str]) -> Iterator[str]:
    if not use.platform or "TARGETPLATFORM" in use.platform:
        yield from goals
    elif "$" not in use.platform:
        yield f"{Platform.parse(use.platform)}"


def _made_here(
    ws: Workspace, uses: Mapping[str, Sequence[ImageUse]]
) -> Mapping[str, Collection[str]]:
    """Return the repositories that are made here, for each service those of the others.

    A service that is itself built on an image of its name, as one's own `redis` on the public one,
    leaves that name to the public one; so does the build.
    """
    made: dict[str, set[str]] = {}
    for service in ws.config.services.values():
        names = {_repository(name) for name in _images(ws, service)}
        made[service.name] = names - {_repository(use.image) for use in uses[service.name]}
    return {
        name: frozenset().union(*(found for other, found in made.items() if other != name))
        for name in made
    }


def _given(service: Service, image: str, made_here: Collection[str]) -> bool:
    """Return whether an image comes from a sibling, or from a context that is configured."""
    contexts = {full_name(name) for name in service.contexts}
    return image in contexts or _repository(image) in made_here


def _images(ws: Workspace, service: Service) -> Iterator[str]:
    own = service.image or service.name.lower()
    yield own
    if ws.config.registry:
        yield f"{ws.config.registry}/{own}"


def _repository(image: str) -> str:
    try:
        return Reference.parse(image).repository
    except UsageError:
        return image
