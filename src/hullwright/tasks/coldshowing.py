"""What becomes of a cold start that was measured: shown, drawn, recorded, held against others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullwright.errors import HullwrightError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.coldstart import ColdStart
    from hullwright.tasks.session import Session

_KIND = "cold-start"
# Older ones say nothing of what is usual now.
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Showing:
    """How a cold start is shown: `--format`, `--timeline`, and what of the stack was asked for."""

    format: str = "text"
    timeline: str = ""
    services: Sequence[str] = ()
    profiles: Sequence[str] = ()


def conclude(session: Session, done: ColdStart, how: Showing) -> None:
    """Show a cold start beside what is usual, draw it where that is asked, and leave its record.

    Raises:
        HullwrightError: the file of the timeline cannot be written.
    """
    from hullwright.report import coldstart as report

    branch, default = _branches(session)
    only = {"only": list(how.services), "profiles": list(how.profiles), "branch": branch}
    data = report.as_json(done) | only
    done = _beside_usual(session, done, data, default)
    session.show(report, done, how.format, summarise=True)
    if how.timeline:
        _draw(session, done, how.timeline)
    session.record(_KIND, report.as_json(done) | only, "failed" if done.failed else "done")


def refuse_nowhere(file: str) -> None:
    """Refuse a file for the timeline that has no folder, before anything is measured.

    Raises:
        UsageError: its folder is not there, or it is a folder itself.
    """
    target = Path(file).absolute()
    if file and (target.is_dir() or not target.parent.is_dir()):
        told = (
            "is a folder" if target.is_dir() else f"stands in {target.parent}, which is not there"
        )
        raise UsageError(
            f"--timeline {file} cannot be written", why=f"it {told}", next_step="name another file"
        )


def _branches(session: Session) -> tuple[str, str]:
    """Return the branch that this is, and the default one; empty where nothing tells."""
    with suppress(HullwrightError):
        context = session.ref_context
        heads = "refs/heads/"
        branch = context.ref.removeprefix(heads) if context.ref.startswith(heads) else ""
        return branch, context.default_branch or (branch if context.is_default_branch else "")
    return "", ""


def _beside_usual(
    session: Session, done: ColdStart, data: Mapping[str, Any], branch: str
) -> ColdStart:
    """Return a cold start with what like ones took, by the history."""
    from hullwright.coldstart import Usual
    from hullwright.history import list_records, usual

    # A history that cannot be read is told of when the record is left.
    with suppress(HullwrightError):
        project = session.config.project
        records = list_records(session.workspace, _KIND, _LOOKED_AT, project=project)
        found = usual(_KIND, records, data, branch)
        if found is not None:
            return replace(done, usual=Usual(found.runs, found.median, found.branch))
    return done


def _draw(session: Session, done: ColdStart, file: str) -> None:
    """Write the cold start's timeline as one HTML file, whole or not at all."""
    from hullwright.files import write_atomic
    from hullwright.report.coldtimeline import html

    target = Path(file).absolute()
    title = f"cold start of {session.config.project}, stack {done.stack}"
    with session.workspace.writing(target, file):
        write_atomic(target, html(done, title=title))
    session.console.note(f"timeline: {file}")
