"""What bake is told for a push: what is attached to images, and where their content goes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from hullwright.errors import UnavailableError
from hullwright.files import lock
from hullwright.images import Reference
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullwright.push.models import Content
    from hullwright.workspace import Workspace

# What another image only needs goes nowhere.
NOWHERE: Final = ("type=cacheonly",)
_STAGING: Final = "hullwright-"
_SBOM: Final = "type=sbom"
_ATTESTATIONS: Final = {"provenance": "type=provenance,mode=max", "sbom": _SBOM}


def attested(attestations: Sequence[str], generator: str = "") -> tuple[str, ...]:
    """Return what bake attaches; nothing where nothing is asked for.

    Provenance is switched off where it is not asked for: BuildKit would attach some of its own.

    Args:
        attestations: `provenance`, `sbom`.
        generator: image that lists the packages for an SBOM; empty for BuildKit's default one.
    """
    told = [_ATTESTATIONS[name] for name in attestations]
    if generator:
        told = [f"{each},generator={generator}" if each == _SBOM else each for each in told]
    if told and "provenance" not in attestations:
        told.append("type=provenance,disabled=true")
    return tuple(told)


def by_digest(repository: str) -> tuple[str, ...]:
    """Return the exporter that sends an image to a repository without a tag.

    The `docker` driver refuses it; all others have it.
    """
    named = f"type=image,name={repository},oci-mediatypes=true"
    return (f"{named},push=true,push-by-digest=true,name-canonical=true",)


def local_tags(ws: Workspace, content: Content) -> tuple[str, ...]:
    """Return every tag that the local store has for this content in its repository."""
    try:
        found = engine.image(ws.runner, content.local or content.reference)
    except UnavailableError:
        return ()
    references = [Reference.parse(tag) for tag in found.tags] if found else []
    return tuple(
        reference.tag
        for reference in references
        if reference.repository == content.repository
        and reference.tag
        and not reference.tag.startswith(_STAGING)
    )


@contextmanager
def releasing(ws: Workspace) -> Iterator[None]:
    """Hold the one lock of what gives images of this repository their release tags.

    Raises:
        LockedError: another run does so; its process is named.
    """
    with lock(ws.state_dir / "release.lock", f"the release of {ws.config.project}"):
        yield
