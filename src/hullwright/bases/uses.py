"""Which images a repository names: in the Dockerfiles of its services and in its compose files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.bases.models import Use
from hullwright.config.composefile import read_images
from hullwright.errors import HullwrightError, unknown
from hullwright.images import Reference
from hullwright.locked import full_name
from hullwright.tools.attestations import DEFAULT_GENERATOR
from hullwright.tools.dockerfile import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.config.models import Service, Stack
    from hullwright.tools.dockerfile import ImageUse
    from hullwright.workspace import Workspace


_IMAGE: Final = "docker-image://"


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
    uses.extend(_of_attestations(ws))
    return tuple(dict.fromkeys(uses)), frozenset(built)


def _of_attestations(ws: Workspace) -> Iterator[Use]:
    """Yield the image that lists packages where an SBOM is attached to what is pushed."""
    build = ws.config.build
    if "sbom" in build.attestations:
        generator = build.sbom_generator or DEFAULT_GENERATOR
        yield Use(full_name(generator), "[build] attestations: sbom", native=True)


def _of_service(ws: Workspace, service: Service) -> Iterator[Use]:
    # A name that stands for something else in this Dockerfile is no image of that name.
    given = {full_name(name): value for name, value in service.contexts.items()}
    for use in in_dockerfile(ws, service):
        if full_name(use.image) in given:
            image = given[full_name(use.image)].removeprefix(_IMAGE)
            if given[full_name(use.image)].startswith(_IMAGE):
                yield Use(full_name(image), f"services.{service.name}.contexts", use.missing)
            continue
        place = f"{service.dockerfile}:{use.line} {use.kind}"
        yield Use(full_name(use.image), place, use.missing, "BUILDPLATFORM" in use.platform)


def in_dockerfile(
    ws: Workspace, service: Service, build_args: Mapping[str, str] | None = None
) -> tuple[ImageUse, ...]:
    """Return what the targets of a service take from images, by line; nothing without a Dockerfile.

    Args:
        ws: the repository.
        service: whose Dockerfile is looked at.
        build_args: that win over the service's own.
    """
    path = ws.root / service.dockerfile
    if not path.is_file():
        return ()  # a build says so; a listing goes on with what there is
    dockerfile = read(path)
    given = {**service.build_args, **(build_args or {})}
    # The last stage may have no name beside others that have one: it is listed as an empty text.
    targets = [target for target in service.targets if not target or target in dockerfile.stages]
    found: dict[tuple[int, str], ImageUse] = {}
    for target in targets or [""]:
        for use in dockerfile.images(given, target=target):
            found[use.line, use.image] = use
    return tuple(sorted(found.values(), key=lambda use: use.line))


def _of_stack(ws: Workspace, stack: Stack) -> tuple[list[Use], set[str]]:
    images = read_images(ws.root, stack.files, ws.environ)
    where = ", ".join(stack.files)
    uses = [
        Use(full_name(image.image), f"{where}: {image.service}", native=True)
        for image in images
        if image.image
    ]
    return uses, {_repository(image.image) for image in images if image.built and image.image}


def _repository(image: str) -> str:
    try:
        return Reference.parse(image).repository
    except HullwrightError:
        return image
