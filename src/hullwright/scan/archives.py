"""Searches an image as `docker save` streams it, front to back and in bounded memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hullwright.scan.hits import Hits
from hullwright.scan.search import Stream
from hullwright.tools.decompress import opened
from hullwright.tools.tarstream import ArchiveError, TarStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullwright.scan.needles import Needle
    from hullwright.scan.search import Haystack
    from hullwright.tools.tarstream import Source

_CHUNK_BYTES: Final = 256 * 1024
_BLOBS: Final = "blobs/sha256/"
# Larger ones are no manifests and configurations; they are searched, and not parsed.
_LARGEST_PARSED_BYTES: Final = 2 * 1024 * 1024
_LARGEST_KEPT_BYTES: Final = 32 * 1024 * 1024
_MOST_REMOVED: Final = 200_000
_GZIP: Final = b"\x1f\x8b"
# https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_SHAPES: Final = ("manifests", "layers", "rootfs")


@dataclass
class Layer:
    """One layer that was searched.

    Attributes:
        hits: by the path of the file.
        removed: paths of lower layers that it removes; of folders with a slash at the end only
            what was in them.
        problem: why it was not searched to its end; empty where it was.
    """

    hits: Hits = field(default_factory=Hits)
    removed: set[str] = field(default_factory=set)
    problem: str = ""

    def removes(self, path: str) -> bool:
        """Return whether a file of a lower layer is gone above this one."""
        parts = path.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        return any(name in self.removed or f"{name}/" in self.removed for name in above)


@dataclass
class Archive:
    """What is known of an image's archive while it passes.

    Attributes:
        haystack: what is searched for.
        layers: by digest; layers that are in here already are not searched again.
        documents: manifests, indexes and configurations by digest.
        hits: what JSON documents hold, by digest, each by the place in it.
        kinds: what those documents are.
    """

    haystack: Haystack
    layers: dict[str, Layer] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    hits: dict[str, Hits] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    index: Any = None
    present: set[str] = field(default_factory=set)
    searched_bytes: int = 0
    _kept_bytes: int = 0

    def read(self, stream: Source) -> None:
        """Search an archive to its end.

        Raises:
            ArchiveError: it is cut off or corrupt.
        """
        archive = TarStream(stream)
        for entry in archive:
            name = entry.name.removeprefix("./")
            if entry.regular and name == "index.json":
                self.index = self._document("index.json", archive.read(_CHUNK_BYTES), archive)
            elif entry.regular and name.startswith(_BLOBS):
                self._blob(f"sha256:{name.removeprefix(_BLOBS)}", archive)

    def _blob(self, digest: str, content: Source) -> None:
        self.present.add(digest)
        first = content.read(_CHUNK_BYTES)
        # An uncompressed layer whose first file is called "{" is still a layer.
        if first[:1] in {b"{", b"["} and first[257:262] != b"ustar":
            document = self._document(digest, first, content)
            if isinstance(document, dict) and any(shape in document for shape in _SHAPES):
                self.documents[digest] = document
        elif digest not in self.layers:
            self.layers[digest] = self._layer(first, content)

    def _layer(self, first: bytes, content: Source) -> Layer:
        layer = Layer()
        try:
            tar = TarStream(opened(first, content)[1])
            for entry in tar:
                self._names(layer, entry.name, entry.link)
                if entry.regular and entry.size_bytes:
                    found, size = search_file(self.haystack, tar)
                    self.searched_bytes += size
                    layer.hits.add(entry.name.removeprefix("./"), found)
        except ArchiveError as error:
            layer.problem = f"{error.what}: {error.why}" if error.why else error.what
        return layer

    def _names(self, layer: Layer, name: str, link: str) -> None:
        data = f"{name}\0{link}".encode("utf-8", "surrogateescape")
        layer.hits.add(name.removeprefix("./"), self.haystack.search(data))
        folder, _, last = name.removeprefix("./").rpartition("/")
        if last.startswith(_WHITEOUT) and len(layer.removed) < _MOST_REMOVED:
            prefix = f"{folder}/" if folder else ""
            gone = prefix if last == _OPAQUE else prefix + last.removeprefix(_WHITEOUT)
            layer.removed.add(gone)

    def _document(self, digest: str, first: bytes, content: Source) -> Any:
        """Search a JSON document, and return it where it is small enough to be kept."""
        stream = Stream(self.haystack)
        pieces, size = list[bytes](), 0
        piece = first
        while piece:
            stream.feed(piece)
            size += len(piece)
            if size <= _LARGEST_PARSED_BYTES:
                pieces.append(piece)
            piece = content.read(_CHUNK_BYTES)
        self.searched_bytes += size
        small = size <= _LARGEST_PARSED_BYTES and self._kept_bytes + size <= _LARGEST_KEPT_BYTES
        document = _parsed(b"".join(pieces)) if small else None
        self._kept_bytes += size if document is not None else 0
        self.kinds[digest] = _kind(document)
        if stream.found:
            self._keep(digest, document, stream.found)
        return document

    def _keep(self, digest: str, document: Any, found: set[Needle]) -> None:
        hits = self.hits.setdefault(digest, Hits())
        located: set[str] = set()
        for path, text in leaves(document):
            here = self.haystack.search(text.encode("utf-8", "surrogateescape"))
            hits.add(place_in(path, text), here)
            located |= {needle.keys for needle in here}
        hits.add("", (needle for needle in found if needle.keys not in located))


class Tee:
    """A source whose bytes are searched as somebody reads them."""

    def __init__(self, source: Source, stream: Stream) -> None:
        self._source = source
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        """Return what the source gives."""
        piece = self._source.read(size)
        self._stream.feed(piece)
        return piece


def search_file(haystack: Haystack, content: Source) -> tuple[set[Needle], int]:
    """Return what a file holds, and how many bytes were searched.

    One compressed with gzip is searched as it is and, one level deep, decompressed too.
    """
    raw = Stream(haystack)
    source = Tee(content, raw)
    first = source.read(_CHUNK_BYTES)
    inside = Stream(haystack)
    if first.startswith(_GZIP):
        _search_gzip(first, source, inside)
    while source.read(_CHUNK_BYTES):
        pass
    return raw.found | inside.found, raw.searched_bytes + inside.searched_bytes


def _search_gzip(first: bytes, rest: Source, stream: Stream) -> None:
    try:
        content = opened(first, rest)[1]
        while piece := content.read(_CHUNK_BYTES):
            stream.feed(piece)
    except ArchiveError:
        # Two bytes make no gzip file; what it is was searched as it is.
        return


def leaves(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text of a JSON document with its path; a key is a text too."""
    waiting: list[tuple[tuple[str, ...], Any]] = [(path, document)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                yield (*at, key), key
                waiting.append(((*at, key), inner))
        elif isinstance(value, list):
            waiting += [((*at, str(number)), inner) for number, inner in enumerate(value, 1)]
        elif isinstance(value, str):
            yield at, value


def place_in(path: tuple[str, ...], text: str) -> str:
    """Return how a place in a document is called: `ENV NAME`, `label KEY`, `history step 3`."""
    match path:
        case ("config", "Env", _):
            return f"ENV {text.partition('=')[0]}"
        case ("config", "Labels", key):
            return f"label {key}"
        case ("history", step, *_):
            return f"history step {step}"
        case (*_, "annotations", key):
            return f"annotation {key}"
    return ".".join(path)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _kind(document: Any) -> str:
    if not isinstance(document, dict):
        return "document"
    predicate = str(document.get("predicateType", ""))
    for word, kind in (("provenance", "provenance"), ("spdx", "SBOM"), ("cyclonedx", "SBOM")):
        if word in predicate:
            return kind
    return _kind_by_shape(document)


def _kind_by_shape(document: Mapping[str, Any]) -> str:
    names = {"rootfs": "configuration", "manifests": "index", "layers": "manifest"}
    return next((name for shape, name in names.items() if shape in document), "document")
