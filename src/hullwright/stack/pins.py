"""Which recorded image belongs to which compose service, and how it is pinned to the digest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright import recorded
from hullwright.errors import CheckFailedError, UsageError
from hullwright.images import Reference
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.config.models import Config, Service
    from hullwright.recorded import RecordedImage
    from hullwright.tools.compose import ComposeService, Model
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Pin:
    """An image that a compose service gets, to the digest.

    Attributes:
        service: compose service.
        image: what is written into the override.
        recorded: the build's record of it.
        local: whether the local store holds exactly it.
    """

    service: str
    image: str
    recorded: RecordedImage
    local: bool = True

    @property
    def text(self) -> str:
        """The image for people: name, tag, and the digest's first digits."""
        return f"{self.recorded.reference}@{self.recorded.digest[:19]}"


def built_by(config: Config, root: Path, service: ComposeService) -> Service | None:
    """Return the configured service whose Dockerfile or image a compose service names."""
    for candidate in config.services.values():
        if service.build and _same_file(root, candidate, service):
            return candidate
    if not service.image:
        return None
    try:
        repository = Reference.parse(service.image).repository
    except UsageError:
        return None
    names = {_repository(config, c): c for c in config.services.values()}
    return names.get(repository)


def pins(ws: Workspace, model: Model, services: Iterable[str]) -> tuple[Pin, ...]:
    """Return the pins of those services that are built here.

    Raises:
        CheckFailedError: an image was not built yet, or what was built is gone; all are listed.
    """
    images = recorded.load(ws)
    wanted: dict[str, RecordedImage] = {}
    unbuilt: list[tuple[str, str]] = []
    for name in services:
        service = made_by(model, model.services[name])
        builder = built_by(ws.config, ws.root, service)
        image = _recorded(builder, service, images) if builder else None
        if image is not None:
            wanted[name] = image
        elif service.build is not None:
            unbuilt.append((name, builder.name if builder else service.name))
    if unbuilt:
        raise _not_built(unbuilt)
    return _resolved(ws, wanted)


def made_by(model: Model, service: ComposeService) -> ComposeService:
    """Return the service whose build section makes an image: itself, or one that shares it.

    Compose files build an image in one place and name it in others, such as a migration's.
    """
    if service.build is not None or not service.image:
        return service
    sharing = (each for each in model.services.values() if each.image == service.image)
    return next((each for each in sharing if each.build is not None), service)


def _resolved(ws: Workspace, wanted: Mapping[str, RecordedImage]) -> tuple[Pin, ...]:
    """Return pins in the form that this store resolves.

    With the containerd store an image is known by its manifest's digest, under its name too. The
    classic store knows what was built locally only by its id, which is what the build reported.
    """
    forms = {name: (_named(image), image.digest) for name, image in wanted.items()}
    local = engine.images(ws.runner, [form for pair in forms.values() for form in pair])
    found = []
    gone = []
    for name, image in wanted.items():
        form = next((form for form in forms[name] if local[form]), None)
        # Without a registry an image is only ever here; with one, the pin says what to fetch.
        if form is None and not ws.config.registry:
            gone.append((name, f"{image.reference} {image.digest[:19]}"))
        found.append(Pin(name, form or forms[name][0], image, local=form is not None))
    if gone:
        raise CheckFailedError(
            "what was built is no longer in the local store",
            why=gone,
            next_step="invoke build",
        )
    return tuple(found)


def _named(image: RecordedImage) -> str:
    return f"{image.reference.partition('@')[0]}@{image.digest}"


def _recorded(
    builder: Service, service: ComposeService, images: Mapping[tuple[str, str], RecordedImage]
) -> RecordedImage | None:
    asked = service.build.target if service.build and service.build.target else None
    if asked is not None:
        return images.get((builder.name, asked))
    return images.get((builder.name, builder.default_target)) or images.get((builder.name, ""))


def _same_file(root: Path, candidate: Service, service: ComposeService) -> bool:
    if service.build is None:
        return False
    theirs = Path(service.build.context, service.build.dockerfile)
    ours = root / candidate.dockerfile
    inside = root / candidate.context / candidate.dockerfile
    return os.path.normpath(theirs) in {os.path.normpath(ours), os.path.normpath(inside)}


def _repository(config: Config, service: Service) -> str:
    name = service.image or service.name
    text = f"{config.registry}/{name}" if config.registry else name
    try:
        return Reference.parse(text).repository
    except UsageError:
        return text


def _not_built(unbuilt: list[tuple[str, str]]) -> CheckFailedError:
    names = ",".join(dict.fromkeys(service for _, service in unbuilt))
    return CheckFailedError(
        f"not built yet: {', '.join(name for name, _ in unbuilt)}",
        why="the stack is started from what `build` recorded, and nothing is recorded for it",
        next_step=f"invoke build --service {names}",
    )
