"""The task of sizes: what images measure, what grew and why, and whether budgets hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.sizes import SizeReport, Subject
    from hullwright.tasks.session import Session


@task(
    lists=("service", "platform", "image"),
    operands="service",
    flags={
        "service": "only images of these services; default every recorded image",
        "target": "only this stage",
        "platform": "only these platforms",
        "image": "a reference, an OCI layout or an archive of docker save; not what was recorded",
        "registry": "measure what the registry has of this version, from its manifests only",
        "deep": "read the layers too: directories, packages, types, waste, advice",
        "against": "a Git ref, an image, or release (the last one): what grew since, and why",
        "html": "draw treemaps and the trend of the history into this HTML file",
        "update-budgets": "write budgets that hold for what was measured; needs --reason",
        "reason": "with --update-budgets: why they change; it stands beside them",
        "format": FORMATS,
    },
)
def sizes(
    session: Session,
    service: list[str] | None = None,
    target: str = "",
    platform: list[str] | None = None,
    image: list[str] | None = None,
    registry: bool = False,
    deep: bool = False,
    against: str = "",
    html: str = "",
    update_budgets: bool = False,
    reason: str = "",
    format: str = "text",
) -> None:
    """Measure images, say what grew and why, and hold them against their budgets."""
    from dataclasses import replace
    from functools import partial

    from hullwright import sizes as feature
    from hullwright.report import sizes as report
    from hullwright.tasks.sizebaseline import against as compared

    _check(image or (), service or (), target, update=update_budgets, reason=reason)
    named = bool(image or service)
    wanted = _wanted(session, image or (), service or (), target, registry=registry)
    measured = partial(
        feature.measure,
        session.workspace,
        wanted,
        platforms=platform or (),
        place="registry" if registry else None,
        # A recorded image that was removed since is listed; one that was asked for must be there.
        skip_missing=not named and not registry,
    )
    found = measured(deep=deep)
    if (against or html) and not deep and _is_read(found):
        # Their layers were read, so their files are known: telling them costs nothing more.
        found = measured(deep=True)
    found = replace(found, brief=not deep)
    if against:
        found = compared(session, found, against, deep=deep)
    session.show(report, found, format, summarise=True)
    kept = report.recorded(found)
    if update_budgets:
        kept["update"] = _updated(session, found, reason, format)
    failed = found.failed and not update_budgets
    session.record("sizes", kept, "failed" if failed else "done")
    if html:
        _draw(session, found, html)
    over = [row.subject.reference for row in found.images if row.verdict == "fail"]
    session.leave(held=not failed, why=f"over budget: {', '.join(over)}")


def _is_read(found: SizeReport) -> bool:
    return all(row.figures.visible_bytes is not None for row in found.images)


def _check(
    images: Sequence[str], services: Sequence[str], target: str, *, update: bool, reason: str
) -> None:
    """Refuse flags that do not go together before anything is read.

    Raises:
        UsageError: they do not.
    """
    from hullwright.errors import UsageError

    if images and (services or target):
        other = "--service" if services else "--target"
        raise UsageError(
            f"--image and {other} both say what is measured", next_step="leave one of them out"
        )
    if update and not reason.strip():
        raise UsageError(
            "--update-budgets needs a reason",
            why="who reads the budget later asks why it was raised",
            next_step='invoke sizes --update-budgets --reason "…"',
        )
    if update and images:
        raise UsageError(
            "--update-budgets writes budgets of services, and --image names none",
            next_step="leave --image out, or: --service NAME",
        )
    if reason and not update:
        raise UsageError(
            "--reason says why budgets change, and none do",
            next_step='invoke sizes --update-budgets --reason "…"',
        )


def _wanted(
    session: Session, images: Sequence[str], services: Sequence[str], target: str, *, registry: bool
) -> tuple[Subject, ...]:
    from hullwright.sizes import subjects

    if registry and not images:
        from hullwright.tasks.sizeplaces import pushed

        return pushed(session, services, target)
    return subjects(session.workspace, images=images, services=services, target=target)


def _draw(session: Session, found: SizeReport, file: str) -> None:
    """Draw treemaps and trends into an HTML file.

    Raises:
        LockedError: another run is writing that file.
        HullwrightError: it cannot be written.
    """
    from pathlib import Path

    from hullwright.files import write_atomic
    from hullwright.history import list_records
    from hullwright.report.sizespage import RECORDS, html

    records = list_records(session.workspace, "sizes", RECORDS, project=session.config.project)
    target = Path(file).absolute()
    with session.workspace.writing(target, file):
        write_atomic(target, html(found, records, title=f"sizes of {session.config.project}"))
    session.console.note(f"treemap and trend: {file}")


def _updated(
    session: Session, found: SizeReport, reason: str, output_format: str
) -> dict[str, object]:
    """Write budgets that hold for what was measured, and return what was changed.

    Raises:
        LockedError: another run is writing the configuration.
        HullwrightError: it cannot be written, or a budget does not stand in it.
    """
    from datetime import UTC, datetime

    from hullwright.sizes import updating

    plan = updating.plan(session.workspace, found, reason=reason, day=datetime.now(UTC).date())
    if output_format == "text":
        session.console.result(f"\n{plan.text()}")
    else:
        session.console.note(plan.text())
    if not session.dry:
        updating.execute(session.workspace, plan)
    return plan.as_values()
