"""Searches images of the local store, and tells in which layer of which platform a value lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from hullwright.errors import HullwrightError
from hullwright.run import CommandError, Result
from hullwright.scan.archives import Archive
from hullwright.scan.hits import finding, not_shown, unsearched
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from hullwright.findings import Finding
    from hullwright.scan.archives import Layer
    from hullwright.scan.models import ScannedImage
    from hullwright.scan.search import Haystack
    from hullwright.workspace import Workspace

_DEEPEST_INDEX: Final = 4
_LONGEST_STEP: Final = 60
_ATTESTATION: Final = "vnd.docker.reference.type"
_REBUILD: Final = (
    "rotate the secret, then build without it: RUN --mount=type=secret gives it to one step only"
)
_DELETED: Final = "deleted in a later layer, which hides it and does not remove it"


@dataclass(frozen=True, slots=True)
class _Platform:
    """One platform of an image: its layers from the lowest one up, with the steps' texts."""

    name: str
    layers: tuple[str, ...]
    steps: tuple[str, ...]


def search(
    ws: Workspace, haystack: Haystack, image: ScannedImage, layers: dict[str, Layer]
) -> tuple[list[Finding], int]:
    """Return what an image of the local store holds, and how many bytes were searched.

    Args:
        ws: the repository.
        haystack: what is searched for.
        image: which one; it is read by its digest.
        layers: of images that were searched before; those of this one are added.

    Raises:
        HullwrightError: the archive is cut off or corrupt, or the engine ended it.
    """
    archive = Archive(haystack, layers)
    _read(ws, image, archive)
    try:
        findings = [*_layer_findings(archive, image), *_document_findings(archive, image)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise HullwrightError(
            f"{image.reference} cannot be searched: its manifests cannot be read",
            why=f"a document lacks {error}",
        ) from error
    return findings, archive.searched_bytes


def _read(ws: Workspace, image: ScannedImage, archive: Archive) -> None:
    argv = ("docker", "image", "save", image.digest)
    with ws.runner.following(*argv) as process:
        # The runner's streams are text; an archive is the bytes below it.
        stream: BinaryIO = cast("Any", process.stdout).buffer
        try:
            archive.read(stream)
            _end(stream)
        except ArchiveError as error:
            # Only what ended by itself has an exit code that says why.
            if not stream.read(1) and process.wait() != 0:
                raise CommandError(_result(argv, process)) from error
            raise HullwrightError(
                f"{image.reference} cannot be searched: {error.what}",
                why=error.why,
                next_step="build or pull it again",
            ) from error
        if process.wait() != 0:
            raise CommandError(_result(argv, process))


def _end(stream: BinaryIO) -> None:
    """Read what a tar archive has after its last entry, so that its writer ends by itself."""
    while stream.read(1 << 16):
        pass


def _result(argv: tuple[str, ...], process: subprocess.Popen[str]) -> Result:
    return Result(argv, process.returncode, "", process.stderr.read() if process.stderr else "")


def _layer_findings(archive: Archive, image: ScannedImage) -> Iterator[Finding]:
    platforms = list(_platforms(archive, archive.index or {}, 0))
    if not platforms:
        yield unsearched(image.reference, "its archive has no index.json with an image")
    told: set[str] = set()
    for platform in platforms:
        shown = f"{image.reference} ({platform.name})" if len(platforms) > 1 else image.reference
        for number, digest in enumerate(platform.layers, 1):
            if digest in told:
                continue
            told.add(digest)
            subject = f"{shown} layer {number}"
            layer = archive.layers.get(digest)
            if digest not in archive.present or layer is None:
                yield unsearched(subject, "the local store does not have it", remedy="pull it")
                continue
            if layer.problem:
                yield unsearched(subject, layer.problem)
            later = [archive.layers.get(above) for above in platform.layers[number:]]
            yield from _of_layer(archive, layer, later, subject, platform.steps[number - 1])


def _of_layer(
    archive: Archive, layer: Layer, later: list[Layer | None], subject: str, step: str
) -> Iterator[Finding]:
    masked = archive.haystack.masked
    made = f"made by {_short(masked(step))}" if step else ""
    for path, keys, encoding in layer.hits.each():
        deleted = any(above is not None and above.removes(path) for above in later)
        notes = [note for note in (made, _DELETED if deleted else "") if note]
        place = f"{subject}: {masked(path)}"
        yield finding("scan.layer", place, keys, encoding, note="; ".join(notes), remedy=_REBUILD)
    yield from not_shown("scan.layer", subject, layer.hits.left_out)


def _short(step: str) -> str:
    words = " ".join(step.removesuffix("# buildkit").split())
    return words if len(words) <= _LONGEST_STEP else f"{words[: _LONGEST_STEP - 1]}…"


def _document_findings(archive: Archive, image: ScannedImage) -> Iterator[Finding]:
    for digest, hits in archive.hits.items():
        kind = archive.kinds[digest]
        for place, keys, encoding in sorted(hits.each(), key=_by_place):
            where = f": {archive.haystack.masked(place)}" if place else ""
            subject = f"{image.reference} {kind}{where}"
            name = "scan.attestation" if kind in {"provenance", "SBOM"} else "scan.configuration"
            yield finding(name, subject, keys, encoding, remedy=_REBUILD)
        yield from not_shown("scan.configuration", f"{image.reference} {kind}", hits.left_out)


def _by_place(hit: tuple[str, str, str]) -> list[tuple[int, str]]:
    """Return what sorts hits by place, numbers in it as numbers: step 3 before step 12."""
    words = re.split(r"(\d+)", hit[0])
    return [(int(word), "") if word.isdecimal() else (0, word) for word in words]


def _platforms(archive: Archive, index: Mapping[str, Any], depth: int) -> Iterator[_Platform]:
    for descriptor in index.get("manifests") or ():
        document = archive.documents.get(descriptor["digest"])
        # Attestations are documents; a platform that was not pulled is not in the archive.
        if document is None or _ATTESTATION in (descriptor.get("annotations") or {}):
            continue
        if "manifests" in document and depth < _DEEPEST_INDEX:
            yield from _platforms(archive, document, depth + 1)
        elif "layers" in document:
            yield _platform(archive, document)


def _platform(archive: Archive, manifest: Mapping[str, Any]) -> _Platform:
    config = archive.documents.get(manifest["config"]["digest"]) or {}
    layers = tuple(layer["digest"] for layer in manifest["layers"])
    history = config.get("history") or ()
    steps = [step.get("created_by", "") for step in history if not step.get("empty_layer")]
    steps += [""] * (len(layers) - len(steps))
    name = "/".join(filter(None, (config.get(k, "") for k in ("os", "architecture", "variant"))))
    return _Platform(name or "unknown platform", layers, tuple(steps))
