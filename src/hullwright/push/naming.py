"""Gives what was built another tag in the local store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright import recorded
from hullwright.errors import CheckFailedError, UsageError, unknown
from hullwright.images import Reference
from hullwright.push.models import short
from hullwright.push.promoting import check_tag
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.config.models import Service
    from hullwright.recorded import RecordedImage
    from hullwright.tools.engine import LocalImage
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Naming:
    """A tag of the local store, and what it is to name.

    Attributes:
        image: the recorded image.
        source: how the store knows that image.
        name: repository and tag that it gets.
        before: id of what that names now; empty where there is none.
        done: whether it names this image already.
    """

    image: RecordedImage
    source: str
    name: str
    before: str = ""
    done: bool = False

    @property
    def cause(self) -> str:
        """Why there is something to do, or not."""
        if self.done:
            return "already there"
        return f"was {short(self.before)}" if self.before else "new"


@dataclass(frozen=True, slots=True)
class NamePlan:
    """The tags that recorded images get; what came of it says the same."""

    namings: tuple[Naming, ...]

    def text(self) -> str:
        """Return the plan for a person; stable, so tests assert it."""
        count = len(self.namings)
        width = max((len(naming.name) for naming in self.namings), default=0)
        return "\n".join(
            [
                f"tag {count} image{'' if count == 1 else 's'} in the local store",
                "",
                *(
                    f"  {one.name:<{width}}  {short(one.image.digest)}  {one.cause}"
                    for one in self.namings
                ),
            ]
        )


def plan(ws: Workspace, tag: str, *, services: Sequence[str] = (), target: str = "") -> NamePlan:
    """Return what recorded images are to be called, and what has these names now.

    Args:
        ws: the repository.
        tag: that they get; a stage that is not its service's default adds its name.
        services: only images of these.
        target: their stage; empty for the default one of each.

    Raises:
        UsageError: the tag is none, or a service is not known.
        CheckFailedError: one was not built, or is gone.
    """
    check_tag(tag)
    chosen = _recorded(ws, services, target)
    names = {key: _name(ws.config.services[key[0]], image, tag) for key, image in chosen.items()}
    _check_unique(names)
    forms = {key: (_named(image), image.digest) for key, image in chosen.items()}
    asked = [*names.values(), *(form for pair in forms.values() for form in pair)]
    local = engine.images(ws.runner, asked)
    sources = {key: next((f for f in pair if local[f]), "") for key, pair in forms.items()}
    gone = [image for key, image in chosen.items() if not sources[key]]
    if gone:
        raise CheckFailedError(
            "what was built is no longer in the local store",
            why=[(image.service, f"{image.reference} {short(image.digest)}") for image in gone],
            next_step="invoke build, or: invoke pull",
        )
    return NamePlan(
        tuple(
            _naming(image, sources[key], names[key], local[sources[key]], local[names[key]])
            for key, image in chosen.items()
        )
    )


def execute(ws: Workspace, plan: NamePlan) -> NamePlan:
    """Give the images their names, and return the plan, which says what names what now.

    Raises:
        UnavailableError: the engine does not answer.
        CommandError: it refuses.
    """
    for naming in plan.namings:
        if not naming.done:
            engine.check_reachable(ws.runner.run("docker", "tag", naming.source, naming.name))
    return plan


def _naming(
    image: RecordedImage,
    source: str,
    name: str,
    own: LocalImage | None,
    there: LocalImage | None,
) -> Naming:
    before = there.id if there else ""
    return Naming(image, source, name, before, done=own is not None and before == own.id)


def _recorded(
    ws: Workspace, services: Sequence[str], target: str
) -> dict[tuple[str, str], RecordedImage]:
    configured = ws.config.services
    for service in services:
        if service not in configured:
            raise unknown("service", service, configured)
    images = recorded.load(ws)
    keys = [
        (name, target or service.default_target)
        for name, service in configured.items()
        if not services or name in services
    ]
    # Of all services those that were built are meant; of named ones, each.
    missing = [key for key in keys if key not in images and (services or len(keys) == 1)]
    found = {key: images[key] for key in keys if key in images}
    if missing or not found:
        raise _not_built(missing or keys, images)
    return found


def _not_built(
    keys: Sequence[tuple[str, str]], images: Mapping[tuple[str, str], RecordedImage]
) -> CheckFailedError:
    stages = sorted({target for service, target in images if target and (service, target)})
    others = f"recorded are the stages {', '.join(stages)}" if stages else "nothing is recorded"
    names = ", ".join(" ".join(part for part in key if part) for key in keys)
    return CheckFailedError(
        f"not built yet: {names}",
        why=others,
        next_step="invoke build, invoke pull, or name a recorded stage with --target",
    )


def _named(image: RecordedImage) -> str:
    return f"{image.reference.partition('@')[0]}@{image.digest}"


def _name(service: Service, image: RecordedImage, tag: str) -> str:
    suffix = "" if image.target == service.default_target else f"-{image.target}"
    check_tag(f"{tag}{suffix}")
    return f"{Reference.parse(image.reference).repository}:{tag}{suffix}"


def _check_unique(names: Mapping[tuple[str, str], str]) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for key, name in names.items():
        if name in seen:
            raise UsageError(
                f"{name} would be the name of two images",
                why=[("one", " ".join(seen[name])), ("other", " ".join(key))],
                next_step="tag them one by one with --service, or give each an image of its own",
            )
        seen[name] = key
