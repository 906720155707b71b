"""What tasks do with the lock of base images: write it, compare it, hold builds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError, HullwrightError, UnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hullwright import bases
    from hullwright.build import BuildRequest
    from hullwright.findings import Finding
    from hullwright.locked import Lock
    from hullwright.tasks.session import Session
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks of the lock.

    Attributes:
        lock: bring it in line with the Dockerfiles.
        update: images that are moved.
        outdated: only say what moved.
    """

    lock: bool = False
    update: tuple[str, ...] = ()
    outdated: bool = False

    @property
    def asked(self) -> tuple[str, ...]:
        """The flags that were given."""
        given = {"--lock": self.lock, "--update": self.update, "--outdated": self.outdated}
        return tuple(flag for flag, value in given.items() if value)


def run_locking(
    session: Session, options: Options, output_format: str, *, others: Sequence[str] = ()
) -> None:
    """Write the lock, or say what moved since; nobody's answer about an image ends with 3.

    Args:
        session: of this run.
        options: what is asked of the lock.
        output_format: of what is shown.
        others: flags that say something else of the images.

    Raises:
        UsageError: flags that do not go together.
    """
    from hullwright import bases
    from hullwright.report import locking as report

    flags = (*options.asked, *others)
    if len(flags) > 1:
        raise UsageError(
            f"{' and '.join(flags)} do not go together",
            why="a lock is of all Dockerfiles, and one thing is done with it at a time",
            next_step=f"invoke images {flags[0]}",
        )
    ws = session.workspace
    if options.outdated:
        compared = bases.outdated(ws)
        session.show(report, compared, output_format)
        _refuse_untold(compared)
    elif session.dry:
        session.show(report, bases.lock_plan(ws, options.update), output_format)
    else:
        session.show(report, bases.lock_images(ws, options.update), output_format)


def hold_to_lock(session: Session, request: BuildRequest) -> None:
    """Hold a build to the lock: refuse a stale one where that is asked for, as on CI; else tell.

    Raises:
        UsageError: `--locked` without a lock.
        CheckFailedError: the lock does not fit what Dockerfiles name.
    """
    from hullwright import bases, locked

    ws = session.workspace
    lock = locked.load(ws.root)
    strict = bool(ws.environ.get("CI")) if request.locked is None else request.locked
    if lock is None:
        if request.locked:
            raise UsageError(
                f"--locked holds a build to {locked.FILE}, and there is none",
                next_step="invoke images --lock",
            )
        return
    findings = bases.check(
        ws,
        lock,
        request.services,
        platforms=request.platforms,
        build_args=request.build_args,
    )
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors and strict:
        raise _stale(errors)
    for finding in findings:
        if strict or finding.severity == "error":
            told = f"{locked.FILE}: {finding.subject}: {finding.message} ({finding.remedy})"
            session.console.note(f"! {told}")


def lock_since(ws: Workspace, ref: str, files: Collection[str]) -> Lock | None:
    """Return the lock as it was where HEAD left a ref, if its file is among those that changed.

    One that cannot be read counts as none: then all that is locked has moved.
    """
    from hullwright import locked
    from hullwright.tools.changes import text_since

    before = text_since(ws, ref, locked.FILE) if locked.FILE in files else None
    try:
        return locked.parse(before) if before is not None else None
    except (HullwrightError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _stale(errors: Sequence[Finding]) -> CheckFailedError:
    from hullwright.locked import FILE

    remedies = list(dict.fromkeys(finding.remedy for finding in errors))
    return CheckFailedError(
        f"{FILE} does not fit what Dockerfiles name",
        why=[(finding.subject, finding.message) for finding in errors],
        next_step="\n".join(remedies),
    )


def _refuse_untold(compared: bases.Outdated) -> None:
    if compared.unknown:
        said = dict.fromkeys(said for image in compared.unknown for said in image.said)
        names = ", ".join(image.image for image in compared.unknown)
        raise UnavailableError(f"nobody tells what {names} is now", why=list(said))
