"""Measures images: where they are, what they hold, and what their budgets say of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol

from hullwright.errors import HullwrightError, unknown
from hullwright.images import Platform
from hullwright.run import cache_dir
from hullwright.sizes.budgets import judge
from hullwright.sizes.cache import Cache
from hullwright.sizes.choosing import Registries, locate, missing
from hullwright.sizes.explaining import explained
from hullwright.sizes.models import Figures, ImageSizes, SizeReport, Subject
from hullwright.sizes.ondisk import used_bytes
from hullwright.sizes.reading import read
from hullwright.sizes.standing import Bases

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hullwright.sizes.choosing import Place
    from hullwright.sizes.reading import Measured
    from hullwright.workspace import Workspace

# Questions to registries at once: most of each is waiting.
_QUESTIONS: Final = 16


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
            measured[image.digest] = _figures(ws, subject, cache)
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
    deep: bool = False,
    place: Place | None = None,
    skip_missing: bool = False,
) -> SizeReport:
    """Return a row for each platform of each image, with what the budgets say of it.

    Args:
        ws: the repository.
        images: what is measured.
        platforms: as they are typed; empty means all that an image holds.
        deep: whether the files are told too, and layers of a registry's images are read.
        place: where the images are; None to look for each.
        skip_missing: list an image that is not there any more instead of failing.

    Raises:
        HullwrightError: an image is not there, or it is corrupt.
        UsageError: an image has no such platform.
    """
    wanted = {Platform.parse(text) for text in platforms}
    asked = {str(platform) for platform in wanted}
    rows: list[ImageSizes] = []
    gone: list[str] = []
    bases = Bases(ws, Registries(ws))
    for subject, found in zip(images, _all(ws, images, place, wanted, deep=deep), strict=True):
        if found is None and not skip_missing:
            raise missing(subject, place)
        if found is None:
            gone.append(subject.reference)
            continue
        kept, measured = found
        held = {each.figures.platform for each in measured}
        for platform in sorted(asked - held):
            raise unknown(f"platform of {subject.reference}", platform, held)
        rows += [
            explained(
                ImageSizes(
                    subject,
                    each.figures,
                    judge(_budgets(ws, subject), each.figures),
                    on_disk_bytes=used_bytes([each.figures.layers]) if kept == "store" else None,
                    contents=each.contents,
                ),
                bases,
                kept,
            )
            for each in measured
            if not asked or each.figures.platform in asked
        ]
    stored = [row.figures.layers for row in rows if row.on_disk_bytes is not None]
    return SizeReport(tuple(rows), tuple(gone), used_bytes(stored))


def _all(
    ws: Workspace,
    images: Sequence[Subject],
    place: Place | None,
    platforms: Collection[Platform],
    *,
    deep: bool,
) -> list[tuple[Place, tuple[Measured, ...]] | None]:
    """Return where each image is and what it measures, None for one that is not there."""
    cache = Cache(cache_dir(ws.environ))

    registries = Registries(ws)

    def one(subject: Subject) -> tuple[Place, tuple[Measured, ...]] | None:
        located = locate(ws, subject, place, registries)
        if located is None:
            return None
        ws.console.status(f"… reading {subject.reference}")
        found = read(located, cache, deep=deep, platforms=platforms)
        if {str(each) for each in platforms} - {each.figures.platform for each in found}:
            # All that it has, for the message.
            found = read(located, cache, deep=False)
        return located.place, found

    if deep or place != "registry":
        # Reading layers keeps the processors at work by itself.
        return [one(subject) for subject in images]
    with ThreadPoolExecutor(_QUESTIONS) as pool:
        asked = [pool.submit(one, subject) for subject in images]
        try:
            return [each.result() for each in asked]
        except BaseException:
            # A registry that does not answer one does not answer the others either.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _budgets(ws: Workspace, subject: Subject) -> Sequence[Any]:
    service = ws.config.services.get(subject.service)
    # Budgets are for what is shipped: a development stage holds tools that production does not.
    return service.budgets if service and subject.target == service.default_target else ()


def _figures(ws: Workspace, subject: Subject, cache: Cache) -> tuple[Figures, ...]:
    """Return the figures of an image that the local store has."""
    known = cache.figures(subject.digest)
    if known is not None:
        return known
    located = locate(ws, subject, "store")
    if located is None:
        raise missing(subject)
    ws.console.status(f"… reading {subject.reference}")
    return tuple(each.figures for each in read(located, cache, deep=False))
