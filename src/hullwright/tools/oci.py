"""Reads images out of an OCI layout in a tar stream, which is what `docker save` writes.

The stream is read once from front to back. Nothing is written to disk, and what is kept in memory
is bounded: blobs come before the documents that say what they are, so each layer is measured
as it passes, and only small JSON documents are kept.

https://specs.opencontainers.org/image-spec/image-layout/
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from hullwright.images import Platform
from hullwright.tools.tarstream import ArchiveError, Source, TarStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Compression = Literal["none", "gzip", "zstd"]

_BLOBS: Final = "blobs/sha256/"
_INDEX: Final = "index.json"
_CHUNK_BYTES: Final = 256 * 1024
# Registries refuse manifests above 4 MiB; configurations are smaller still.
_LARGEST_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
_LARGEST_DOCUMENTS_BYTES: Final = 64 * 1024 * 1024
_DEEPEST_INDEX: Final = 4
_UNREADABLE: Final = "zstd needs the package zstandard here"
_ATTESTATION: Final = "vnd.docker.reference.type"


@dataclass(frozen=True, slots=True)
class LayerFigures:
    """What was measured of one layer's blob.

    Attributes:
        digest: of the blob.
        compression: how it is stored.
        unpacked_bytes: sum of its regular files; None where the compression cannot be read here.
        problem: why its content could not be read; empty where it could.
    """

    digest: str
    compression: Compression
    unpacked_bytes: int | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """One layer of one platform's image.

    Attributes:
        stored_bytes: size in the manifest's descriptor: what is transferred.
        diff_id: digest of the layer without compression, from the configuration.
        created_by: the step that made it, from the configuration's history.
        figures: what was measured; None where the archive does not hold it.
    """

    digest: str
    media_type: str
    stored_bytes: int
    diff_id: str
    created_by: str
    figures: LayerFigures | None


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """The image of one platform.

    Attributes:
        digest: of its manifest.
        config_digest: of its configuration, by which the classic image store knows it.
    """

    platform: Platform
    digest: str
    config_digest: str
    layers: tuple[ImageLayer, ...]


def read_layout(
    stream: Source, known: Callable[[str], LayerFigures | None]
) -> tuple[PlatformImage, ...]:
    """Return the images of an OCI layout, one for each platform; attestations are left out.

    Platforms whose manifest is not in the archive (a pull fetches one of many) are left out too.

    Args:
        stream: the tar archive.
        known: gives the figures of a layer that was measured before; it is not read again.

    Raises:
        ArchiveError: the archive is cut off, corrupt, no OCI layout, or holds a blob whose
            content has another digest than its name.
    """
    layout = _Layout(known)
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
    known: Callable[[str], LayerFigures | None]
    layers: dict[str, LayerFigures] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    index: Any = None
    kept_bytes: int = 0

    def add(self, name: str, content: Source) -> None:
        if name == _INDEX:
            self.index = self._document(b"", content)
        elif name.startswith(_BLOBS):
            digest = f"sha256:{name.removeprefix(_BLOBS)}"
            figures = self.known(digest)
            if figures is None:
                self._blob(digest, content)
            else:
                self.layers[digest] = figures

    def _blob(self, digest: str, content: Source) -> None:
        hashed = _Hashed(content)
        first = hashed.read(_CHUNK_BYTES)
        # An uncompressed layer whose first file is called "{" is still a layer.
        if first[:1] in {b"{", b"["} and first[257:262] != b"ustar":
            document = self._document(first, hashed)
            if document is not None:
                self.documents[digest] = document
        else:
            self.layers[digest] = _measured(digest, _Prefixed(first, hashed))
        while hashed.read(_CHUNK_BYTES):
            pass
        if hashed.hexdigest() != digest.removeprefix("sha256:"):
            raise ArchiveError(
                f"the blob {digest} is not what its name says",
                why=f"its content has the digest sha256:{hashed.hexdigest()}",
                next_step="pull or build the image again",
            )

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
        try:
            yield from self._images(self.index, depth=0)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ArchiveError(
                "the archive's manifests cannot be read", why=f"a document lacks {error}"
            ) from error

    def _images(self, index: Mapping[str, Any], depth: int) -> Iterator[PlatformImage]:
        if depth > _DEEPEST_INDEX:
            raise ArchiveError("the archive's indexes point at each other")
        for descriptor in index["manifests"]:
            document = self.documents.get(descriptor["digest"])
            annotations = descriptor.get("annotations") or {}
            if document is None or _ATTESTATION in annotations:
                continue
            if "manifests" in document:
                yield from self._images(document, depth + 1)
            elif "layers" in document:
                image = self._image(descriptor["digest"], document)
                if image is not None:
                    yield image

    def _image(self, digest: str, manifest: Mapping[str, Any]) -> PlatformImage | None:
        config_digest = manifest["config"]["digest"]
        config = self.documents.get(config_digest)
        if config is None or config.get("os", "unknown") == "unknown":
            return None
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
        return PlatformImage(
            platform=Platform(config["os"], config["architecture"], config.get("variant", "")),
            digest=digest,
            config_digest=config_digest,
            layers=tuple(
                ImageLayer(
                    digest=layer["digest"],
                    media_type=layer["mediaType"],
                    stored_bytes=int(layer["size"]),
                    diff_id=diff_id,
                    created_by=step,
                    figures=self.layers.get(layer["digest"]),
                )
                for layer, diff_id, step in zip(manifest["layers"], diff_ids, steps, strict=False)
            ),
        )


def _measured(digest: str, content: _Prefixed) -> LayerFigures:
    """Return the figures of a layer as it passes.

    A layer that cannot be read is a problem only for an image that has it, so it is kept.
    """
    compression, source = _opened(content)
    if source is None:
        return LayerFigures(digest, compression, None, _UNREADABLE)
    try:
        unpacked = sum(entry.size_bytes for entry in TarStream(source) if entry.regular)
    except ArchiveError as error:
        return LayerFigures(digest, compression, None, f"{error.what}: {error.why}")
    return LayerFigures(digest, compression, unpacked)


def decompressed(first: bytes, rest: Source) -> Source:
    """Return the content of a blob whose first bytes were read already, without its compression.

    Raises:
        ArchiveError: the compression cannot be read here.
    """
    _, source = _opened(_Prefixed(first, rest))
    if source is None:
        raise ArchiveError(_UNREADABLE)
    return source


def _opened(content: _Prefixed) -> tuple[Compression, Source | None]:
    compression = _compression(content.first)
    if compression == "gzip":
        return compression, Gunzip(content)
    return compression, _zstd(content) if compression == "zstd" else content


def _compression(first: bytes) -> Compression:
    if first.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if first.startswith(b"\x28\xb5\x2f\xfd") else "none"


class _Decompressor(Protocol):
    def stream_reader(self, source: Source, /) -> Source: ...


def _zstd(content: Source) -> Source | None:
    try:
        from importlib import import_module

        decompressor: _Decompressor = import_module("zstandard").ZstdDecompressor()
    except ImportError:
        return None
    return decompressor.stream_reader(content)


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


class _Prefixed:
    """A source whose first bytes were looked at already."""

    def __init__(self, first: bytes, source: Source) -> None:
        self.first = first
        self._rest = first
        self._source = source

    def read(self, size: int, /) -> bytes:
        if self._rest:
            piece, self._rest = self._rest[:size], self._rest[size:]
            return piece
        return self._source.read(size)


class Gunzip:
    """The decompressed bytes of a gzip source of one or several members, in bounded pieces."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._inflate = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end.

        Raises:
            ArchiveError: the data is corrupt or cut off.
        """
        while not self._ended:
            if not self._pending:
                self._pending = self._source.read(_CHUNK_BYTES)
                if not self._pending:
                    if not self._inflate.eof:
                        raise ArchiveError("the archive is cut off", why="its gzip data ends early")
                    break
            if self._inflate.eof:
                # Padding after the last member is allowed; anything else is a next member.
                self._pending = self._pending.lstrip(b"\0")
                if not self._pending:
                    continue
                self._inflate = zlib.decompressobj(wbits=31)
            if piece := self._some(size):
                return piece
        self._ended = True
        return b""

    def _some(self, size: int) -> bytes:
        try:
            piece = self._inflate.decompress(self._pending, size)
        except zlib.error as error:
            raise ArchiveError("the archive is corrupt", why=f"gzip: {error}") from error
        self._pending = (
            self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        )
        return piece
