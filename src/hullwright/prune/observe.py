"""What is there of this project: images and who uses them, compose projects, staging tags."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.config.read import OWN_LABELS
from hullwright.errors import UsageError
from hullwright.images import Reference
from hullwright.prune.models import Observed, OwnImage, StagingTag, User
from hullwright.prune.plan import STAGING_TAG
from hullwright.prune.projects import RUNNING, projects
from hullwright.recorded import load
from hullwright.tools import engine, storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.config.models import Config
    from hullwright.prune.models import Limits
    from hullwright.tools.engine import Container
    from hullwright.tools.storage import StoredImage
    from hullwright.workspace import Workspace

# What has no host in its name is a namespace that may be anybody's: `theirs/api`.
_UNHOSTED: Final = Reference.parse("name").domain
VERSION_LABEL: Final = "org.opencontainers.image.version"


def look(ws: Workspace, limits: Limits) -> Observed:
    """Return what is there of what the limits name.

    Raises:
        UnavailableError: the engine or the registry does not answer.
        UsageError: staging tags are asked for, and no registry is configured.
    """
    observed = Observed(ws.config.project, time.time())
    if limits.images or limits.projects:
        there = engine.containers(ws.runner)
        observed = replace(observed, users=tuple(map(_user, there)), recorded=_recorded(ws))
        if limits.projects:
            observed = replace(observed, projects=projects(ws, there))
        if limits.images:
            observed = replace(observed, images=_images(ws))
    if limits.cache:
        observed = replace(observed, cache=storage.cache_use(ws.runner, limits.cache_unused_s))
    if limits.registry:
        observed = replace(observed, staged=_staged(ws))
    return observed


def repositories(config: Config) -> frozenset[str]:
    """Return the repositories of this project's images, with the configured registry."""
    prefix = f"{config.registry}/" if config.registry else ""
    return frozenset(f"{prefix}{name}" for name in _bare(config))


def _user(container: Container) -> User:
    return User(
        container.id,
        container.name,
        container.image_id,
        container.image,
        running=container.state in RUNNING,
    )


def _recorded(ws: Workspace) -> frozenset[str]:
    return frozenset(image.digest for image in load(ws).values() if image.digest)


def _images(ws: Workspace) -> tuple[OwnImage, ...]:
    found = storage.stored_images(ws.runner, f"{OWN_LABELS}project={ws.config.project}")
    if not found:
        return ()
    own_bytes = storage.own_bytes(ws.runner)
    known = _bare(ws.config) | repositories(ws.config)
    return tuple(_image(image, known, own_bytes) for image in found)


def _bare(config: Config) -> frozenset[str]:
    """Return the repositories of this project's images as they are named without a registry."""
    return frozenset(service.image or service.name.lower() for service in config.services.values())


def _image(image: StoredImage, known: frozenset[str], own_bytes: Mapping[str, int]) -> OwnImage:
    labels = image.image.labels
    return OwnImage(
        id=image.image.id,
        names=tuple(sorted(image.image.tags)),
        # An image that somebody built on ours inherits its labels, and has a name of theirs.
        strange=tuple(sorted(tag for tag in image.image.tags if not _is_ours(tag, known))),
        service=labels.get(f"{OWN_LABELS}service", ""),
        target=labels.get(f"{OWN_LABELS}target", ""),
        version=labels.get(VERSION_LABEL, ""),
        at=image.at,
        digests=image.digests,
        own_bytes=own_bytes.get(image.image.id),
    )


def _is_ours(tag: str, known: frozenset[str]) -> bool:
    """Return whether a name is of a repository of ours, in whatever registry.

    The one that is configured may have been another, or none, when the image was built.
    """
    try:
        reference = Reference.parse(tag)
    except UsageError:
        return False
    if reference.repository in known:
        return True
    return reference.domain != _UNHOSTED and any(
        f"/{reference.path}".endswith(f"/{name}") for name in known
    )


def _staged(ws: Workspace) -> tuple[StagingTag, ...]:
    from hullwright.tools.registryclient import connect

    if not ws.config.registry:
        raise UsageError(
            "there is no registry whose staging tags could be listed",
            next_step='registry = "registry.example.com/team" in the configuration',
        )
    found = []
    for name in sorted(repositories(ws.config)):
        reference = Reference.parse(name)
        client = connect(ws, reference.domain)
        found += [
            StagingTag(reference.domain, reference.path, tag)
            for tag in sorted(client.tags(reference.path))
            if STAGING_TAG.fullmatch(tag)
        ]
    return tuple(found)
