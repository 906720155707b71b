"""Images that a registry has already: found by the fingerprint of their inputs.

A build leaves it as an annotation and as a label, so that a machine that never built anything can
tell what is current. An index answers with its annotations alone, in one request; otherwise the
configuration of its first image is read.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from hullwright.errors import HullwrightError
from hullwright.images import Platform, Reference
from hullwright.tools.registryclient import Patience, connect

if TYPE_CHECKING:
    from hullwright.tools.registryclient import Manifest, RegistryClient
    from hullwright.workspace import Workspace

_OWN: Final = "dev.hullwright."
FINGERPRINT: Final = f"{_OWN}fingerprint"
ATTESTATION: Final = "vnd.docker.reference.type"
_OCI: Final = "org.opencontainers.image."
# Configurations are a few kB; what is larger is none.
_CONFIG_BYTES: Final = 8 << 20
_QUESTIONS: Final = 8
# A build goes on without an answer, so it waits for one only shortly.
_PATIENCE: Final = Patience(attempts=2, most_told_s=2.0)
_TAG_DIGITS: Final = 32
_VERSION_DIGITS: Final = 8


class Reads(Protocol):
    """What reading an image needs of the client of its registry."""

    def manifest(self, repository: str, reference: str, /) -> Manifest | None:
        """Return a manifest or an index; None where there is none."""

    def blob(self, repository: str, digest: str, most_bytes: int, /) -> bytes:
        """Return a blob."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image that is looked for.

    Attributes:
        repository: as people write it.
        tags: it may be under.
        fingerprint: of its inputs.
        version: that it must have; empty for any. Versions of the same inputs share staging tags.
        accepts: whether an image of these inputs will do; where it does not, the next tag is
            looked at. It is called from several threads.
    """

    repository: str
    tags: tuple[str, ...]
    fingerprint: str
    version: str = ""
    accepts: Callable[[Published], bool] | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """An image in a registry.

    Attributes:
        repository: as people write it, its registry included.
        tag: under which it was found.
        digest: of its index or, where it has none, of its manifest.
        version, revision: what its sources are called; empty where it does not say.
        fingerprint: of its inputs; empty where it does not say.
        platforms: what it is for; attestations do not count.
        attested: whether attestations are stored with it.
        image: service and target that its labels name; empty where they were not read.
    """

    repository: str
    tag: str
    digest: str
    media_type: str
    version: str = ""
    revision: str = ""
    fingerprint: str = ""
    platforms: tuple[str, ...] = ()
    attested: bool = False
    image: tuple[str, str] = ("", "")


# Found images by their fingerprints; what is nowhere, or cannot be asked for, is not among them.
Lookup = Callable[[Sequence[Wanted]], Mapping[str, Published]]


def staging_tag(fingerprint: str) -> str:
    """Return the tag under which content waits in a registry for the tags of its release."""
    return f"hullwright-{fingerprint[:_TAG_DIGITS]}"


def part_tag(fingerprint: str, version: str) -> str:
    """Return the tag under which a part waits for the others of its image.

    Runs for several commits may make parts of the same inputs at once. The parts of one image say
    one version, so each version has names of its own.
    """
    digits = hashlib.sha256(version.encode()).hexdigest()[:_VERSION_DIGITS]
    return f"{staging_tag(fingerprint)}-{digits}"


def find(
    client: RegistryClient,
    repository: str,
    tags: Sequence[str],
    fingerprint: str,
    version: str = "",
    *,
    accepts: Callable[[Published], bool] | None = None,
) -> Published | None:
    """Return the image of the first of these tags that was built from these inputs.

    With a version, one of another version is passed over, and so is what is not accepted.

    Raises:
        RegistryError: the registry cannot or will not answer.
    """
    for tag in tags:
        found = read(client, repository, tag)
        if found is None or found.fingerprint != fingerprint:
            continue
        if version in {"", found.version} and (accepts is None or accepts(found)):
            return found
    return None


def read(client: Reads, repository: str, tag: str) -> Published | None:
    """Return what a registry has under a tag, or None where it has nothing there.

    Raises:
        RegistryError: the registry cannot or will not answer.
    """
    path = Reference.parse(repository).path
    manifest = client.manifest(path, tag)
    if manifest is None:
        return None
    document = manifest.document()
    annotations, platforms = _table(document.get("annotations")), _platforms(document)
    images = _images(document)
    if not _tells_all(annotations) or not platforms:
        # The nearest word counts: an index speaks for all of its images.
        labels, own = _configured(client, path, manifest, images)
        annotations, platforms = {**labels, **annotations}, platforms or own
    return Published(
        repository=repository,
        tag=tag,
        digest=manifest.digest,
        media_type=manifest.media_type,
        version=f"{annotations.get(f'{_OCI}version', '')}",
        revision=f"{annotations.get(f'{_OCI}revision', '')}",
        fingerprint=f"{annotations.get(FINGERPRINT, '')}",
        platforms=platforms,
        attested=len(images) < len(_entries(document)),
        image=(
            f"{annotations.get(f'{_OWN}service', '')}",
            f"{annotations.get(f'{_OWN}target', '')}",
        ),
    )


def lookup(
    ws: Workspace, connected: Callable[[Workspace, str], RegistryClient] | None = None
) -> Lookup:
    """Return a function that looks in all registries at once for images of known inputs.

    A registry that cannot answer is told of once and has nothing: a build is not to fail for it.

    Args:
        ws: the repository.
        connected: gives the client of a registry; default one with Docker's login.
    """

    def found(wanted: Sequence[Wanted]) -> Mapping[str, Published]:
        domains = {Reference.parse(each.repository).domain for each in wanted}
        clients = {domain: _client(ws, domain, connected or _impatient) for domain in domains}
        silent: set[str] = set()
        one_at_a_time = threading.Lock()

        def ask(each: Wanted) -> Published | None:
            domain = Reference.parse(each.repository).domain
            client = clients[domain]
            if client is None or domain in silent:
                return None
            try:
                return find(
                    client,
                    each.repository,
                    each.tags,
                    each.fingerprint,
                    each.version,
                    accepts=each.accepts,
                )
            except HullwrightError as error:
                with one_at_a_time:
                    if domain not in silent:
                        silent.add(domain)
                        _tell(ws, domain, error)
                return None

        with ThreadPoolExecutor(_QUESTIONS) as pool:
            return {each.fingerprint: each for each in pool.map(ask, wanted) if each is not None}

    return found


def _impatient(ws: Workspace, domain: str) -> RegistryClient:
    return connect(ws, domain, patience=_PATIENCE)


def _client(
    ws: Workspace, domain: str, connected: Callable[[Workspace, str], RegistryClient]
) -> RegistryClient | None:
    try:
        return connected(ws, domain)
    except HullwrightError as error:
        _tell(ws, domain, error)
        return None


def _tell(ws: Workspace, domain: str, error: HullwrightError) -> None:
    # One line: it is no failure, and its facts are shown by the push that needs the registry.
    ws.console.note(f"! not looked for in {domain}: {ws.runner.redacted(error.what)}")


def _configured(
    client: Reads, path: str, manifest: Manifest, images: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the annotations and labels of the (first) image, and its platform."""
    document = manifest.document()
    if images:
        found = client.manifest(path, f"{images[0].get('digest')}")
        document = found.document() if found is not None else {}
    config = f"{_table(document.get('config')).get('digest', '')}"
    if not config:
        return _table(document.get("annotations")), ()
    try:
        told = json.loads(client.blob(path, config, _CONFIG_BYTES))
    except (ValueError, RecursionError):
        told = None
    told = _table(told)
    labels = _table(_table(told.get("config")).get("Labels"))
    platform = _platform(told)
    return {**labels, **_table(document.get("annotations"))}, (platform,) if platform else ()


def _tells_all(annotations: Mapping[str, Any]) -> bool:
    return {FINGERPRINT, f"{_OCI}version", f"{_OCI}revision"} <= annotations.keys()


def _entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = document.get("manifests")
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _images(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of an index that are images, and no attestations."""
    return [
        each for each in _entries(document) if ATTESTATION not in _table(each.get("annotations"))
    ]


def _platforms(document: Mapping[str, Any]) -> tuple[str, ...]:
    told = (_platform(_table(each.get("platform"))) for each in _images(document))
    return tuple(platform for platform in told if platform)


def _platform(told: Mapping[str, Any]) -> str:
    system, architecture = told.get("os"), told.get("architecture")
    if not system or not architecture:
        return ""
    parts = (f"{system}", f"{architecture}", f"{told.get('variant') or ''}")
    # One spelling for all: `linux/arm64`, never `linux/arm64/v8`.
    return f"{Platform.parse('/'.join(filter(None, parts)))}"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
