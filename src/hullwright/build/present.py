"""Which images there are already: in the local store, and by digest in registries."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.build.fingerprint import LABEL
from hullwright.build.inputs import pinned
from hullwright.build.labelling import OCI
from hullwright.config.read import OWN_LABELS
from hullwright.errors import HullwrightError, UnavailableError, UsageError
from hullwright.images import Reference
from hullwright.tools.localstore import StoredImage, digests_of, labelled, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from hullwright.recorded import RecordedImage
    from hullwright.workspace import Workspace

# Whether an image is current is not worth a longer wait: then it is built, most often from cache.
_ANSWER_S: Final = 5.0
_HUB: Final = "docker.io"
# Above so many fingerprints, one look at all images costs less than a search for each.
_SEARCHES: Final = 3


@dataclass(frozen=True, slots=True)
class Present:
    """What one look at the local store, and at registries for the rest, has shown.

    Attributes:
        images: those recorded ones that are still there, as they were recorded.
        digests: of the images that Dockerfiles name, by the names that they have there.
    """

    images: tuple[StoredImage, ...]
    digests: Mapping[str, str]


def look(
    ws: Workspace, names: Iterable[str], records: Iterable[RecordedImage], *, newest: bool
) -> Present:
    """Return what is there of base images and of recorded ones: one question to the engine.

    Args:
        ws: the repository.
        names: images that Dockerfiles name.
        records: images that were built here.
        newest: whether registries decide what a name means, as with `--pull`.
    """
    wanted = [name for name in dict.fromkeys(names) if not pinned(name)]
    recorded = list(records)
    tagged = [tag for name in wanted if (tag := _tagged(name))]
    foreign = other_builder(ws)
    try:
        found = listed(ws.runner, [*tagged, *(record.reference for record in recorded)])
    except UnavailableError:
        # Another builder can do without an engine; then there is no local store.
        if not foreign:
            raise
        found = ()
    # Another builder than the engine's own does not see the local store.
    local = {} if foreign else digests_of(wanted, found)
    missing = wanted if newest or foreign else [name for name in wanted if name not in local]
    there = {(tag, image.id): image for image in found for tag in image.tags}
    images = (
        _as_recorded(record, there.get((record.reference, record.digest))) for record in recorded
    )
    return Present(
        tuple(image for image in images if image), {**local, **registry_digests(ws, missing)}
    )


def _as_recorded(record: RecordedImage, image: StoredImage | None) -> StoredImage | None:
    """Return an image with what was recorded of it, so that nobody has to look into it."""
    if image is None:
        return None
    return replace(
        image,
        labels={
            LABEL: record.fingerprint,
            f"{OCI}version": record.version,
            f"{OCI}revision": record.revision,
        },
        platform=" ".join(record.platforms),
    )


def _tagged(name: str) -> str:
    """Return an image's name with its tag, as the store lists it; empty where it is no name."""
    try:
        reference = Reference.parse(name)
    except UsageError:
        return ""
    return f"{reference.repository}:{reference.tag or 'latest'}"


def search(ws: Workspace, fingerprints: Iterable[str]) -> tuple[StoredImage, ...]:
    """Return the images of the local store that were built from these inputs, by whomever."""
    wanted = set(fingerprints)
    if not wanted:
        return ()
    try:
        return tuple(_searched(ws, wanted))
    except UnavailableError:
        if not other_builder(ws):
            raise
        return ()


def _searched(ws: Workspace, wanted: Collection[str]) -> Iterator[StoredImage]:
    if len(wanted) > _SEARCHES:
        mine = f"{OWN_LABELS}project={ws.config.project}"
        images = labelled(ws.runner, LABEL, mine)
        yield from (image for image in images if image.labels.get(LABEL) in wanted)
        return
    for value in sorted(wanted):
        yield from labelled(ws.runner, f"{LABEL}={value}")


def other_builder(ws: Workspace) -> str:
    """Return the builder that the environment names in place of the engine's own, if any."""
    named = ws.environ.get("BUILDX_BUILDER", "")
    return "" if named == "default" else named


def registry_digests(ws: Workspace, names: Iterable[str]) -> dict[str, str]:
    """Return the digests that registries have for these images now, of those that answer soon.

    Builders elsewhere get what is on Docker Hub from the mirror, where one is configured: so it is
    the mirror that says what they get.
    """
    found: dict[str, str] = {}
    asked: dict[str, list[tuple[str, Reference]]] = {}
    mirror = ws.config.build.mirror if other_builder(ws) else ""
    for name in names:
        try:
            reference = _mirrored(Reference.parse(name), mirror)
        except UsageError:
            continue
        asked.setdefault(reference.domain, []).append((name, reference))
    # Threads of no pool: one that waits for a registry must not hold up the end of the run.
    threads = [
        threading.Thread(target=_ask, args=(ws, domain, wanted, found), daemon=True)
        for domain, wanted in asked.items()
    ]
    for thread in threads:
        thread.start()
    until_s = time.monotonic() + _ANSWER_S
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
    return dict(found)


def _mirrored(reference: Reference, mirror: str) -> Reference:
    if not mirror or reference.domain != _HUB:
        return reference
    address = mirror.rstrip("/")
    return Reference.parse(
        f"{address.partition('://')[2] or address}/{reference.path}:{reference.tag or 'latest'}"
    )


def _ask(
    ws: Workspace, domain: str, wanted: Iterable[tuple[str, Reference]], found: dict[str, str]
) -> None:
    from hullwright.tools.registryclient import Patience, connect

    try:
        client = connect(ws, domain, patience=Patience(attempts=1))
        for name, reference in wanted:
            described = client.describe(reference.path, reference.tag or "latest")
            if described is not None:
                found[name] = described.digest
    except HullwrightError as error:
        ws.console.detail(f"{domain} does not tell what its images are: {error.what}")
