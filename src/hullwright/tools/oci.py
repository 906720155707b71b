"""Reads images out of an OCI layout in a tar stream, which is what `docker save` writes.

The stream is read once from front to back. Nothing is written to disk, and what is kept in memory
is bounded: blobs come before the documents that say what they are, so each layer is measured
as it passes, and only small JSON documents are kept.

https://specs.opencontainers.org/image-spec/image-layout/
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hullwright.images import Platform
from hullwright.tools.decompress import Prefixed, opened
from hullwright.tools.feed import Feed
from hullwright.tools.layers import LayerContent, read_layer
from hullwright.tools.tarstream import ArchiveError, TarStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullwright.tools.tarstream import Source

_BLOBS: Final = "blobs/sha256/"
_INDEX: Final = "index.json"
_CHUNK_BYTES: Final = 256 * 1024
# Registries refuse manifests above 4 MiB; configurations are smaller still.
_LARGEST_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
_LARGEST_DOCUMENTS_BYTES: Final = 64 * 1024 * 1024
_DEEPEST_INDEX: Final = 4
_READERS: Final = 2
_ATTESTATION: Final = "vnd.docker.reference.type"
_BASE: Final = "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """One layer of one platform's image.

    Attributes:
        stored_bytes: size in the manifest's descriptor: what is transferred.
        diff_id: digest of the layer without compression, from the configuration.
        created_by: the step that made it, from the configuration's history.
        content: what it holds; None where it was not read.
        problem: why it could not be read; empty where it could, or was not asked for.
    """

    digest: str
    media_type: str
    stored_bytes: int
    diff_id: str
    created_by: str
    content: LayerContent | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """The image of one platform.

    Attributes:
        digest: of its manifest.
        config_digest: of its configuration, by which the classic image store knows it.
        created: when it says that it was made, as it writes it; empty where it does not.
        base: digest of the image that it is built on, as its label says; empty without.
    """

    platform: Platform
    digest: str
    config_digest: str
    layers: tuple[ImageLayer, ...]
    created: str = ""
    base: str = ""


def read_layout(
    stream: Source, known: Callable[[str], LayerContent | None]
) -> tuple[PlatformImage, ...]:
    """Return the images of an OCI layout, one for each platform; attestations are left out.

    Platforms whose manifest is not in the archive (a pull fetches one of many) are left out too.

    Args:
        stream: the tar archive.
        known: gives what is known of a layer that was read before; it is not read again.

    Raises:
        ArchiveError: the archive is cut off, corrupt, no OCI layout, or holds a blob whose
            content has another digest than its name.
    """
    # One thread reads the stream while others look into layers: most of that is done in C, which
    # leaves the interpreter's lock.
    with ThreadPoolExecutor(_READERS) as pool:
        layout = _Layout(known, pool)
        for entry, content in _blobs(stream):
            layout.add(entry, content)
    return tuple(layout.images())


def _blobs(stream: Source) -> Iterator[tuple[str, TarStream]]:
    archive = TarStream(stream)
    for entry in archive:
        if entry.regular:
            yield entry.name.removeprefix("./"), archive


@dataclass
class _Layout:
    known: Callable[[str], LayerContent | None]
    pool: ThreadPoolExecutor
    layers: dict[str, Future[LayerContent | str]] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    index: Any = None
    kept_bytes: int = 0

    def add(self, name: str, content: Source) -> None:
        if name == _INDEX:
            self.index = self._document(b"", content)
        elif name.startswith(_BLOBS):
            digest = f"sha256:{name.removeprefix(_BLOBS)}"
            known = self.known(digest)
            if known is None:
                self._blob(digest, content)
            else:
                self.layers[digest] = Future()
                self.layers[digest].set_result(known)

    def _blob(self, digest: str, content: Source) -> None:
        hashed = _Hashed(content)
        first = hashed.read(_CHUNK_BYTES)
        # An uncompressed layer whose first file is called "{" is still a layer.
        if first[:1] in {b"{", b"["} and first[257:262] != b"ustar":
            document = self._document(first, hashed)
            if document is not None:
                self.documents[digest] = document
            while hashed.read(_CHUNK_BYTES):
                pass
        else:
            with Feed() as feed:
                self.layers[digest] = self.pool.submit(feed.consumed, _content, digest, first)
                while piece := hashed.read(_CHUNK_BYTES):
                    feed.put(piece)
        _check(digest, hashed)

    def _document(self, first: bytes, content: Source) -> Any:
        pieces = [first]
        size = len(first)
        while piece := content.read(_CHUNK_BYTES):
            size += len(piece)
            # What is larger is no manifest or configuration: an attestation, or an artefact.
            if size > _LARGEST_DOCUMENT_BYTES:
                return None
            pieces.append(piece)
        self.kept_bytes += size
        if self.kept_bytes > _LARGEST_DOCUMENTS_BYTES:
            raise ArchiveError(
                "the archive holds more documents than an image has",
                why=f"its JSON is larger than {_LARGEST_DOCUMENTS_BYTES >> 20} MiB",
            )
        try:
            return json.loads(b"".join(pieces))
        except (ValueError, RecursionError):
            return None

    def images(self) -> Iterator[PlatformImage]:
        if not isinstance(self.index, dict):
            raise ArchiveError(
                "the archive is not an OCI layout",
                why="it has no index.json; engines before 25 wrote another format",
            )
        return platform_images(
            self.index, lambda named: self.documents.get(named["digest"]), self._read
        )

    def _read(self, digest: str) -> LayerContent | str | None:
        return self.layers[digest].result() if digest in self.layers else None


def platform_images(
    index: Mapping[str, Any],
    document: Callable[[Mapping[str, Any]], Any],
    content: Callable[[str], LayerContent | str | None] = lambda _: None,
) -> Iterator[PlatformImage]:
    """Yield the images of an index, one for each platform; attestations are left out.

    Args:
        index: an index, of which those that it points at may be.
        document: gives the manifest, index or configuration of a descriptor; None where it is
            not there, as of platforms that were not pulled.
        content: gives what a layer holds, why it cannot be read, or None where it was not read.

    Raises:
        ArchiveError: a document is not what its media type says.
    """
    try:
        yield from _images(index, document, content, depth=0)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ArchiveError(
            "the archive's manifests cannot be read", why=f"a document lacks {error}"
        ) from error


def _images(
    index: Mapping[str, Any],
    document: Callable[[Mapping[str, Any]], Any],
    content: Callable[[str], LayerContent | str | None],
    depth: int,
) -> Iterator[PlatformImage]:
    if depth > _DEEPEST_INDEX:
        raise ArchiveError("the archive's indexes point at each other")
    for descriptor in index["manifests"]:
        annotations = descriptor.get("annotations") or {}
        found = None if _ATTESTATION in annotations else document(descriptor)
        if found is None:
            continue
        if "manifests" in found:
            yield from _images(found, document, content, depth + 1)
        elif "layers" in found:
            config = document(found["config"])
            if config is not None and config.get("os", "unknown") != "unknown":
                yield _image(descriptor["digest"], found, config, content)


def _image(
    digest: str,
    manifest: Mapping[str, Any],
    config: Mapping[str, Any],
    content: Callable[[str], LayerContent | str | None],
) -> PlatformImage:
    steps = [
        step.get("created_by", "")
        for step in config.get("history") or ()
        if not step.get("empty_layer")
    ]
    diff_ids = config["rootfs"]["diff_ids"]
    if len(diff_ids) != len(manifest["layers"]):
        raise ArchiveError(
            f"the manifest {digest} does not fit its configuration",
            why=f"{len(manifest['layers'])} layers, {len(diff_ids)} diff ids",
        )
    # History is optional, and some tools leave it out or write less of it.
    steps += [""] * (len(diff_ids) - len(steps))
    labels = (config.get("config") or {}).get("Labels") or {}
    return PlatformImage(
        platform=Platform(config["os"], config["architecture"], config.get("variant", "")),
        digest=digest,
        config_digest=manifest["config"]["digest"],
        layers=tuple(
            _layer(layer, diff_id, step, content(layer["digest"]))
            for layer, diff_id, step in zip(manifest["layers"], diff_ids, steps, strict=False)
        ),
        created=config.get("created") or "",
        base=labels.get(_BASE) or (manifest.get("annotations") or {}).get(_BASE, ""),
    )


def _layer(
    layer: Mapping[str, Any], diff_id: str, step: str, found: LayerContent | str | None
) -> ImageLayer:
    read = None if isinstance(found, str) else found
    problem = found if isinstance(found, str) else ""
    return ImageLayer(
        layer["digest"], layer["mediaType"], int(layer["size"]), diff_id, step, read, problem
    )


def read_blob(digest: str, blob: Source) -> LayerContent | str:
    """Return what a layer's blob holds, or why it cannot be read.

    One thread inflates it while another looks into what comes of it.

    Raises:
        ArchiveError: its content has another digest than its name.
    """
    hashed = _Hashed(blob)
    first = hashed.read(_CHUNK_BYTES)
    with ThreadPoolExecutor(1) as pool:
        try:
            with Feed() as feed:
                found = pool.submit(feed.consumed, _content_of, digest, b"")
                _, source = opened(first, hashed)
                while piece := source.read(_CHUNK_BYTES):
                    feed.put(piece)
        except ArchiveError as error:
            return f"{error.what}: {error.why}"
        finally:
            while hashed.read(_CHUNK_BYTES):
                pass
            _check(digest, hashed)
    return found.result()


def _check(digest: str, hashed: _Hashed) -> None:
    if hashed.hexdigest() != digest.removeprefix("sha256:"):
        raise ArchiveError(
            f"the blob {digest} is not what its name says",
            why=f"its content has the digest sha256:{hashed.hexdigest()}",
            next_step="pull or build the image again",
        )


def _content_of(digest: str, first: bytes, rest: Source) -> LayerContent | str:
    try:
        return read_layer(Prefixed(first, rest), digest)
    except ArchiveError as error:
        return f"{error.what}: {error.why}"


def _content(digest: str, first: bytes, rest: Source) -> LayerContent | str:
    """Return what a layer holds, or why it cannot be read.

    A layer that cannot be read is a problem only for an image that has it, so it is kept.
    """
    try:
        _, source = opened(first, rest)
        return read_layer(source, digest)
    except ArchiveError as error:
        return f"{error.what}: {error.why}"


class _Hashed:
    """A source that keeps the digest of what was read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        self._hash.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
