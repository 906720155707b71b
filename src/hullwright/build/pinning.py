"""Base images that the repository's lock pins: builds take them by digest, whatever tags mean now.

A named context stands in for the image, so that Dockerfiles keep the names that people read.
BuildKit looks a context up before a tag; it needs the tag beside the digest to find the image in
the local store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.build.linking import context_key
from hullwright.errors import UsageError
from hullwright.images import Reference
from hullwright.locked import FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hullwright.build.linking import Source
    from hullwright.locked import Lock

IMAGE: Final = "docker-image://"


def pins(lock: Lock | None, source: Source, stage: str, taken: Collection[str]) -> dict[str, str]:
    """Return what stands for the locked images of a stage: `name:tag@digest` by context's name.

    A stand-in has no digest that another machine could know, so nothing stands for it.

    Args:
        lock: what is locked; None without a lock.
        source: what is built.
        stage: of its Dockerfile.
        taken: names that siblings and configured contexts stand for.

    Raises:
        UsageError: a stage has the name of the image that it starts from.
    """
    found: dict[str, str] = {}
    if lock is None:
        return found
    for use in source.uses(stage):
        key, entry = context_key(use.image), lock.find(use.image)
        if entry is None or not entry.pinned or key in taken:
            continue
        _refuse_shadowed(source, key, f"{source.service.dockerfile}:{use.line}")
        found[key] = entry.pinned
    return found


def contexts(pinned: Mapping[str, str]) -> dict[str, str]:
    """Return the named contexts of pinned images."""
    return {key: f"{IMAGE}{reference}" for key, reference in pinned.items()}


def digests(lock: Lock | None, images: Iterable[str]) -> dict[str, str]:
    """Return the digests of those images that are pinned, by the names that are given."""
    entries = ((image, lock.find(image)) for image in images) if lock else ()
    return {image: entry.digest for image, entry in entries if entry and entry.digest}


def digest(pinned: Mapping[str, str], image: str) -> str:
    """Return the digest that an image of a Dockerfile is pinned to; empty where it is not."""
    reference = pinned.get(context_key(image), "")
    return (Reference.parse(reference).digest or "") if reference else ""


def note(pinned: Iterable[Mapping[str, str]]) -> str:
    """Return what to tell of pinned images where newer ones are asked for; empty for none."""
    count = len({reference for each in pinned for reference in each.values()})
    what = "1 base image" if count == 1 else f"{count} base images"
    return f"{FILE} pins {what}, which --pull does not move: invoke images --outdated" * bool(count)


def _refuse_shadowed(source: Source, key: str, place: str) -> None:
    for stage in source.dockerfile.all_stages:
        if stage.name.lower() == key.lower() and stage.name:
            raise UsageError(
                f"{place}: the stage {stage.name} has the name of the image {key}, which {FILE} "
                "pins",
                why="BuildKit would take the image in place of the whole stage",
                next_step=f"call the stage otherwise: FROM {stage.base} AS {stage.name}-stage",
            )
