"""What `cold-start --against` does: both revisions are built, then started in turn."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError
from hullwright.tasks.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hullwright.coldstart import Checkout, ColdStart, Request
    from hullwright.history import Status
    from hullwright.secret import Secret
    from hullwright.stack import Selection

# What our side is called beside the name of the other one.
OURS: Final = "this tree"


class BaseSession(Session):
    """A run in the checkout of another revision; its values are those of the run that made it.

    It leaves no record: what was asked for is told of the work tree.
    """

    def __init__(self, head: Session, root: Path) -> None:
        from hullwright.run import Runner
        from hullwright.tools.worktrees import without_place

        self._options = head._options  # noqa: SLF001  one command line is both's
        self._head = head
        self.environ = without_place(head.environ)
        self.started_s = time.monotonic()
        self.other_git_processes = 0
        self._places = {}
        # These would be looked for from the folder that this process is in.
        self.__dict__["root"] = root
        self.__dict__["console"] = head.console
        # Its secrets are the same set: what is masked in one is masked in both.
        self.__dict__["runner"] = Runner(self.environ, head.runner.echo, head.runner.secrets)

    def record(self, kind: str, data: Mapping[str, object], status: Status) -> None:
        """Leave nothing."""

    def secrets(self) -> Mapping[str, Secret]:
        """Return the values of the work tree."""
        return self._head.secrets()


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a stack the command line names."""

    services: Sequence[str] = ()
    profiles: Sequence[str] = ()


def with_unit(duration: str | None) -> str | None:
    """Return a duration with its unit; a bare number is one of seconds, as `--budget 20`."""
    bare = duration is not None and duration.replace(".", "", 1).isdecimal()
    return f"{duration}s" if bare else duration


def planned(session: Session, chosen: Selection, request: Request, ref: str | None) -> str:
    """Return what a cold start would do, in words: nothing is built, written or started."""
    from hullwright import coldstart

    name = request.project or coldstart.throwaway_name(session.config.project)
    plan = coldstart.plan(session.workspace, chosen, name, fast_probes=request.fast_probes)
    lines = [plan.text()]
    if request.runs > 1:
        lines.append(f"  repeat    {request.runs} times, each from nothing")
    if request.warm_volumes:
        lines.append("  volumes   of a first start, which is not counted")
    if ref is not None:
        commit = coldstart.commit_of(session.workspace, ref)
        lines.append(f"  against   {ref} ({commit[:7]}): checked out, built, and started in turn")
    return "\n".join(lines)


def compared(
    session: Session, ref: str, chosen: Selection, asked: Asked, request: Request
) -> ColdStart:
    """Return how our cold starts compare with those of another revision.

    What is built of that one has names of its own, which go with its checkout however this ends;
    ours is built as `invoke build` does.

    Raises:
        UsageError: the revision is unknown, or ours cannot be started.
        CheckFailedError: the base cannot be built or started, or ours cannot be built.
        LockedError: another comparison is running here.
    """
    from hullwright import coldstart
    from hullwright.stack.lending import lend
    from hullwright.stack.wanted import wanted_images

    with coldstart.interruptible(), coldstart.checked_out(session.workspace, ref) as other:
        base = coldstart.Side(session.workspace, chosen, ref, other.commit)
        with coldstart.of_base(base.name):
            there = BaseSession(session, other.root)
            theirs = _selected(there, chosen, asked)
            lend(session.workspace, there.workspace, theirs)
            session.console.note(f"build {base.name}")
            _build(there, wanted_images(there.workspace, theirs), other)
        session.console.note(f"build {OURS}")
        _build(session, wanted_images(session.workspace, chosen))
        done = coldstart.compare(
            replace(base, ws=there.workspace, selection=theirs),
            coldstart.Side(session.workspace, chosen, OURS),
            request,
        )
        return replace(done, notes=(*done.notes, *other.notes))


def _selected(there: Session, chosen: Selection, asked: Asked) -> Selection:
    """Return the stack of that name as the other revision has it, with the same values."""
    from hullwright.stack import select

    return select(
        there.workspace,
        chosen.stack.name,
        services=asked.services,
        profiles=asked.profiles,
        environment={**chosen.environment, **chosen.long},
        dotenv=chosen.call.dotenv,
    )


def _build(
    session: Session, images: Sequence[tuple[str, str]], other: Checkout | None = None
) -> None:
    """Build what is started and not current, under names of its own where it is another revision's.

    Raises:
        CheckFailedError: an image cannot be built; its failure was shown.
    """
    from hullwright.tasks.starting import running

    targets: dict[str, list[str]] = {}
    for service, target in images:
        targets.setdefault(target, []).append(service)
    if not targets:
        return
    with running(session, "build", services=[service for service, _ in images]):
        for target, services in targets.items():
            _build_target(session, services, target, other)


def _build_target(
    session: Session, services: Sequence[str], target: str, other: Checkout | None
) -> None:
    from hullwright import build
    from hullwright.report import build as renderer
    from hullwright.tasks import building

    request = build.BuildRequest(services=tuple(services), target=target, load=True)
    plan = building.decided(session, building.planned(session, request), request)
    if other is not None:
        plan = build.renamed(plan, other.namespace)
        other.keep_names(
            each.decision.reference for each in plan.targets if each.decision.action == "fetch"
        )
    for note in plan.notes:
        session.console.note(f"! {note}")
    report = building.built(session, plan)
    if report.interrupted:
        raise KeyboardInterrupt
    session.record("build", renderer.as_json((report, {})), "failed" if report.failed else "done")
    if report.failed:
        session.console.note(renderer.text((report, {})))
        unbuilt = [each.service for each in report.targets if each.status in {"failed", "skipped"}]
        raise CheckFailedError(
            f"not built: {', '.join(unbuilt)}",
            next_step="" if other else f"invoke build --service {','.join(unbuilt)}",
        )
