"""Measures images of the local store, each once: figures are kept by digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from hullwright.errors import HullwrightError, UnavailableError, unknown
from hullwright.images import Platform
from hullwright.recorded import load
from hullwright.run import CommandError, cache_dir
from hullwright.sizes.budgets import judge
from hullwright.sizes.cache import Cache
from hullwright.sizes.models import Figures, ImageSizes, LayerSize, SizeReport, Subject
from hullwright.tools import dockerfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.sizes.sources import Source
    from hullwright.tools.layers import LayerContent
    from hullwright.tools.oci import PlatformImage
    from hullwright.workspace import Workspace

_CLASSIC: Final = "the classic image store keeps no compressed layers; known once it is pushed"


def subjects(
    ws: Workspace,
    *,
    images: Sequence[str] = (),
    services: Sequence[str] = (),
    target: str = "",
) -> tuple[Subject, ...]:
    """Return which images are meant: those named, else the recorded ones, narrowed down.

    Raises:
        UsageError: an unknown service, or a target that no build recorded.
        HullwrightError: nothing is named, and nothing was built yet.
    """
    recorded = [
        Subject(r.reference, r.service, r.target, r.digest)
        for r in load(ws).values()
        if _is_still_built(ws, r.service, r.target)
    ]
    if images:
        by_reference = {subject.reference: subject for subject in recorded}
        return tuple(by_reference.get(image, Subject(image)) for image in images)
    for service in services:
        if service not in ws.config.services:
            raise unknown("service", service, ws.config.services)
    kept = [s for s in recorded if not services or s.service in services]
    if target and kept and target not in {subject.target for subject in kept}:
        raise unknown("target", target, {subject.target for subject in kept})
    chosen = tuple(s for s in kept if not target or s.target == target)
    if not chosen:
        whose = f" of {', '.join(services)}" if services else ""
        raise HullwrightError(
            f"no image{whose} was built yet, so there is nothing to measure",
            next_step="invoke build, or name an image of the local store: invoke sizes --image REF",
        )
    return chosen


def _is_still_built(ws: Workspace, service: str, target: str) -> bool:
    """Return whether a build could make that image today; records outlive what they are of."""
    configured = ws.config.services.get(service)
    if configured is None:
        return False
    if not target:
        # The last stage under no name, which is not asked for any more once one has a name.
        return not configured.default_target
    path = ws.root / configured.dockerfile
    return not path.is_file() or target in dockerfile.read(path).stages


class BuiltImage(Protocol):
    """What is needed of an image that was just built; a build's results have it."""

    @property
    def service(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def reference(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def stored(self) -> bool: ...
    @property
    def before(self) -> str: ...


class Built(Protocol):
    """A build's report, as far as its images are measured."""

    @property
    def targets(self) -> Sequence[BuiltImage]: ...


def of_build(ws: Workspace, built: Built) -> dict[str, tuple[Figures, ...]]:
    """Return the figures of images that were just built, by their digest.

    Only what no earlier run measured costs a look into the store, so a build in which nothing
    changed asks the engine nothing. Of the images before them there are figures where they are
    known.
    """
    measured: dict[str, tuple[Figures, ...]] = {}
    cache = Cache(cache_dir(ws.environ))
    for image in built.targets:
        if not (image.stored and image.digest):
            continue
        subject = Subject(image.reference, image.service, image.target, image.digest)
        try:
            measured[image.digest] = _figures(ws, subject, image.digest)
        except HullwrightError as error:
            # The image is built all the same; only its figures are not known.
            ws.console.warn(f"{image.reference} was built, and could not be measured: {error.what}")
        known = cache.figures(image.before) if image.before else None
        if known is not None:
            measured.setdefault(image.before, known)
    return measured


def measure(
    ws: Workspace,
    images: Sequence[Subject],
    *,
    platforms: Sequence[str] = (),
    skip_missing: bool = False,
) -> SizeReport:
    """Return a row for each platform of each image, with what the budgets say of it.

    Args:
        ws: the repository.
        images: what is measured.
        platforms: as they are typed; empty means all that an image holds.
        skip_missing: list an image that the store no longer has instead of failing.

    Raises:
        HullwrightError: an image is not in the local store, or its archive is corrupt.
        UsageError: an image has no such platform.
    """
    asked = {str(Platform.parse(text)) for text in platforms}
    rows: list[ImageSizes] = []
    missing: list[str] = []
    for subject in images:
        digest = _digest(ws, subject)
        if digest is None and not skip_missing:
            raise _missing(subject)
        if digest is None:
            missing.append(subject.reference)
            continue
        measured = _figures(ws, subject, digest)
        held = {row.platform for row in measured}
        for platform in sorted(asked - held):
            raise unknown(f"platform of {subject.reference}", platform, held)
        rows += [
            ImageSizes(subject, row, judge(_budgets(ws, subject), row))
            for row in measured
            if not asked or row.platform in asked
        ]
    return SizeReport(tuple(rows), tuple(missing))


def _budgets(ws: Workspace, subject: Subject) -> Sequence[Any]:
    service = ws.config.services.get(subject.service)
    # Budgets are for what is shipped: a development stage holds tools that production does not.
    return service.budgets if service and subject.target == service.default_target else ()


def _digest(ws: Workspace, subject: Subject) -> str | None:
    """Return what the store knows an image by, or None where it has no such image."""
    result = ws.runner.read(
        *("docker", "image", "inspect", "--format", "{{json .Id}}"),
        subject.digest or subject.reference,
        check=False,
    )
    if result.ok:
        return str(json.loads(result.stdout))
    if "no such image" in result.stderr.lower():
        return None
    if "cannot connect" in result.stderr.lower() or "error during connect" in result.stderr.lower():
        raise UnavailableError(
            "the Docker engine cannot be reached",
            why=result.stderr.strip(),
            next_step="start it, or: invoke setup   (says what is missing)",
        )
    raise CommandError(result)


def _missing(subject: Subject) -> HullwrightError:
    return HullwrightError(
        f"the image {subject.reference} is not in the local store",
        why=f"a build recorded it as {subject.digest}" if subject.digest else "",
        next_step="invoke build" if subject.service else f"docker pull {subject.reference}",
    )


def _figures(ws: Workspace, subject: Subject, digest: str) -> tuple[Figures, ...]:
    cache = Cache(cache_dir(ws.environ))
    known = cache.figures(digest)
    if known is not None:
        return known
    return tuple(row for row, _ in _read(ws, subject, digest, cache))


def _read(
    ws: Workspace, subject: Subject, digest: str, cache: Cache
) -> list[tuple[Figures, tuple[LayerContent, ...]]]:
    """Return each platform's figures, and the content of its layers where all could be read."""
    # Imported where an image is read: a build in which nothing changed does without.
    from hullwright.sizes import sources

    ws.console.status(f"… reading {subject.reference}")
    source = sources.of_store(ws, subject.reference, digest)
    return _measured(source, digest, cache)


def _measured(
    source: Source, digest: str, cache: Cache
) -> list[tuple[Figures, tuple[LayerContent, ...]]]:
    images = source.read(source.images(), cache.layer)
    for layer in (layer for image in images for layer in image.layers):
        if layer.content is not None:
            cache.keep_layer(layer.content)
    rows = [(_row(image, digest), _contents(image)) for image in images]
    if all(row.unpacked_bytes is not None for row, _ in rows):
        cache.keep_figures(digest, tuple(row for row, _ in rows))
    return rows


def _contents(image: PlatformImage) -> tuple[LayerContent, ...]:
    found = tuple(layer.content for layer in image.layers if layer.content is not None)
    return found if len(found) == len(image.layers) else ()


def _row(image: PlatformImage, digest: str) -> Figures:
    # The classic store knows an image by its configuration, and keeps layers uncompressed.
    classic = digest == image.config_digest
    unpacked = [layer.content.unpacked_bytes if layer.content else None for layer in image.layers]
    return Figures(
        platform=str(image.platform),
        digest=image.digest,
        compressed_bytes=None if classic else sum(layer.stored_bytes for layer in image.layers),
        unpacked_bytes=_sum(unpacked),
        layers=tuple(
            LayerSize(
                digest=layer.digest,
                diff_id=layer.diff_id,
                compressed_bytes=None if classic else layer.stored_bytes,
                unpacked_bytes=layer.content.unpacked_bytes if layer.content else None,
                created_by=layer.created_by,
            )
            for layer in image.layers
        ),
        problem=_problem(image) or (_CLASSIC if classic else ""),
        created=image.created,
        base=image.base,
    )


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _problem(image: PlatformImage) -> str:
    for layer in image.layers:
        if layer.problem:
            return f"layer {layer.digest}: {layer.problem}"
        if layer.content is None:
            return f"layer {layer.digest} is not in the local store"
    return ""
