"""What `build --verify-reproducible` does: two builds without cache, and what differs in them."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.build import BuildPlan, BuildReport, BuildRequest, PlannedTarget
    from hullwright.history import Status
    from hullwright.reproducing import ImageResult
    from hullwright.tasks.building import Options
    from hullwright.tasks.session import Session

_FOLDER: Final = "verifying"
_TIMES: Final = ("first", "second")
_INTERRUPTED: Final = 130
_AGAIN: Final = "invoke build --verify-reproducible"


def run_verification(session: Session, request: BuildRequest, options: Options) -> None:
    """Build twice and show what differs; an image that does not come out the same ends with 1.

    Raises:
        UsageError: what is asked for beside it has no meaning for two builds that keep nothing.
        CheckFailedError: the lock of base images does not fit what Dockerfiles name.
        LockedError: another check of this repository is running.
    """
    from hullwright.report import reproducing as renderer
    from hullwright.reproducing import Verification
    from hullwright.tasks.building import decided
    from hullwright.tasks.locking import hold_to_lock
    from hullwright.tasks.starting import running

    _refuse(request, options)
    hold_to_lock(session, request)
    requests = _requests(session, request)
    plans = [_planned(session, one) for one in requests]
    if session.dry:
        shown = [decided(session, *both).text() for both in zip(plans, requests, strict=True)]
        session.console.result("\n\n".join(shown))
        return
    started_s = time.monotonic()
    with (
        _folder(session) as folder,
        running(session, "build", services=[target.service for target in plans[0].targets]),
    ):
        made = [decided(session, *both) for both in zip(plans, requests, strict=True)]
        for plan in made:
            _build(session, plan, options.output_format)
        asked = [target for target in made[0].targets if target.asked]
        checked = Verification(
            images=tuple(_compared(session, folder, target) for target in asked),
            builders=_builders(session, requests),
            seconds=time.monotonic() - started_s,
        )
        session.show(renderer, checked, options.output_format, summarise=True)
        status: Status = "done" if checked.held else "failed"
        session.record("verify-reproducible", renderer.as_json(checked), status)
        session.leave(held=checked.held, why=renderer.verdict(checked))


def _refuse(request: BuildRequest, options: Options) -> None:
    asked = {
        "--output": request.outputs,
        "--load": request.load,
        "--failed": options.failed,
        "--changed-since": options.changed_since,
        "--check": options.check,
        "--print": options.print_only,
        "--why": options.why,
        "--timeline": options.timeline,
    }
    names = [name for name, value in asked.items() if value]
    if names:
        raise UsageError(
            f"--verify-reproducible does not go together with {', '.join(names)}",
            why="it builds what --service and --target name twice, and keeps no image",
            next_step="invoke build --reproducible …   (builds what would be checked)",
        )


def _requests(session: Session, request: BuildRequest) -> list[BuildRequest]:
    """Return the requests of the two builds, by two builders where two are configured."""
    first = request.builder or session.config.build.builder
    names = list(session.config.builders)
    others = [name for name in names if name != (first or names[0])]
    builders = (first or names[0], others[0]) if others else (first, first)
    return [
        replace(
            request,
            reproducible=True,
            no_cache=True,
            builder=builder,
            outputs=(f"type=oci,dest=.hullwright/{_FOLDER}/{name}/{{service}}-{{target}}.tar",),
        )
        for name, builder in zip(_TIMES, builders, strict=True)
    ]


def _planned(session: Session, request: BuildRequest) -> BuildPlan:
    from hullwright.tasks.building import planned

    return planned(session, request)


@contextmanager
def _folder(session: Session) -> Iterator[Path]:
    """Yield the folder of the archives, which goes with them at the end."""
    from hullwright.files import lock

    folder = session.workspace.state_dir / _FOLDER
    what = f"the check of {session.config.project} for reproducibility"
    with lock(session.workspace.state_dir / f"{_FOLDER}.lock", what):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _build(session: Session, plan: BuildPlan, output_format: str) -> None:
    """Build once; a build that fails is shown as `build` shows it, and ends the check."""
    from hullwright.report import build as renderer
    from hullwright.tasks.building import built

    report: BuildReport = built(session, plan)
    if report.failed or report.interrupted:
        session.show(renderer.Again(_AGAIN), (report, {}), output_format, summarise=True)
        if report.interrupted:
            session.end(_INTERRUPTED)
        session.leave(held=False, why="a build failed, so there is nothing to compare")


def _compared(session: Session, folder: Path, target: PlannedTarget) -> ImageResult:
    from hullwright import reproducing

    root, bake = session.workspace.root, target.bake
    file = root / bake.context / bake.dockerfile
    name = os.path.relpath(root / session.config.services[target.service].dockerfile, root)
    steps = reproducing.Steps(file, name, target.target, bake.arguments)
    archives = [folder / time / f"{target.service}-{target.target}.tar" for time in _TIMES]
    return reproducing.ImageResult(
        target.service, target.target, reproducing.compare(archives[0], archives[1], steps)
    )


def _builders(session: Session, requests: list[BuildRequest]) -> tuple[str, str]:
    from hullwright.tools import builders

    names = [request.builder for request in requests]
    own = "" if all(names) else builders.current(session.workspace).name
    return names[0] or own, names[1] or own
