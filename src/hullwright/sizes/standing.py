"""What images are built on: the layers of their base, asked of the store, or of the registry.

Whichever image is found, its layers count as the base's only where the measured image begins with
them: a tag may have moved since, and a Dockerfile may have changed. Where the base is gone, as
after each of its updates, the image's own layers are told by the steps of its Dockerfile.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError
from hullwright.images import Platform, Reference
from hullwright.recorded import load
from hullwright.sizes.origin import begins_with, own_layers
from hullwright.tools import dockerfile
from hullwright.tools.dockerfile import substitute
from hullwright.tools.lineage import lineage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullwright.sizes.choosing import Place, Registries
    from hullwright.sizes.models import Figures, Subject
    from hullwright.tools.dockerfile import Dockerfile, Stage
    from hullwright.workspace import Workspace

_SCRATCH: Final = "scratch"
_SERVICE: Final = "service:"
_IMAGE: Final = "docker-image://"
_FORMAT: Final = "[{{json .Os}},{{json .Architecture}},{{json .RootFS.Layers}}]"


@dataclass(frozen=True, slots=True)
class Written:
    """The Dockerfile that an image is built by, as it is now.

    Attributes:
        stage: the name of the stage that the image is; empty for the last.
        arguments: what the configuration gives it.
        final: whether this is what is shipped, no stage for developing or testing.
        contexts: what names of images stand for.
    """

    dockerfile: Dockerfile
    stage: str
    arguments: Mapping[str, str]
    final: bool
    contexts: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> tuple[Stage, ...]:
        """The stage and those that it starts from, itself first."""
        return lineage(self.dockerfile, self.stage, self.arguments)

    @property
    def base(self) -> str:
        """The image that the lowest stage starts from; empty where that is not certain."""
        values = self.dockerfile.values(self.arguments)
        found = substitute(self.line[-1].base, values)
        return "" if found.missing or "$" in found.text else found.text


@dataclass(frozen=True, slots=True)
class Base:
    """What is known of the image that one is built on.

    Attributes:
        diff_ids: of its layers; None where they are not known.
        problem: why they are not; empty where they are.
    """

    diff_ids: tuple[str, ...] | None
    problem: str = ""


@dataclass
class Bases:
    """Finds what images are built on; each base is asked for once."""

    ws: Workspace
    registries: Registries
    _known: dict[tuple[str, str, bool], tuple[str, ...] | None] = field(default_factory=dict)
    _written: dict[tuple[str, str], Written | None] = field(default_factory=dict)

    def written(self, subject: Subject) -> Written | None:
        """Return the Dockerfile of an image; None for an image of no service."""
        key = (subject.service, subject.target)
        if key not in self._written:
            self._written[key] = self._read(*key)
        return self._written[key]

    def _read(self, service_name: str, target: str) -> Written | None:
        service = self.ws.config.services.get(service_name)
        path = self.ws.root / service.dockerfile if service else self.ws.root
        if service is None or not path.is_file():
            return None
        with suppress(HullwrightError):
            parsed = dockerfile.read(path)
            if target and parsed.index_of(target, len(parsed.all_stages)) is None:
                return None
            final = target == service.default_target
            return Written(parsed, target, service.build_args, final, service.contexts)
        return None

    def of(self, subject: Subject, figures: Figures, place: Place) -> Base:
        """Return what is known of the base of one platform's image.

        Args:
            subject: the image.
            figures: what it says itself.
            place: where it is; a registry is asked only for what is built on what it has.
        """
        tried: list[str] = []
        for name in self._names(subject, figures):
            if name == _SCRATCH:
                return Base(())
            diff_ids = self._layers(name, figures.platform, subject, place)
            if diff_ids and begins_with(figures.layers, diff_ids):
                return Base(diff_ids)
            where = "the local store"
            if self._asks(name, subject, place):
                where += ", nor in the registry"
            tried.append(f"{name} is {'another one now' if diff_ids else f'not in {where}'}")
        written = self.written(subject)
        count = own_layers(figures.layers, written.line) if written else None
        if count is not None:
            return Base(tuple(layer.diff_id for layer in figures.layers[:-count]))
        if not tried:
            return Base(None, "the image does not say what it is built on")
        return Base(None, f"which layers are the base's is not known: {'; '.join(tried)}")

    def _names(self, subject: Subject, figures: Figures) -> Iterator[str]:
        """Yield what the image may be built on, the surest first."""
        written = self.written(subject)
        sibling = self._sibling(written) if written else None
        if sibling is not None:
            # A label would be the one of the sibling, which tells of the sibling's own base.
            yield sibling
            return
        named = figures.base_name.partition("@")[0]
        if figures.base:
            yield f"{_repository(named)}@{figures.base}" if named else figures.base
        yield from dict.fromkeys(name for name in (written.base if written else "", named) if name)

    def _sibling(self, written: Written) -> str | None:
        """Return what stands in for the base image: a context's image or a sibling's; else None."""
        contexts = {_familiar(name): value for name, value in written.contexts.items()}
        context = contexts.get(_familiar(written.base), "")
        if context.startswith(_IMAGE):
            return context.removeprefix(_IMAGE)
        if context and not context.startswith(_SERVICE):
            # A folder or an address, whose image has no name.
            return context
        maker = context.removeprefix(_SERVICE) or _repository(written.base)
        for name, service in self.ws.config.services.items():
            if maker in {name, service.image} and (context or maker):
                return self._recorded.get((name, service.default_target), f"the image of {name}")
        return None

    @cached_property
    def _recorded(self) -> Mapping[tuple[str, str], str]:
        with suppress(HullwrightError):
            return {key: image.digest or image.reference for key, image in load(self.ws).items()}
        return {}

    def _asks(self, name: str, subject: Subject, place: Place) -> bool:
        """Return whether a registry may be asked: only the one that the image came from."""
        return place == "registry" and _domain(name) == _domain(subject.reference)

    def _layers(
        self, name: str, platform: str, subject: Subject, place: Place
    ) -> tuple[str, ...] | None:
        asks = self._asks(name, subject, place)
        key = (name, platform, asks)
        if key not in self._known:
            self._known[key] = self._stored(name, platform) or (
                self._registered(name, platform) if asks else None
            )
        return self._known[key]

    def _stored(self, name: str, platform: str) -> tuple[str, ...] | None:
        """Return the layers of an image of the local store; None where it has none."""
        wanted = Platform.parse(platform)
        # A store that holds several platforms shows its own one unless it is asked for another.
        for options in ((), ("--platform", platform)):
            argv = ("docker", "image", "inspect", *options, "--format", _FORMAT)
            for known_as in (name, name.rpartition("@")[2] if "@" in name else ""):
                if not known_as:
                    continue
                with suppress(HullwrightError, ValueError):
                    answer = self.ws.runner.read(*argv, known_as, check=False)
                    os, arch, layers = json.loads(answer.stdout) if answer.ok else ("", "", None)
                    if (os, arch) == (wanted.os, wanted.arch):
                        return tuple(layers or ())
        return None

    def _registered(self, name: str, platform: str) -> tuple[str, ...] | None:
        from hullwright.sizes import sources

        with suppress(HullwrightError):
            reference = Reference.parse(name)
            found = sources.of_registry(self.registries.client(reference.domain), reference)
            for image in found[1].images() if found else ():
                if str(image.platform) == platform:
                    return tuple(layer.diff_id for layer in image.layers)
        return None


def _familiar(name: str) -> str:
    """Return a name as contexts are looked up: `docker.io/library/x:latest` is `x`."""
    with suppress(HullwrightError):
        reference = Reference.parse(name)
        if not reference.digest:
            tag = reference.tag if reference.tag != "latest" else ""
            return f"{reference.repository}:{tag}" if tag else reference.repository
    return name


def _repository(name: str) -> str:
    with suppress(HullwrightError):
        return Reference.parse(name).repository
    return name


def _domain(name: str) -> str:
    with suppress(HullwrightError):
        return Reference.parse(name).domain
    return ""
