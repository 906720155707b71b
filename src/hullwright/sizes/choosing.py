"""Which images are meant, and where each of them is."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hullwright.errors import HullwrightError, UnavailableError, unknown
from hullwright.images import Reference
from hullwright.recorded import load
from hullwright.run import CommandError
from hullwright.sizes.models import Subject
from hullwright.tools import dockerfile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hullwright.sizes.sources import Source
    from hullwright.tools.registryclient import RegistryClient
    from hullwright.workspace import Workspace

Place = Literal["store", "registry", "file"]

# Nobody calls an image that, and who does not find a file means it all the same.
_ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.zst")
_PATHS: Final = ("/", "./", "../", "~")


def subjects(
    ws: Workspace,
    *,
    images: Sequence[str] = (),
    services: Sequence[str] = (),
    target: str = "",
) -> tuple[Subject, ...]:
    """Return which images are meant: those named, else the recorded ones, narrowed down.

    Raises:
        UsageError: an unknown service, or a target that no build recorded.
        HullwrightError: nothing is named, and nothing was built yet.
    """
    recorded = [
        Subject(r.reference, r.service, r.target, r.digest)
        for r in load(ws).values()
        if _is_still_built(ws, r.service, r.target)
    ]
    if images:
        by_reference = {subject.reference: subject for subject in recorded}
        return tuple(by_reference.get(image, Subject(image)) for image in images)
    for service in services:
        if service not in ws.config.services:
            raise unknown("service", service, ws.config.services)
    kept = [s for s in recorded if not services or s.service in services]
    if target and kept and target not in {subject.target for subject in kept}:
        raise unknown("target", target, {subject.target for subject in kept})
    chosen = tuple(s for s in kept if not target or s.target == target)
    if not chosen:
        whose = f" of {', '.join(services)}" if services else ""
        raise HullwrightError(
            f"no image{whose} was built yet, so there is nothing to measure",
            next_step="invoke build, or name an image of the local store: invoke sizes --image REF",
        )
    return chosen


def _is_still_built(ws: Workspace, service: str, target: str) -> bool:
    """Return whether a build could make that image today; records outlive what they are of."""
    configured = ws.config.services.get(service)
    if configured is None:
        return False
    if not target:
        # The last stage under no name, which is not asked for any more once one has a name.
        return not configured.default_target
    path = ws.root / configured.dockerfile
    return not path.is_file() or target in dockerfile.read(path).stages


@dataclass(frozen=True, slots=True)
class Located:
    """An image that is there.

    Attributes:
        subject: what was asked for.
        place: where it was found.
        digest: of its index or manifest; empty for what a file holds, which has no such name.
        source: opens it.
    """

    subject: Subject
    place: Place
    digest: str
    source: Callable[[], Source]


class Registries:
    """Clients of registries, one for each, so that many images share its connections and login."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._clients: dict[str, RegistryClient] = {}
        self._lock = threading.Lock()

    def client(self, domain: str) -> RegistryClient:
        """Return the client of a registry."""
        # Imported where a registry is asked.
        from hullwright.tools.registryclient import connect

        with self._lock:
            if domain not in self._clients:
                self._clients[domain] = connect(self._ws, domain)
            return self._clients[domain]


def locate(
    ws: Workspace,
    subject: Subject,
    place: Place | None = None,
    registries: Registries | None = None,
) -> Located | None:
    """Return where an image is, or None where it is not there.

    Without a place it is the folder or file of that name, else what the local store has, else,
    for a name that names a registry, what that has.

    Args:
        ws: the repository.
        subject: what is asked for.
        place: where it is; None to look for it.
        registries: those that are asked already.

    Raises:
        UsageError: it is no reference.
        UnavailableError: the engine or the registry cannot be reached.
    """
    # Imported where an image is looked for: a build in which nothing changed does without.
    from hullwright.sizes import sources

    path = ws.root / subject.reference
    if place == "file" or (place is None and not subject.digest and path.exists()):
        if not path.exists():
            return None
        return Located(subject, "file", "", lambda: sources.of_path(path))
    if place is None and not subject.digest and subject.reference.startswith(_PATHS):
        return None
    # What is no reference is refused by us, before the engine is asked in its words.
    reference = Reference.parse(subject.reference)
    if place in {None, "store"}:
        digest = _digest(ws, subject)
        if digest is not None:
            return Located(subject, "store", digest, lambda: sources.of_store(ws, digest))
    if place == "registry" or (place is None and _names_registry(subject.reference)):
        client = (registries or Registries(ws)).client(reference.domain)
        found = sources.of_registry(client, reference)
        return None if found is None else Located(subject, "registry", found[0], lambda: found[1])
    return None


def missing(subject: Subject, place: Place | None = None) -> HullwrightError:
    """Return the error of an image that is not there."""
    if place == "registry":
        return HullwrightError(
            f"{subject.reference} is not in its registry",
            next_step="invoke push, or name a tag that it has",
        )
    if place == "file" or _is_path(subject.reference):
        return HullwrightError(
            f"there is no file or folder {subject.reference}",
            next_step="name an OCI layout, or an archive of docker save",
        )
    where, step = "the local store", f"docker pull {subject.reference}"
    if place is None and _names_registry(subject.reference):
        # Nothing can be pulled that the registry itself lacks.
        where = "the local store, nor in its registry"
        step = "name a tag that there is; docker images lists the local store's"
    return HullwrightError(
        f"the image {subject.reference} is not in {where}",
        why=f"a build recorded it as {subject.digest}" if subject.digest else "",
        next_step="invoke build" if subject.service else step,
    )


def _is_path(text: str) -> bool:
    """Return whether a name can be a file's or a folder's alone: no image is called that."""
    return text.endswith(_ARCHIVES) or text.startswith(_PATHS)


def _names_registry(text: str) -> bool:
    first, slash, _ = text.partition("/")
    return bool(slash) and (bool(set(first) & set(".:")) or first == "localhost")


def _digest(ws: Workspace, subject: Subject) -> str | None:
    """Return what the store knows an image by, or None where it has no such image."""
    result = ws.runner.read(
        *("docker", "image", "inspect", "--format", "{{json .Id}}"),
        subject.digest or subject.reference,
        check=False,
    )
    if result.ok:
        return str(json.loads(result.stdout))
    if "no such image" in result.stderr.lower():
        return None
    if "cannot connect" in result.stderr.lower() or "error during connect" in result.stderr.lower():
        raise UnavailableError(
            "the Docker engine cannot be reached",
            why=result.stderr.strip(),
            next_step="start it, or: invoke setup   (says what is missing)",
        )
    raise CommandError(result)
