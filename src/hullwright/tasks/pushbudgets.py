"""What a push holds against budgets: the figures of what it staged, and what those grew by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from hullwright.push import Content
    from hullwright.sizes import SizeReport
    from hullwright.tasks.session import Session


def measured(
    session: Session, contents: Iterable[Content], moving: Callable[[], Collection[str]]
) -> SizeReport:
    """Return the figures of staged content that budgets limit, and what the budgets say of them.

    Own growth is counted over the base branch of a pull request, else over the last release. Where
    neither has an image, as before the first release, that is told, and the limit says nothing.

    Args:
        session: the run.
        contents: what was staged.
        moving: gives the digests that get a tag by this push; what has all of its tags was held
            when it got them, and is compared with nothing.

    Raises:
        UnavailableError: a registry or the engine cannot be asked.
        HullwrightError: an image cannot be read.
    """
    from hullwright import sizes
    from hullwright.sizes.budgets import budgets_of

    contents = tuple(contents)
    limited = [
        content.digest
        for content in contents
        if sizes.limits_growth(budgets_of(session.config, content.service, content.target))
    ]
    changed = set(limited) & set(moving()) if limited else set()
    report = sizes.of_staged(session.workspace, contents, changed)
    growing = [
        row
        for row in report.images
        if row.subject.digest in changed and sizes.limits_growth(row.budgets)
    ]
    if not growing:
        return report
    compared = _compared(session, replace(report, images=tuple(growing)))
    rows = {(row.subject, row.figures.platform): row for row in compared.images}
    return replace(
        report,
        images=tuple(rows.get((row.subject, row.figures.platform), row) for row in report.images),
    )


def _compared(session: Session, report: SizeReport) -> SizeReport:
    from hullwright.errors import HullwrightError, UnavailableError
    from hullwright.tasks.sizebaseline import against

    try:
        context = session.ref_context
        asked = (context.base_ref if context.pull_request else "") or "release"
        found = against(session, report, asked)
        if any(result.lacks_growth for row in found.images for result in row.budgets):
            # Of a registry's image the manifest was not enough.
            found = against(session, report, asked, deep=True)
    except UnavailableError:
        raise
    except HullwrightError as error:
        session.console.note(f"! own growth was not judged: {error.what}")
        return report
    return found
