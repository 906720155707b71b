"""What is attached to an image, in a registry or the local store: provenance, SBOM, signatures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from hullwright.errors import CheckFailedError, HullwrightError, UnavailableError
from hullwright.images import Reference
from hullwright.run import CommandError, Result
from hullwright.tools import attestations
from hullwright.tools.localstore import stored
from hullwright.tools.tarstream import ArchiveError, TarStream

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from hullwright.push.models import Registry
    from hullwright.tools.attestations import Attached, OfPlatform
    from hullwright.workspace import Workspace

Place = Literal["local store", "registry"]

_BLOBS: Final = "blobs/sha256/"
_NO_REGISTRY: Final = "docker.io"
_CHUNK_BYTES: Final = 1 << 20
# All documents of an image, so that a strange archive does not fill the memory.
_MOST_BYTES: Final = 4 * attestations.MOST_BYTES


@dataclass(frozen=True, slots=True)
class Listing:
    """What is attached to an image.

    Attributes:
        reference: as it was asked for.
        place: where it was looked at.
        digest: of its index, or of its one manifest.
        images: one for each platform.
        signatures: of the index itself; those of its images stand with them.
        absent: digests of attestations that its index names and that are not there.
        silent: the registry that was to be asked first, and did not answer; mostly empty.
    """

    reference: str
    place: Place
    digest: str
    images: tuple[OfPlatform, ...]
    signatures: tuple[Attached, ...] = ()
    absent: tuple[str, ...] = ()
    silent: str = ""


def listing(
    ws: Workspace, reference: str, connect: Callable[[Workspace, str], Registry] | None = None
) -> Listing:
    """Return what is attached to an image: in the registry that it names, else in the local store.

    The registry comes first, for signatures are there alone, and a pull leaves out what is
    attached to other platforms. One that has no such image, or does not answer, is passed over
    where the local store has it.

    Args:
        ws: the repository.
        reference: of an image, with a tag or a digest or neither.
        connect: gives the client of a registry.

    Raises:
        UsageError: it is no reference.
        CheckFailedError: it is in neither.
        UnavailableError: the engine or the registry cannot be asked.
    """
    name = Reference.parse(reference)
    unheard: UnavailableError | None = None
    found = _of_store(ws, reference) if name.domain == _NO_REGISTRY else None
    if found is None:
        try:
            found = of_registry((connect or _connected)(ws, name.domain), reference)
        except UnavailableError as error:
            unheard = error
    found = found or _of_store(ws, reference)
    if found is not None:
        return replace(found, silent=name.domain if unheard else "")
    if unheard is not None:
        raise unheard
    raise CheckFailedError(
        f"there is no image {reference}",
        why=f"neither {name.domain} has it, nor the local store",
        next_step="invoke build, or push it: invoke push",
    )


def of_registry(client: Registry, reference: str) -> Listing | None:
    """Return what a registry has attached to an image; None where it has no such image."""
    name = Reference.parse(reference)
    manifest = client.manifest(name.path, name.digest or name.tag or "latest")
    if manifest is None:
        return None
    documents = _InRegistry(client, name.path)
    images = tuple(
        replace(image, attached=(*image.attached, *documents.signatures(image.digest)))
        if image.digest != manifest.digest
        else image
        for image in _read(manifest.digest, documents)
    )
    own = documents.signatures(manifest.digest)
    return Listing(reference, "registry", manifest.digest, images, own, tuple(documents.absent))


@dataclass
class _InRegistry:
    client: Registry
    path: str
    absent: list[str] = field(default_factory=list)

    def manifest(self, digest: str) -> Mapping[str, Any]:
        found = self.client.manifest(self.path, digest)
        if found is None:
            self.absent.append(digest)
        return found.document() if found else {}

    def blob(self, digest: str, size_bytes: int) -> bytes:
        return self.client.blob(self.path, digest, size_bytes)

    def signatures(self, digest: str) -> tuple[Attached, ...]:
        """Return the signatures of a manifest; none where it has none."""
        found = self.client.manifest(self.path, attestations.signature_tag(digest))
        return tuple(attestations.signatures(found.document())) if found else ()


def _read(digest: str, documents: attestations.Documents) -> tuple[OfPlatform, ...]:
    try:
        return attestations.read(digest, documents)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise HullwrightError(
            f"the manifests of {digest} cannot be read", why=f"a document lacks {error}"
        ) from error


def _connected(ws: Workspace, domain: str) -> Registry:
    # Imported where a registry is asked.
    from hullwright.tools.registryclient import Patience, connect

    # Somebody waits for a list, and the local store may have it.
    return connect(ws, domain, patience=Patience(attempts=2))


def _of_store(ws: Workspace, reference: str) -> Listing | None:
    found = stored(ws.runner, [reference])
    if not found:
        return None
    image = found[0]
    digest = image.digest or image.id
    if "index" not in image.media_type and "list" not in image.media_type:
        # Nothing can be attached to a single manifest, nor in a classic store.
        one = attestations.OfPlatform(image.platform, digest)
        return Listing(reference, "local store", digest, (one,))
    documents = _InStore()
    documents.read(ws, digest)
    images = _read(digest, documents)
    return Listing(reference, "local store", digest, images, absent=tuple(documents.absent))


@dataclass
class _InStore:
    """The documents of an image as the engine gives it away: one archive, layers and all."""

    contents: dict[str, bytes] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    def manifest(self, digest: str) -> Mapping[str, Any]:
        if digest not in self.contents:
            self.absent.append(digest)
        try:
            told = json.loads(self.contents.get(digest, b"{}"))
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    def blob(self, digest: str, _size_bytes: int) -> bytes:
        return self.contents.get(digest, b"")

    def read(self, ws: Workspace, digest: str) -> None:
        """Take in what the engine has of an image; layers pass by.

        Raises:
            CommandError: the engine does not give it away.
        """
        argv = ("docker", "image", "save", digest)
        with ws.runner.following(*argv) as process:
            # The runner's streams are text; an archive is the bytes below it.
            stream: BinaryIO = cast("Any", process.stdout).buffer
            try:
                self.take(stream)
            except ArchiveError as error:
                raise CommandError(_result(argv, process)) from error

    def take(self, stream: BinaryIO) -> None:
        """Keep the JSON documents of an archive."""
        entries = TarStream(stream)
        left = _MOST_BYTES
        for entry in entries:
            name = entry.name.removeprefix("./")
            if not (entry.regular and name.startswith(_BLOBS)) or entry.size_bytes > left:
                continue
            first = entries.read(1)
            if first != b"{" or entry.size_bytes > attestations.MOST_BYTES:
                continue
            pieces = [first]
            while piece := entries.read(_CHUNK_BYTES):
                pieces.append(piece)
            self.contents[f"sha256:{name.removeprefix(_BLOBS)}"] = b"".join(pieces)
            left -= entry.size_bytes


def _result(argv: tuple[str, ...], process: subprocess.Popen[str]) -> Result:
    return Result(argv, process.wait(), "", process.stderr.read() if process.stderr else "")
