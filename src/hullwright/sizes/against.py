"""A report's images against earlier ones: each is found, measured and compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullwright.errors import HullwrightError, UnavailableError, UsageError
from hullwright.run import cache_dir
from hullwright.sizes.budgets import budgets_of, judge
from hullwright.sizes.cache import Cache
from hullwright.sizes.choosing import locate, missing
from hullwright.sizes.comparing import compare
from hullwright.sizes.measuring import measure
from hullwright.sizes.points import point_of
from hullwright.sizes.reading import read
from hullwright.sizes.references import RELEASE, find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.sizes.models import ImageSizes, SizeReport, Subject
    from hullwright.sizes.references import Found, Known
    from hullwright.workspace import Workspace


def against(
    ws: Workspace, report: SizeReport, asked: str, known: Known, *, deep: bool = False
) -> SizeReport:
    """Return the report with each image compared, and its budgets judged by what it grew.

    What has no earlier image, such as a new service or platform, is told of and stays as it is;
    where none of them has one, that is an error.

    Args:
        ws: the repository.
        report: what was measured.
        asked: a Git ref, an image, or `release`.
        known: what other parts know of images.
        deep: whether layers are read for it. They are, too, where the files of the image itself
            are known: of its predecessor only those are fetched that are not known here.

    Raises:
        UsageError: it cannot be meant, such as one image for several services.
        UnavailableError: the registry or the engine cannot be asked.
        HullwrightError: there is no image to compare with, or it cannot be read.
    """
    subjects = list(dict.fromkeys(image.subject for image in report.images))
    _refuse_one_for_all(ws, asked, subjects)
    found: dict[Subject, Found] = {}
    failed: list[HullwrightError] = []
    for subject in subjects:
        try:
            found[subject] = find(ws, subject, asked, known)
        except (UsageError, UnavailableError):
            raise
        except HullwrightError as error:
            failed.append(error)
    if failed and not found:
        raise failed[0]
    for each in failed:
        ws.console.warn(f"{each.what}; it is compared with nothing")
    rows: dict[Subject, tuple[ImageSizes, ...]] = {}
    for subject, one in found.items():
        mine = [image for image in report.images if image.subject == subject]
        read_all = deep or any(image.contents is not None for image in mine)
        rows[subject] = one.rows or _measured(ws, one, mine, deep=read_all)
    images = [
        _compared(ws, image, found[image.subject], rows[image.subject], asked)
        if image.subject in found
        else image
        for image in report.images
    ]
    return replace(report, images=tuple(images))


def _refuse_one_for_all(ws: Workspace, asked: str, subjects: Sequence[Subject]) -> None:
    services = list(dict.fromkeys(subject.service or subject.reference for subject in subjects))
    # A name without a tag may be one of each of them, as a version is.
    named = asked != RELEASE and bool(set(asked) & set(":@"))
    if len(services) > 1 and named and point_of(ws, asked) is None:
        raise UsageError(
            f"{asked} is one image, and those of {len(services)} services are measured",
            why=[("measured", ", ".join(services))],
            next_step="name the service that it is of: invoke sizes --service NAME --against REF",
        )


def _measured(
    ws: Workspace, found: Found, images: Sequence[ImageSizes], *, deep: bool
) -> tuple[ImageSizes, ...]:
    """Return what the earlier image measures, on those platforms that are compared."""
    located = locate(ws, found.subject, found.place)
    if located is None:
        raise missing(found.subject, found.place)
    shallow = read(located, Cache(cache_dir(ws.environ)), deep=False)
    wanted = {image.figures.platform for image in images}
    held = {row.figures.platform for row in shallow} & wanted
    if not held:
        return ()
    report = measure(ws, [found.subject], platforms=sorted(held), deep=deep, place=located.place)
    return report.images


def _compared(
    ws: Workspace, image: ImageSizes, found: Found, rows: Sequence[ImageSizes], asked: str
) -> ImageSizes:
    platform = image.figures.platform
    before = next((row for row in rows if row.figures.platform == platform), None)
    if before is None:
        reference = found.subject.reference
        ws.console.warn(f"{reference} has no image for {platform}; it is compared with nothing")
        return image
    compared = compare(image, before, asked, found.how)
    subject = image.subject
    budgets = budgets_of(ws.config, subject.service, subject.target)
    judged = judge(budgets, image.figures, compared) if budgets else image.budgets
    return replace(image, compared=compared, budgets=judged)
