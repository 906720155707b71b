"""Which images a repository names: in the Dockerfiles of its services and in its compose files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.bases.models import Use
from hullwright.config.composefile import read_images
from hullwright.errors import HullwrightError, unknown
from hullwright.images import Reference
from hullwright.tools.dockerfile import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullwright.config.models import Service, Stack
    from hullwright.tools.dockerfile import ImageUse
    from hullwright.workspace import Workspace


def named_images(
    ws: Workspace, services: Sequence[str] = ()
) -> tuple[tuple[Use, ...], frozenset[str]]:
    """Return every use of an image, and the repositories of images that are built here.

    Args:
        ws: the repository.
        services: the ones whose Dockerfiles are looked at; all where none is given.

    Raises:
        UsageError: a service that is not configured.
    """
    for name in services:
        if name not in ws.config.services:
            raise unknown("service", name, ws.config.services)
    uses: list[Use] = []
    built = {service.image for service in ws.config.services.values() if service.image}
    built |= {f"{ws.config.registry}/{name}" for name in built if ws.config.registry}
    for service in ws.config.services.values():
        if not services or service.name in services:
            uses.extend(_of_service(ws, service))
    for stack in ws.config.stacks.values():
        found, own = _of_stack(ws, stack)
        uses.extend(found)
        built |= own
    return tuple(dict.fromkeys(uses)), frozenset(built)


def _of_service(ws: Workspace, service: Service) -> Iterator[Use]:
    path = ws.root / service.dockerfile
    if not path.is_file():
        return  # a build says so; a listing goes on with what there is
    dockerfile = read(path)
    # The last stage may have no name beside others that have one: it is listed as an empty text.
    targets = [target for target in service.targets if not target or target in dockerfile.stages]
    found: dict[tuple[int, str], ImageUse] = {}
    for target in targets or [""]:
        for use in dockerfile.images(service.build_args, target=target):
            found[use.line, use.image] = use
    for use in sorted(found.values(), key=lambda use: use.line):
        place = f"{service.dockerfile}:{use.line} {use.kind}"
        yield Use(_normal(use.image), place, use.missing, "BUILDPLATFORM" in use.platform)


def _of_stack(ws: Workspace, stack: Stack) -> tuple[list[Use], set[str]]:
    images = read_images(ws.root, stack.files, ws.environ)
    where = ", ".join(stack.files)
    uses = [
        Use(_normal(image.image), f"{where}: {image.service}", native=True)
        for image in images
        if image.image
    ]
    return uses, {_repository(image.image) for image in images if image.built and image.image}


def _normal(image: str) -> str:
    try:
        reference = Reference.parse(image)
    except HullwrightError:
        return image
    tagged = reference.tag or reference.digest
    return f"{reference}" if tagged else f"{reference}:latest"


def _repository(image: str) -> str:
    try:
        return Reference.parse(image).repository
    except HullwrightError:
        return image
