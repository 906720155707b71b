"""Two images of OCI archives, layer by layer: headers and hashes of all files, content of a few."""

from __future__ import annotations

import hashlib
import json
import tarfile
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from hullwright.images import Platform
from hullwright.tools.decompress import opened
from hullwright.tools.tarstream import ArchiveError, TarStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from hullwright.tools.tarstream import Entry, Source

_CHUNK_BYTES: Final = 1024 * 1024
_FIRST_BYTES: Final = 64
# Of the content of files that differ, no more is looked at.
_PROBED_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a layer.

    Attributes:
        entry: its header.
        hashed: SHA-256 of its content.
    """

    entry: Entry
    hashed: str


@dataclass(frozen=True, slots=True)
class Image:
    """One platform's image.

    Attributes:
        platform: as people write it.
        digest: of its manifest.
        manifest: the document.
        config: the configuration.
    """

    platform: str
    digest: str
    manifest: Mapping[str, Any] = field(repr=False)
    config: Mapping[str, Any] = field(repr=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Digests of the layers' blobs, the lowest first."""
        return tuple(layer["digest"] for layer in self.manifest["layers"])

    @property
    def created_by(self) -> tuple[str, ...]:
        """What made each layer, in the builder's words; empty where it does not say."""
        told = [
            step.get("created_by", "")
            for step in self.config.get("history") or ()
            if not step.get("empty_layer")
        ]
        return tuple(told) if len(told) == len(self.layers) else ("",) * len(self.layers)


class Archive:
    """An OCI archive that a builder wrote into a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = tarfile.open(path)  # noqa: SIM115  it is open as long as this is

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def images(self) -> dict[str, Image]:
        """Return the images by platform; attestations are left out.

        Raises:
            ArchiveError: it is no OCI archive of images.
        """
        try:
            index = json.loads(self._read("index.json"))
            return {image.platform: image for image in self._images(index)}
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveError(f"{self._path.name} holds no images", why=str(error)) from error

    def members(self, digest: str) -> dict[str, Member]:
        """Return the entries of a layer by their paths, in their order."""
        found = {}
        with self._stream(digest) as stream:
            for entry in stream:
                hashed = hashlib.sha256()
                while piece := stream.read(_CHUNK_BYTES):
                    hashed.update(piece)
                found[entry.name.removeprefix("./").rstrip("/")] = Member(entry, hashed.hexdigest())
        return found

    def contents(self, digest: str, paths: Collection[str]) -> dict[str, bytes]:
        """Return the content of some files of a layer, cut off where it is large."""
        found = {}
        with self._stream(digest) as stream:
            for entry in stream:
                path = entry.name.removeprefix("./").rstrip("/")
                if path in paths:
                    pieces, size = [], 0
                    while size < _PROBED_BYTES and (piece := stream.read(_CHUNK_BYTES)):
                        pieces.append(piece)
                        size += len(piece)
                    found[path] = b"".join(pieces)
        return found

    def _images(self, index: Mapping[str, Any]) -> Iterator[Image]:
        for entry in index["manifests"]:
            if (entry.get("annotations") or {}).get("vnd.docker.reference.type"):
                continue
            document = json.loads(self._read(_blob(entry["digest"])))
            if "manifests" in document:
                yield from self._images(document)
                continue
            config = json.loads(self._read(_blob(document["config"]["digest"])))
            parts = (config.get("os"), config.get("architecture"), config.get("variant"))
            platform = str(Platform.parse("/".join(part for part in parts if part)))
            yield Image(platform, entry["digest"], document, config)

    def _stream(self, digest: str) -> _Layer:
        return _Layer(self._open(_blob(digest)))

    def _open(self, name: str) -> _Closing:
        file = self._file.extractfile(name)
        if file is None:
            raise ArchiveError(f"{self._path.name} has no {name}")
        return cast("_Closing", file)

    def _read(self, name: str) -> bytes:
        with closing(self._open(name)) as file:
            return file.read(-1)


class _Closing(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Layer:
    """The tar stream of a layer, whichever way it is compressed."""

    def __init__(self, blob: _Closing) -> None:
        self._blob = blob

    def __enter__(self) -> TarStream:
        first = self._blob.read(_FIRST_BYTES)
        content: Source = opened(first, self._blob)[1]
        return TarStream(content)

    def __exit__(self, *_: object) -> None:
        self._blob.close()


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
