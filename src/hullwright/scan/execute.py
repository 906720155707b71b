"""Searches the places of a plan, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError
from hullwright.findings import Finding, ordered
from hullwright.scan import files, githistory, images, patterns
from hullwright.scan.hits import unsearched
from hullwright.scan.models import ScanReport, Searched
from hullwright.scan.needles import needles, too_short
from hullwright.scan.search import Haystack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullwright.scan.archives import Layer
    from hullwright.scan.models import ScanPlan
    from hullwright.secret import Secret
    from hullwright.workspace import Workspace


def execute(ws: Workspace, plan: ScanPlan, values: Mapping[str, Secret]) -> ScanReport:
    """Return what the places of a plan hold of the values.

    Args:
        ws: the repository.
        plan: the places.
        values: by the names under which they are told of; those that are public left out.

    Raises:
        CheckFailedError: no value is long enough to be searched for.
        HullwrightError: an image's archive, or the Git repository, cannot be read.
    """
    haystack = Haystack(needles(values))
    short = too_short(values)
    if not haystack.needles:
        raise CheckFailedError(
            "there is no secret value to search for",
            why=f"too short: {', '.join(short)}"
            if short
            else "every key is public, or none is kept",
        )
    findings = list[Finding]()
    searched = list[Searched]()
    for place, found, size in _each(ws, plan, haystack):
        findings += found
        searched.append(Searched(place, size))
    findings += [
        unsearched(image.reference, "it is no longer in the local store", "note", "invoke build")
        for image in plan.images
        if not image.digest
    ]
    findings += patterns.search(ws, haystack, plan)
    long = tuple(name for name in values if name not in short)
    return ScanReport(long, short, tuple(searched), ordered(dict.fromkeys(findings)))


def _each(
    ws: Workspace, plan: ScanPlan, haystack: Haystack
) -> Iterator[tuple[str, list[Finding], int]]:
    """Yield each place with what it holds and how much of it was read."""
    layers: dict[str, Layer] = {}
    for image in plan.images:
        if image.digest:
            ws.console.status(f"… searching {image.reference}")
            yield f"image {image.reference}", *images.search(ws, haystack, image, layers)
    for context in plan.contexts:
        ws.console.status(f"… searching the context {context.name}")
        yield f"context {context.name}", *files.search_context(ws, haystack, context)
    if plan.git_history:
        ws.console.status("… searching the Git history")
        yield "Git history", *githistory.search(ws, haystack)
    for name in plan.files:
        yield f"file {name}", *files.search_file_named(ws, haystack, name)
