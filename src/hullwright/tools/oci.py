"""What the documents of an OCI or Docker image say, and what one of its blobs holds.

https://specs.opencontainers.org/image-spec/image-index/ and the pages beside it
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.images import Platform
from hullwright.tools.decompress import opened
from hullwright.tools.feed import Feed
from hullwright.tools.layers import LayerContent, Room, read_layer
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from hullwright.tools.tarstream import Source

CHUNK_BYTES: Final = 256 * 1024
_DEEPEST_INDEX: Final = 4
_ATTESTATION: Final = "vnd.docker.reference.type"
_BASE: Final = "org.opencontainers.image.base.digest"
_BASE_NAME: Final = "org.opencontainers.image.base.name"


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
        base_name: its name, likewise.
    """

    platform: Platform
    digest: str
    config_digest: str
    layers: tuple[ImageLayer, ...]
    created: str = ""
    base: str = ""
    base_name: str = ""


@dataclass(frozen=True, slots=True)
class Documents:
    """Where the documents of an image are had from.

    Attributes:
        manifest: gives the manifest or index of a descriptor; None where it is not there, as of
            platforms that were not pulled.
        config: gives a configuration; None where it is not there.
    """

    manifest: Callable[[Mapping[str, Any]], Any]
    config: Callable[[Mapping[str, Any]], Any]


def platform_images(
    index: Mapping[str, Any],
    documents: Documents,
    content: Callable[[str], LayerContent | str | None] = lambda _: None,
    platforms: Collection[Platform] = (),
) -> Iterator[PlatformImage]:
    """Yield the images of an index, one for each platform; attestations are left out.

    Args:
        index: an index, of which those that it points at may be.
        documents: gives what descriptors name.
        content: gives what a layer holds, why it cannot be read, or None where it was not read.
        platforms: of which nothing else is asked for where the index tells; empty means all.

    Raises:
        ArchiveError: a document is not what its media type says.
    """
    try:
        yield from _images(index, documents, content, platforms, depth=0)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ArchiveError(
            "the manifests of the image cannot be read", why=f"a document lacks {error}"
        ) from error


def _images(
    index: Mapping[str, Any],
    documents: Documents,
    content: Callable[[str], LayerContent | str | None],
    platforms: Collection[Platform],
    depth: int,
) -> Iterator[PlatformImage]:
    if depth > _DEEPEST_INDEX:
        raise ArchiveError("the image's indexes point at each other")
    for descriptor in index["manifests"]:
        found = documents.manifest(descriptor) if _is_wanted(descriptor, platforms) else None
        if found is None:
            continue
        if "manifests" in found:
            yield from _images(found, documents, content, platforms, depth + 1)
        elif "layers" in found:
            config = documents.config(found["config"])
            if config is None or config.get("os", "unknown") == "unknown":
                continue
            image = _image(descriptor["digest"], found, config, content)
            if not platforms or image.platform in platforms:
                yield image


def _is_wanted(descriptor: Mapping[str, Any], platforms: Collection[Platform]) -> bool:
    if _ATTESTATION in (descriptor.get("annotations") or {}):
        return False
    told = descriptor.get("platform") or {}
    # Tools disagree on whether a variant is written, so it is left to the configuration.
    return (
        not platforms
        or "architecture" not in told
        or any((each.os, each.arch) == (told.get("os"), told["architecture"]) for each in platforms)
    )


def _image(
    digest: str,
    manifest: Mapping[str, Any],
    config: Mapping[str, Any],
    content: Callable[[str], LayerContent | str | None],
) -> PlatformImage:
    labels = (config.get("config") or {}).get("Labels") or {}
    layers = [
        (layer["digest"], layer["mediaType"], int(layer["size"]), content(layer["digest"]))
        for layer in manifest["layers"]
    ]
    return configured(
        digest,
        manifest["config"]["digest"],
        config,
        layers,
        labels.get(_BASE) or (manifest.get("annotations") or {}).get(_BASE, ""),
    )


def configured(
    digest: str,
    config_digest: str,
    config: Mapping[str, Any],
    layers: Sequence[tuple[str, str, int, LayerContent | str | None]],
    base: str = "",
) -> PlatformImage:
    """Return the image that a configuration tells of.

    Args:
        digest: of its manifest, or of the configuration where there is none.
        config_digest: of the configuration.
        config: its content.
        layers: digest, media type, stored bytes, and what is known of the content.
        base: digest of the image that it is built on.

    Raises:
        ArchiveError: it tells of another number of layers.
    """
    steps = [
        step.get("created_by", "")
        for step in config.get("history") or ()
        if not step.get("empty_layer")
    ]
    diff_ids = config["rootfs"]["diff_ids"]
    if len(diff_ids) != len(layers):
        raise ArchiveError(
            f"the manifest {digest} does not fit its configuration",
            why=f"{len(layers)} layers, {len(diff_ids)} diff ids",
        )
    # History is optional, and some tools leave it out or write less of it.
    steps += [""] * (len(diff_ids) - len(steps))
    os, arch, variant = config["os"], config["architecture"], config.get("variant") or ""
    return PlatformImage(
        # arm64/v8 is what plain arm64 means.
        platform=Platform(os, arch, "" if (arch, variant) == ("arm64", "v8") else variant),
        digest=digest,
        config_digest=config_digest,
        layers=tuple(
            _layer(layer, diff_id, step)
            for layer, diff_id, step in zip(layers, diff_ids, steps, strict=False)
        ),
        created=config.get("created") or "",
        base=base,
        base_name=((config.get("config") or {}).get("Labels") or {}).get(_BASE_NAME, ""),
    )


def _layer(
    layer: tuple[str, str, int, LayerContent | str | None], diff_id: str, step: str
) -> ImageLayer:
    digest, media_type, size, found = layer
    check_readable(digest, media_type, found)
    read = None if isinstance(found, str) else found
    problem = found if isinstance(found, str) else ""
    return ImageLayer(digest, media_type, size, diff_id, step, read, problem)


def read_blob(digest: str, blob: Source, room: Room | None = None) -> LayerContent | str:
    """Return what a layer's blob holds, or why it cannot be read.

    One thread inflates it while another looks into what comes of it.

    Args:
        digest: its name.
        blob: its content.
        room: how much may be kept of it.

    Raises:
        ArchiveError: its content has another digest than its name.
    """
    hashed = Hashed(blob)
    first = hashed.read(CHUNK_BYTES)
    with ThreadPoolExecutor(1) as pool:
        try:
            with Feed() as feed:
                found = pool.submit(feed.consumed, lambda rest: content_of(digest, rest, room))
                _, source = opened(first, hashed)
                while not feed.dropped and (piece := source.read(CHUNK_BYTES)):
                    feed.put(piece)
            told = found.result()
        except ArchiveError as error:
            told = f"{error.what}: {error.why}"
    hashed.drain()
    hashed.check(digest)
    return told


def check_readable(digest: str, media_type: str, found: LayerContent | str | None) -> None:
    """Return where what was found of a layer is what its media type says.

    What is no archive, or is encrypted, need not be one that can be read.

    Raises:
        ArchiveError: it should be an archive, and cannot be read.
    """
    if isinstance(found, str) and "tar" in media_type and "encrypted" not in media_type:
        raise ArchiveError(f"the layer {digest} cannot be read", why=found)


def content_of(digest: str, layer: Source, room: Room | None) -> LayerContent | str:
    """Return what an uncompressed layer holds, or why it cannot be read.

    A layer that cannot be read is a problem only for an image that has it, so it is kept.
    """
    try:
        return read_layer(layer, digest, room)
    except ArchiveError as error:
        return f"{error.what}: {error.why}"


def stored_content_of(
    digest: str, first: bytes, rest: Source, room: Room | None
) -> LayerContent | str:
    """Return the same of a layer as it is stored, of which `first` was read already."""
    _, source = opened(first, rest)
    return content_of(digest, source, room)


class Hashed:
    """A source that keeps the digest and the number of the bytes that were read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end."""
        piece = self._source.read(size)
        self._hash.update(piece)
        self.size_bytes += len(piece)
        return piece

    def drain(self) -> None:
        """Read to the end."""
        while self.read(CHUNK_BYTES):
            pass

    @property
    def digest(self) -> str:
        """The digest of what was read."""
        return f"sha256:{self._hash.hexdigest()}"

    def check(self, digest: str) -> None:
        """Return where what was read has this digest.

        Raises:
            ArchiveError: it has another.
        """
        if self.digest != digest:
            raise ArchiveError(
                f"the blob {digest} is not what its name says",
                why=f"its content has the digest {self.digest}",
                next_step="pull or build the image again",
            )
