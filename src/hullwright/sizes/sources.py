"""Where images are read from: the local store, a registry, an OCI layout, an archive.

The engine gives an image as one stream (`docker save`), all layers in it, at some 50 MB/s. Where
this user may read the folder in which it keeps its blobs, each layer is read from there instead,
two at once and only those that are not known: the same bytes under the same digests, several
times as fast.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from hullwright.errors import HullwrightError
from hullwright.run import CommandError, Result
from hullwright.tools.decompress import opened
from hullwright.tools.layers import Room
from hullwright.tools.layouts import read_archive
from hullwright.tools.oci import Documents, Hashed, check_readable, platform_images, read_blob
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Collection, Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from hullwright.images import Platform, Reference
    from hullwright.tools.layers import LayerContent
    from hullwright.tools.oci import ImageLayer, PlatformImage
    from hullwright.tools.registryclient import RegistryClient
    from hullwright.tools.tarstream import Source as Bytes
    from hullwright.workspace import Workspace

# Reading a layer keeps two threads at work.
_AT_ONCE: Final = 2
# Below the engine's root folder, and where containerd is a service of its own.
_STORES: Final = (
    "{root}/containerd/daemon/io.containerd.content.v1.content",
    "/var/lib/containerd/io.containerd.content.v1.content",
)
_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_FOREIGN: Final = ("foreign", "nondistributable")


class Source(Protocol):
    """Where one image is read from."""

    def images(self, platforms: Collection[Platform] = ()) -> tuple[PlatformImage, ...]:
        """Return its images, one for each platform (none: all), with what their manifests say."""
        ...

    def read(
        self,
        known: Callable[[str], LayerContent | None],
        platforms: Collection[Platform] = (),
    ) -> tuple[PlatformImage, ...]:
        """Return the same images with what their layers hold, but for those that are known."""
        ...


@dataclass(frozen=True, slots=True)
class Blobs:
    """An image whose blobs can be had one by one.

    Attributes:
        index: points at its manifests.
        documents: gives what its descriptors name.
        blob: opens the content of a layer.
    """

    index: Mapping[str, Any]
    documents: Documents
    blob: Callable[[ImageLayer], AbstractContextManager[Bytes | None]]

    def images(self, platforms: Collection[Platform] = ()) -> tuple[PlatformImage, ...]:
        """Return its images; no layer is read."""
        return tuple(platform_images(self.index, self.documents, platforms=platforms))

    def read(
        self,
        known: Callable[[str], LayerContent | None],
        platforms: Collection[Platform] = (),
    ) -> tuple[PlatformImage, ...]:
        """Return the images with what their layers hold; each layer is read once."""
        images = self.images(platforms)
        wanted = {layer.digest: layer for image in images for layer in image.layers}
        found: dict[str, LayerContent | str] = {}
        for digest in wanted:
            content = known(digest)
            if content is not None:
                found[digest] = content
        unread = [layer for digest, layer in wanted.items() if digest not in found]
        # The largest first, so that none is left over for one thread at the end.
        unread.sort(key=lambda layer: -layer.stored_bytes)
        room = Room()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            reading = [pool.submit(self._read, layer, room) for layer in unread]
            try:
                found |= {
                    layer.digest: each.result() for layer, each in zip(unread, reading, strict=True)
                }
            except BaseException:
                # The others would be read for nobody.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return tuple(_filled(image, found) for image in images)

    def _read(self, layer: ImageLayer, room: Room) -> LayerContent | str:
        with self.blob(layer) as source:
            if source is not None:
                found = read_blob(layer.digest, source, room)
                check_readable(layer.digest, layer.media_type, found)
                return found
        if any(word in layer.media_type for word in _FOREIGN):
            return "it is a foreign layer, which is kept elsewhere than its image"
        return "it is not there"


@dataclass(frozen=True, slots=True)
class _OfEngine:
    """An image of the engine's store, read from the folder of its blobs.

    Attributes:
        digest: by which the engine knows it.
        blobs: what lies in the folder: also what was removed and is not swept out yet.
    """

    ws: Workspace
    digest: str
    blobs: Blobs

    def images(self, platforms: Collection[Platform] = ()) -> tuple[PlatformImage, ...]:
        """Return its images for platforms that the engine has."""
        return self._here(self.blobs.images(platforms))

    def read(
        self,
        known: Callable[[str], LayerContent | None],
        platforms: Collection[Platform] = (),
    ) -> tuple[PlatformImage, ...]:
        """Return them with what their layers hold."""
        here = [image.platform for image in self.images(platforms)]
        return self.blobs.read(known, here) if here else ()

    def _here(self, images: tuple[PlatformImage, ...]) -> tuple[PlatformImage, ...]:
        if len(images) < 2:
            return images
        return tuple(image for image in images if self._has(image.platform))

    def _has(self, platform: Platform) -> bool:
        words = ("--platform", str(platform), "--format", "{{.Id}}", self.digest)
        answer = self.ws.runner.read("docker", "image", "inspect", *words, check=False)
        # Engines and clients before 28 cannot be asked; what they have whole is all that there is.
        return answer.ok or "unknown flag" in answer.stderr or "API version" in answer.stderr


@dataclass
class Stream:
    """An image that comes as one archive, from front to back.

    Attributes:
        opened: opens the archive.
        known: gives what is known of a layer.
    """

    opened: Callable[[], AbstractContextManager[Bytes]]
    _read: tuple[PlatformImage, ...] | None = field(default=None, repr=False)

    def images(self, platforms: Collection[Platform] = ()) -> tuple[PlatformImage, ...]:
        """Return its images with their layers: reading less takes as long."""
        return self.read(lambda _: None, platforms)

    def read(
        self,
        known: Callable[[str], LayerContent | None],
        platforms: Collection[Platform] = (),
    ) -> tuple[PlatformImage, ...]:
        """Return the images with what their layers hold."""
        if self._read is None:
            with self.opened() as stream:
                self._read = read_archive(stream, known)
        return tuple(each for each in self._read if not platforms or each.platform in platforms)


def of_store(ws: Workspace, digest: str) -> Source:
    """Return an image of the engine's store, by its digest there."""
    folder = _store_of(ws, digest)
    if folder is not None:
        return _OfEngine(ws, digest, _of_folder(folder, {"manifests": [{"digest": digest}]}))
    return Stream(lambda: _saved(ws, digest))


def of_path(path: Path) -> Source:
    """Return an image of an OCI layout's folder, or of an archive in a file.

    Raises:
        HullwrightError: it is neither.
    """
    if not path.is_dir():
        return Stream(lambda: _archive(path))
    try:
        with (path / "index.json").open("rb") as file:
            index = json.loads(file.read(_DOCUMENT_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise HullwrightError(
            f"{path} is not an OCI layout",
            why=f"its index.json cannot be read: {getattr(error, 'strerror', None) or error}",
            next_step="name a folder that holds one, an archive, or an image",
        ) from None
    return _of_folder(path, index)


def of_registry(client: RegistryClient, reference: Reference) -> tuple[str, Source] | None:
    """Return the digest of an image of a registry, and the image; None where it has none.

    Raises:
        RegistryError: the registry cannot or will not answer.
        HullwrightError: it has something else under that name.
    """
    wanted = reference.digest or reference.tag or "latest"
    top = client.manifest(reference.path, wanted)
    if top is None:
        return None
    document = top.document()
    if "manifests" not in document and "layers" not in document:
        raise HullwrightError(
            f"{reference} is no image that can be measured",
            why=f"its manifest is of the type {top.media_type or 'unknown'}",
            next_step="push it again with a tool that writes OCI or Docker v2 manifests",
        )

    def manifest(descriptor: Mapping[str, Any]) -> Any:
        digest = descriptor["digest"]
        if digest == top.digest:
            return document
        found = client.manifest(reference.path, digest)
        if found is None:
            raise HullwrightError(
                f"{reference} is not whole in its registry",
                why=f"its index names the manifest {digest}, which is not there",
                next_step="push it again",
            )
        return found.document()

    def config(descriptor: Mapping[str, Any]) -> Any:
        return json.loads(client.blob(reference.path, descriptor["digest"], _DOCUMENT_BYTES))

    @contextmanager
    def blob(layer: ImageLayer) -> Iterator[Bytes | None]:
        # Such layers are elsewhere, as their descriptors say; no login is sent there.
        foreign = any(word in layer.media_type for word in _FOREIGN)
        yield (
            None if foreign else client.open_blob(reference.path, layer.digest, layer.stored_bytes)
        )

    index = {"manifests": [{"digest": top.digest}]}
    return top.digest, Blobs(index, Documents(manifest, config), blob)


def _filled(image: PlatformImage, found: Mapping[str, LayerContent | str]) -> PlatformImage:
    layers = []
    for layer in image.layers:
        content = found[layer.digest]
        if isinstance(content, str):
            layers.append(replace(layer, problem=content))
        else:
            layers.append(replace(layer, content=content))
    return replace(image, layers=tuple(layers))


def _of_folder(folder: Path, index: Mapping[str, Any]) -> Blobs:
    def path(digest: str) -> Path | None:
        # A digest names a file: nothing of it may lead elsewhere, and no pipe or device is one.
        found = folder / "blobs" / "sha256" / Path(digest.removeprefix("sha256:")).name
        return found if found.is_file() else None

    def document(descriptor: Mapping[str, Any]) -> Any:
        found = path(descriptor["digest"])
        if found is None:
            return None
        with _file(found) as file:
            content = file.read(_DOCUMENT_BYTES)
        checked = Hashed(BytesIO(content))
        checked.drain()
        checked.check(descriptor["digest"])
        return json.loads(content)

    @contextmanager
    def blob(layer: ImageLayer) -> Iterator[Bytes | None]:
        found = path(layer.digest)
        if found is None:
            yield None
            return
        with _file(found) as file:
            yield file

    return Blobs(index, Documents(document, document), blob)


@contextmanager
def _archive(path: Path) -> Iterator[Bytes]:
    """Open an archive, which people compress to pass it on; the engine loads it so, too."""
    with _file(path) as file:
        yield opened(file.read(_CHUNK_BYTES), file)[1]


@contextmanager
def _file(path: Path) -> Iterator[Bytes]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise HullwrightError(f"{path} cannot be read", why=f"{error.strerror}") from None
    with file:
        yield file


def _store_of(ws: Workspace, digest: str) -> Path | None:
    """Return the folder of the engine's blobs, where it has this one and this user may read it."""
    info = ws.runner.read("docker", "info", "--format", "{{.DockerRootDir}}", check=False)
    for form in _STORES:
        folder = Path(form.format(root=info.stdout.strip()))
        try:
            if (folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).is_file():
                return folder
        except OSError:
            continue
    return None


@contextmanager
def _saved(ws: Workspace, digest: str) -> Iterator[Bytes]:
    argv = ("docker", "image", "save", digest)
    with ws.runner.following(*argv) as process:
        # The runner's streams are text; an archive is the bytes below it.
        stream: BinaryIO = cast("Any", process.stdout).buffer
        try:
            yield stream
        except ArchiveError as error:
            # Only what ended by itself has an exit code that says why.
            if not stream.read(1) and process.wait() != 0:
                raise CommandError(_result(argv, process)) from error
            raise


def _result(argv: tuple[str, ...], process: subprocess.Popen[str]) -> Result:
    return Result(argv, process.returncode, "", process.stderr.read() if process.stderr else "")
