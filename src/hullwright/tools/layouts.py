"""Reads images out of one archive: an OCI layout in a tar stream, or what `docker save` once wrote.

The stream is read once from front to back. Nothing is written to disk, and what is kept in memory
is bounded: blobs come before the documents that say what they are, so each layer is measured
as it passes, and only small JSON documents are kept.

https://specs.opencontainers.org/image-spec/image-layout/ and, for the format of engines before 25,
which podman still writes,
https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format
"""

from __future__ import annotations

import json
import posixpath
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from hullwright.tools.decompress import compression
from hullwright.tools.feed import Feed
from hullwright.tools.layers import LayerContent, Room
from hullwright.tools.oci import (
    CHUNK_BYTES,
    Documents,
    Hashed,
    configured,
    platform_images,
    stored_content_of,
)
from hullwright.tools.tarstream import ArchiveError, TarStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullwright.tools.oci import PlatformImage
    from hullwright.tools.tarstream import Entry, Source

_BLOBS: Final = "blobs/sha256/"
_INDEX: Final = "index.json"
# The index of the older format, which newer engines write beside the other.
_OLD_INDEX: Final = "manifest.json"
_OLD_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
# Registries refuse manifests above 4 MiB; configurations are smaller still.
_LARGEST_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
_LARGEST_DOCUMENTS_BYTES: Final = 64 * 1024 * 1024
# An image has at most some hundred layers, and an archive some images.
_MOST_BLOBS: Final = 10_000
_READERS: Final = 2


def read_archive(
    stream: Source, known: Callable[[str], LayerContent | None]
) -> tuple[PlatformImage, ...]:
    """Return the images of an archive, one for each platform; attestations are left out.

    Platforms whose manifest is not in the archive (a pull fetches one of many) are left out too.
    An image of the older format has no manifest, and is known by its configuration.

    Args:
        stream: the tar archive.
        known: gives what is known of a layer that was read before; it is not read again.

    Raises:
        ArchiveError: the archive is cut off, corrupt, holds no images, or a blob whose content
            has another digest than its name.
    """
    # One thread reads the stream while others look into layers: most of that is done in C, which
    # leaves the interpreter's lock.
    with ThreadPoolExecutor(_READERS) as pool:
        archive = _Archive(known, pool)
        entries = TarStream(stream)
        for entry in entries:
            archive.add(entry, entries)
    return tuple(archive.images())


@dataclass(frozen=True, slots=True)
class _Blob:
    """A layer that passed: its own digest and bytes, and what it holds once that is known."""

    digest: str
    stored_bytes: int
    compressed: bool
    content: Future[LayerContent | str]


@dataclass
class _Archive:
    known: Callable[[str], LayerContent | None]
    pool: ThreadPoolExecutor
    room: Room = field(default_factory=Room)
    layers: dict[str, _Blob] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    kept_bytes: int = 0

    def add(self, entry: Entry, content: Source) -> None:
        """Take in one entry."""
        name = entry.name.removeprefix("./")
        if not entry.regular and entry.type not in {"1", "2"}:
            return
        if len(self.layers) + len(self.documents) + len(self.links) >= _MOST_BLOBS:
            raise ArchiveError(
                "the archive is hostile", why=f"it has more than {_MOST_BLOBS:,} blobs"
            )
        if not entry.regular:
            # The older format has a layer once, and links to it from where it is used again.
            folder = posixpath.dirname(name) if entry.type == "2" else ""
            self.links[name] = posixpath.normpath(posixpath.join(folder, entry.link))
            return
        digest = f"sha256:{name.removeprefix(_BLOBS)}" if name.startswith(_BLOBS) else ""
        known = self.known(digest) if digest else None
        if known is None:
            self._blob(name, digest, content)
        else:
            done: Future[LayerContent | str] = Future()
            done.set_result(known)
            self.layers[name] = _Blob(digest, entry.size_bytes, compressed=True, content=done)

    def _blob(self, name: str, digest: str, content: Source) -> None:
        hashed = Hashed(content)
        first = hashed.read(CHUNK_BYTES)
        # An uncompressed layer whose first file is called "{" is still a layer.
        if first[:1] in {b"{", b"["} and first[257:262] != b"ustar":
            self.documents[name] = self._document(first, hashed)
            hashed.drain()
        else:
            with Feed() as feed:
                found = self.pool.submit(
                    feed.consumed,
                    lambda rest: stored_content_of(digest, first, rest, self.room),
                )
                while piece := hashed.read(CHUNK_BYTES):
                    feed.put(piece)
            compressed = compression(first) != "none"
            self.layers[name] = _Blob(hashed.digest, hashed.size_bytes, compressed, found)
        self.digests[name] = hashed.digest
        if digest:
            hashed.check(digest)

    def _document(self, first: bytes, content: Source) -> Any:
        pieces = [first]
        size = len(first)
        while piece := content.read(CHUNK_BYTES):
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
        """Yield the images, once all entries were taken in."""
        index, old = self.documents.get(_INDEX), self.documents.get(_OLD_INDEX)
        if isinstance(index, dict):
            documents = Documents(self._told, self._told)
            yield from platform_images(index, documents, self._content)
        elif isinstance(old, list) and old:
            try:
                yield from map(self._saved, old)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise ArchiveError(
                    "the manifests of the image cannot be read", why=f"a document lacks {error}"
                ) from error
        else:
            raise ArchiveError(
                "the archive holds no images",
                why="it has neither an index.json, as an OCI layout, nor the manifest.json of"
                " docker save",
            )

    def _told(self, descriptor: Mapping[str, Any]) -> Any:
        return self.documents.get(f"{_BLOBS}{descriptor['digest'].removeprefix('sha256:')}")

    def _content(self, digest: str) -> LayerContent | str | None:
        blob = self.layers.get(f"{_BLOBS}{digest.removeprefix('sha256:')}")
        return None if blob is None else blob.content.result()

    def _saved(self, image: Mapping[str, Any]) -> PlatformImage:
        """Return an image of the older format; its layers have no names but their content."""
        name = image["Config"]
        config = self.documents[name]
        layers = [
            self._layer(path, diff_id)
            for path, diff_id in zip(image["Layers"], config["rootfs"]["diff_ids"], strict=True)
        ]
        digest = self.digests[name]
        told = name.removesuffix(".json").removeprefix("sha256:")
        if len(told) == len(digest) - len("sha256:") and f"sha256:{told}" != digest:
            raise ArchiveError(
                f"the configuration {name} is not what its name says",
                why=f"its content has the digest {digest}",
            )
        return configured(digest, digest, config, layers)

    def _layer(self, path: str, diff_id: str) -> tuple[str, str, int, LayerContent | str | None]:
        blob = self.layers.get(path) or self.layers.get(self.links.get(path, ""))
        if blob is None:
            return diff_id, "", 0, None
        # The digest of what is compressed is of the compressed bytes, and told nowhere.
        if not blob.compressed and blob.digest != diff_id:
            raise ArchiveError(
                f"the layer {path} is not what its image says",
                why=f"its content has the digest {blob.digest}, not {diff_id}",
                next_step="save the image again",
            )
        content = blob.content.result()
        if isinstance(content, LayerContent):
            content = replace(content, digest=blob.digest)
        return blob.digest, _OLD_LAYER, blob.stored_bytes, content
