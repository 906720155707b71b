"""From an image's layers to its figures, each image once: they are kept by digest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError
from hullwright.sizes.models import Figures, LayerSize
from hullwright.sizes.ondisk import snapshot_bytes
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hullwright.images import Platform
    from hullwright.sizes.cache import Cache
    from hullwright.sizes.choosing import Located
    from hullwright.sizes.contents import Contents
    from hullwright.sizes.sources import Source
    from hullwright.tools.oci import PlatformImage

_CLASSIC: Final = "the classic image store keeps no compressed layers; known once it is pushed"
_UNREAD: Final = "only the manifest was read; with --deep its layers are"


@dataclass(frozen=True, slots=True)
class Measured:
    """One platform of an image: its figures, and its files where they were asked for."""

    figures: Figures
    contents: Contents | None = None


def read(
    located: Located, cache: Cache, *, deep: bool, platforms: Collection[Platform] = ()
) -> tuple[Measured, ...]:
    """Return what an image measures, one for each platform.

    Of a registry's images only manifests and configurations are read, unless `deep` is set; and
    of platforms that are not asked for (empty: all) nothing that can be left out.

    Raises:
        HullwrightError: it cannot be read; a layer that cannot makes figures unknown instead.
    """
    known = _known(located.digest, cache, deep=deep)
    if known is not None:
        return known
    try:
        measured = _fresh(located, cache, platforms, deep=deep)
    except ArchiveError as error:
        raise ArchiveError(
            f"{located.subject.reference} cannot be measured: {error.what}",
            why=error.why,
            next_step=error.next_step or "build, pull or save it again",
        ) from error
    if not measured and not platforms:
        raise _nothing(located)
    return measured


def _fresh(
    located: Located, cache: Cache, platforms: Collection[Platform], *, deep: bool
) -> tuple[Measured, ...]:
    source, digest = located.source(), located.digest
    if located.place == "registry" and not deep:
        images = source.images(platforms)
        return tuple(Measured(_row(image, digest, unread=True)) for image in images)
    measured = tuple(_measured(image, digest) for image in _read(source, cache, platforms))
    _keep(digest, measured, cache, whole=not platforms)
    return measured


def _known(digest: str, cache: Cache, *, deep: bool) -> tuple[Measured, ...] | None:
    """Return what was measured of an image before, None where that is not all."""
    rows = cache.figures(digest)
    if rows is None or not deep:
        return None if rows is None else tuple(map(Measured, rows))
    contents = [cache.contents(row.digest) for row in rows]
    return None if None in contents else tuple(map(Measured, rows, contents))


def _read(
    source: Source, cache: Cache, platforms: Collection[Platform]
) -> tuple[PlatformImage, ...]:
    images = source.read(cache.layer, platforms)
    for layer in (layer for image in images for layer in image.layers):
        if layer.content is not None:
            cache.keep_layer(layer.content)
    return images


def _keep(digest: str, measured: Sequence[Measured], cache: Cache, *, whole: bool) -> None:
    for each in measured:
        if each.contents is not None:
            cache.keep_contents(each.figures.digest, each.contents)
    if measured and whole and all(each.contents is not None for each in measured):
        cache.keep_figures(digest, tuple(each.figures for each in measured))


def _nothing(located: Located) -> HullwrightError:
    return HullwrightError(
        f"{located.subject.reference} holds no image that can be measured",
        why="no manifest in it has the configuration of an image, as those of charts and other"
        " artefacts have not",
    )


def _measured(image: PlatformImage, digest: str) -> Measured:
    # Imported where layers are read.
    from hullwright.sizes.analysing import analysed

    row = _row(image, digest)
    layers = [layer.content for layer in image.layers if layer.content is not None]
    if len(layers) < len(image.layers):
        return Measured(row)
    overlay, contents = analysed(layers)
    return Measured(
        replace(
            row,
            visible_bytes=overlay.visible_bytes,
            waste_bytes=overlay.waste_bytes,
            efficiency=overlay.efficiency,
        ),
        contents,
    )


def _row(image: PlatformImage, digest: str, *, unread: bool = False) -> Figures:
    # The classic store knows an image by its configuration, and keeps layers uncompressed; so it
    # is with archives that were saved of it in the older format, which has no manifests.
    classic = image.config_digest in {digest, image.digest}
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
                snapshot_bytes=snapshot_bytes(layer.content) if layer.content else None,
            )
            for layer in image.layers
        ),
        problem=_UNREAD if unread else _problem(image) or (_CLASSIC if classic else ""),
        created=image.created,
        base=image.base,
        base_name=image.base_name,
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
