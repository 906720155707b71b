"""Which recorded image belongs to which compose service, and how it is pinned to the digest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright import recorded
from hullwright.config.composefile import REMOTE
from hullwright.errors import CheckFailedError, UsageError
from hullwright.images import Reference, shortened
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        return shortened(f"{self.recorded.reference}@{self.recorded.digest}")


def built_by(config: Config, root: Path, service: ComposeService) -> Service | None:
    """Return the configured service whose Dockerfile or image a compose service names.

    Of several with one Dockerfile it is the one whose image it names, else its context, else the
    one of its own name.
    """
    sharing = [
        c for c in config.services.values() if service.build and _same_file(root, c, service)
    ]
    named = _named_by(config, service)
    if not sharing or named in sharing:
        return named
    with_context = [c for c in sharing if _same_context(root, c, service)] or sharing
    own = (candidate for candidate in with_context if candidate.name == service.name)
    return next(own, with_context[0])


def _named_by(config: Config, service: ComposeService) -> Service | None:
    """Return the configured service whose image a compose service names."""
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
    unbuilt: list[_Unbuilt] = []
    for name in services:
        service = made_by(model, model.services[name])
        builder = built_by(ws.config, ws.root, service)
        image = _recorded(builder, service, images) if builder else None
        if image is not None:
            wanted[name] = image
        elif service.build is not None and not _left_to_compose(service):
            unbuilt.append(_Unbuilt(name, service, builder))
    if unbuilt:
        raise _not_built(ws, unbuilt)
    return _resolved(ws, wanted)


def composed(ws: Workspace, model: Model, services: Iterable[str], project: str) -> dict[str, str]:
    """Return the images that only Compose builds, by the service that runs each.

    It is left what has an inline Dockerfile or a remote context; an image without a name has the
    one that Compose gives it in `project`.
    """
    found = {}
    for name in services:
        maker = made_by(model, model.services[name])
        if _left_to_compose(maker) and built_by(ws.config, ws.root, maker) is None:
            found[name] = maker.image or f"{project}-{maker.name}"
    return found


def _left_to_compose(service: ComposeService) -> bool:
    build = service.raw.get("build") or {}
    return "dockerfile_inline" in build or bool(REMOTE.match(build.get("context") or ""))


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
            next_step=f"invoke build{' --load' if ws.config.build.builder else ''}",
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
    if service.build is None or _left_to_compose(service):
        return False
    theirs = Path(service.build.context, service.build.dockerfile)
    ours = root / candidate.dockerfile
    inside = root / candidate.context / candidate.dockerfile
    return os.path.normpath(theirs) in {os.path.normpath(ours), os.path.normpath(inside)}


def _same_context(root: Path, candidate: Service, service: ComposeService) -> bool:
    theirs = service.build.context if service.build else ""
    return os.path.normpath(theirs) == os.path.normpath(root / candidate.context)


def _repository(config: Config, service: Service) -> str:
    name = service.image or service.name
    text = f"{config.registry}/{name}" if config.registry else name
    try:
        return Reference.parse(text).repository
    except UsageError:
        return text


@dataclass(frozen=True, slots=True)
class _Unbuilt:
    """A compose service without a recorded image: what makes it, and whose Dockerfile that is."""

    name: str
    maker: ComposeService
    builder: Service | None

    @property
    def stage(self) -> str:
        """The stage that has to be asked for by name; empty where a plain build makes it."""
        asked = self.maker.build.target if self.maker.build else ""
        return "" if self.builder is None or asked == self.builder.default_target else asked


def _not_built(ws: Workspace, unbuilt: Sequence[_Unbuilt]) -> CheckFailedError:
    told = "the stack is started from what `build` recorded"
    why: list[tuple[str, str]] = []
    by_stage: dict[str, list[str]] = {}
    for each in unbuilt:
        if each.builder is None:
            why.append((each.name, f"{told}, and no configured service builds it"))
            continue
        by_stage.setdefault(each.stage, []).append(each.builder.name)
        stage = f"its stage {each.stage}" if each.stage else "nothing"
        why.append((each.name, f"{told}, and {stage} is {'not ' * bool(each.stage)}recorded"))
    steps = [
        f"invoke build --service {','.join(dict.fromkeys(names))}"
        + (f" --target {stage}" if stage else "")
        + (" --load" if ws.config.build.builder else "")
        for stage, names in by_stage.items()
    ]
    steps += [_configure(ws, each.maker) for each in unbuilt if each.builder is None]
    return CheckFailedError(
        f"not built yet: {', '.join(each.name for each in unbuilt)}",
        why=why,
        next_step="\n".join(dict.fromkeys(steps)),
        cause="image-missing",
    )


def _configure(ws: Workspace, service: ComposeService) -> str:
    """Return what makes a compose service's build known: services are configured, so none is found.

    Without a configured service each build section is found by itself.
    """
    build = service.build
    if build is None:
        return ""
    file = os.path.relpath(Path(build.context, build.dockerfile), ws.root)
    context = os.path.relpath(build.context, ws.root)
    return (
        f"add [tool.hullwright.services.{service.name}] "
        f'with dockerfile = "{file}", context = "{context}"; '
        f"then: invoke build --service {service.name}"
    )
