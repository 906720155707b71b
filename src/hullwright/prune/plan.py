"""What goes and what stays, decided from what is there; nothing is asked or changed here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import semver

from hullwright.images import size_text
from hullwright.prune.ages import age_text
from hullwright.prune.models import RESTING, STAGING, Operation, PrunePlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullwright.prune.models import Limits, Observed, OwnImage, OwnProject

# Of whole images by their fingerprint; of parts that wait for others, of a version, too.
STAGING_TAG: Final = re.compile(r"hullwright-[0-9a-f]{32}(?:-[0-9a-f]{8})?")


def plan(observed: Observed, limits: Limits) -> PrunePlan:
    """Return what goes within the limits, in order: projects, images, build cache, tags."""
    projects = [each for one in observed.projects for each in _project(one, observed, limits)]
    gone = {each.id for each in projects if each.action == "remove" and each.kind == "container"}
    operations = [
        *projects,
        *_images(observed, limits, gone),
        *_cache(observed, limits.cache_unused_s),
    ]
    operations += [
        Operation(
            "remove",
            "tag",
            staged.reference,
            "of a push; other runs find what is current by it too; "
            "it stays where the registry removes no single tags",
        )
        for staged in observed.staged
    ]
    return PrunePlan(observed.project, tuple(operations), limits.cache_unused_s)


def release_of(version: str) -> semver.Version | None:
    """Return the version of a release; None for a development build and for no version."""
    try:
        parsed = semver.Version.parse(version)
    except ValueError:
        return None
    identifiers = [*(parsed.prerelease or "").split("."), *(parsed.build or "").split(".")]
    return None if {"dev", "dirty"} & set(identifiers) else parsed


def _project(project: OwnProject, observed: Observed, limits: Limits) -> Iterator[Operation]:
    """Yield what becomes of a project; one that is in use is not mentioned."""
    if project.held or (project.running and not project.throwaway):
        return
    age_s = observed.now - project.since
    what = "throwaway" if project.throwaway else "stack"
    state = "still runs" if project.running else "stopped"
    since = f"{state}, {age_text(age_s)} old" if project.since else "without containers"
    told = f"of the {what} {project.name} ({since})"
    # A stopped throwaway is what a crashed run left; one that runs may have been kept to be seen.
    rests = not project.throwaway or project.running
    if project.strange:
        cause = f"{told}, but something of that name was started from another folder"
        yield Operation("keep", "container", _names(project), cause)
        return
    resting_s = limits.older_than_s(RESTING if rests else timedelta(0))
    if project.since and age_s < resting_s:
        return
    for identifier, name in project.containers:
        yield Operation("remove", "container", name, told, identifier, forced=project.throwaway)
    for name in project.networks:
        yield Operation("remove", "network", name, told)
    for name in project.volumes:
        if project.throwaway:
            yield Operation("remove", "volume", name, told)
        else:
            cause = f"{told}; data goes only by: invoke down --volumes"
            yield Operation("keep", "volume", name, cause)


def _names(project: OwnProject) -> str:
    return ", ".join(name for _, name in project.containers)


def _images(observed: Observed, limits: Limits, gone: set[str]) -> Iterator[Operation]:
    by_title: dict[tuple[str, str], list[OwnImage]] = {}
    for image in observed.images:
        by_title.setdefault((image.service, image.target), []).append(image)
    for key in sorted(by_title):
        newest_first = sorted(by_title[key], key=lambda image: (-image.at, image.id))
        # What somebody built on ours has its labels, and counts for nothing.
        named = [image for image in newest_first if _lasting(image) and not image.strange]
        released = _last_release(named)
        newest = {image.id for image in named[: limits.keep]}
        for image in newest_first:
            if image.id in newest:
                yield from _staging_names(image, observed, limits)
            else:
                yield from _image(image, observed, limits, gone, released=image.id in released)


def _lasting(image: OwnImage) -> tuple[str, ...]:
    """Return an image's names without those that only a push needed."""
    return tuple(name for name in image.names if not _is_staging(name))


def _is_staging(name: str) -> bool:
    return STAGING_TAG.fullmatch(name.rpartition(":")[2]) is not None


def _last_release(images: Iterable[OwnImage]) -> set[str]:
    """Return the ids of the highest release, and of the highest candidate above it."""
    released = [(release_of(image.version), image.id) for image in images]
    versions = [version for version, _ in released if version]
    final = max((v for v in versions if not v.prerelease), default=None)
    highest = max(versions, default=None)
    return {
        identifier for version, identifier in released if version and version in {final, highest}
    }


def _image(
    image: OwnImage, observed: Observed, limits: Limits, gone: set[str], *, released: bool
) -> Iterator[Operation]:
    age_s = observed.now - image.at
    lasting = _lasting(image)
    # What has no lasting name may be what a push holds just now.
    if age_s < limits.older_than_s(timedelta(0) if lasting else STAGING):
        return
    shown = ", ".join(image.names) or f"{image.id[:19]} (without a name)"
    reason = _held(image, observed, gone, released=released)
    if reason:
        yield Operation("keep", "image", shown, reason)
        yield from _staging_names(image, observed, limits)
        return
    causes = [
        image.title,
        f"{age_text(age_s)} old",
        f"not among the newest {limits.keep}" if lasting and limits.keep else "",
        "" if lasting else "no longer under any lasting name",
    ]
    cause = ", ".join(each for each in causes if each)
    for name in image.names or (image.id,):
        last = name == (image.names or (image.id,))[-1]
        yield Operation(
            "remove", "image", name, cause, image.id, own_bytes=image.own_bytes if last else None
        )


def _staging_names(image: OwnImage, observed: Observed, limits: Limits) -> Iterator[Operation]:
    """Yield the staging names of an image that stays under another name."""
    age_s = observed.now - image.at
    if not _lasting(image) or age_s < limits.older_than_s(STAGING):
        return
    for name in image.names:
        if _is_staging(name) and name not in image.strange:
            yield Operation(
                "remove", "image", name, "a push needed this name; the image stays", image.id
            )


def _held(image: OwnImage, observed: Observed, gone: set[str], *, released: bool) -> str:
    """Return why an image stays whatever its number and age; empty where nothing holds it."""
    known = {image.id, *image.digests}
    for user in observed.users:
        if user.id not in gone and (user.image_id in known or user.image in image.names):
            state = "runs from it" if user.running else "was made of it"
            return f"container {user.name} {state}"
    if known & observed.recorded:
        return "recorded as the last build, for up and cold-start"
    if released:
        return f"the last release of {image.title}"
    if image.strange:
        return f"{', '.join(image.strange)} is no name of this project's services"
    return ""


def _cache(observed: Observed, unused_s: int) -> Iterator[Operation]:
    cache = observed.cache
    if cache is None:
        return
    part = f"{size_text(cache.unused_bytes)} of {size_text(cache.total_bytes)}"
    told = (
        f"about {part} in {cache.records} entries that nobody used for {age_text(unused_s)}, "
        "of every project on this machine"
    )
    yield Operation(
        "remove" if cache.records else "keep", "cache", f"of builder {cache.builder}", told
    )
