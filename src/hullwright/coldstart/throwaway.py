"""The cold start: a throwaway project from nothing to every service healthy, and away again."""

from __future__ import annotations

import re
import secrets
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.coldstart import teardown
from hullwright.coldstart.afterwards import afterwards
from hullwright.coldstart.isolate import Isolation, Surroundings, isolate, leaks
from hullwright.coldstart.models import ColdRun, ColdStart, Request
from hullwright.coldstart.timeline import critical_path
from hullwright.errors import HullwrightError, UsageError
from hullwright.files import lock
from hullwright.run import machine_state_dir
from hullwright.stack import execution, handing, probing, secretfiles
from hullwright.stack import plan as stack_plan
from hullwright.stack.checks import refuse_unknown
from hullwright.stack.explain import Failure
from hullwright.stack.override import Override
from hullwright.stack.pins import pins
from hullwright.stack.selection import resolved
from hullwright.tools import engine, secretfolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullwright.stack import Selection, UpPlan, UpReport
    from hullwright.stack.checks import Checked
    from hullwright.tools.compose import Model
    from hullwright.workspace import Workspace

# The end of a name that was made up for one run.
_MADE_UP: Final = re.compile(r"-cold-[0-9a-f]{8}$")
_REQUEST: Final = Request()


@dataclass(frozen=True, slots=True)
class ColdPlan:
    """A cold start that may begin: nothing in it is shared with anybody.

    Attributes:
        up: the start, isolated.
        isolation: what was replaced for it.
    """

    up: UpPlan
    isolation: Isolation
    fast_probes: bool = True

    def text(self) -> str:
        """Return the plan in its stable text form."""
        lines = [self.up.text(), *(f"  note      {note}" for note in self.isolation.notes)]
        return "\n".join([*lines, "  remove    all of it afterwards"])


def run(
    ws: Workspace,
    selection: Selection,
    request: Request = _REQUEST,
) -> ColdStart:
    """Start a stack from nothing in a throwaway project, wait, and remove it, however it ends.

    Args:
        ws: the repository.
        selection: the stack with its values (`hullwright.stack.select`).
        request: what is asked of it.

    Raises:
        UsageError: the stack cannot be isolated (each reason is listed), variables are missing,
            or the project's name belongs to something that is no throwaway.
        LockedError: another run uses that project; it is named.
    """
    given = request.project is not None
    name = _checked(request.project) if request.project else throwaway_name(ws.config.project)
    with _held(ws, name, given=given), _interruptible():
        _clear(ws, name, given=given)
        _forget_crashed(ws)
        cold = plan(ws, selection, name, fast_probes=request.fast_probes)
        started = stack_plan.applied(ws, cold.up, name)
        try:
            report = execution.start(ws, cold.up, started, limits=request.limits)
            checked, unheld = afterwards(ws, cold.up, report, request)
        finally:
            if not request.keep:
                _remove(ws, started)
    return _result(cold, report, request, checked, unheld)


def throwaway_name(project: str) -> str:
    """Return a new name for a throwaway project: `PROJECT-cold-` and eight hex digits."""
    base = re.sub(r"[^a-z0-9_-]+", "-", project.lower()).strip("-_") or "stack"
    return f"{base}-cold-{secrets.token_hex(4)}"


def _checked(project: str) -> str:
    # https://docs.docker.com/compose/how-tos/project-name/
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]*", project) is None:
        raise UsageError(
            f'"{project}" is no name for a project',
            why="expected lower-case letters, digits, - and _, a letter or a digit first",
        )
    return project


def plan(
    ws: Workspace, selection: Selection, project: str, *, fast_probes: bool = True
) -> ColdPlan:
    """Return the isolated start of a selection; nothing is written or started.

    Raises:
        UsageError: it cannot be isolated, or variables are missing.
        CheckFailedError: an image was not built.
    """
    selection = selection.named(project)
    selection, written = handing.checked(ws, selection)
    refuse_unknown(selection.stack, written["services"])
    selection = stack_plan.with_profiles_of_named(selection, written)
    base = Override()
    handing.given_env_files(ws, selection, written, base)
    model = resolved(ws, selection, base)
    services = model.closure(selection.services)
    model = _only(model, services)
    pinned = pins(ws, model, services)
    stack_plan.pin_into(base, pinned)
    files = secretfiles.plan(ws, selection, model, services, base)
    around = _surroundings(ws, model)
    isolation = isolate(model, project, project, around, fast_probes=fast_probes, base=base)
    if isolation.refusals:
        raise _refused(selection, isolation)
    model = resolved(ws, selection, isolation.override)
    shared = leaks(_only(model, services), project)
    if shared:
        raise HullwrightError(
            "the throwaway project would not be isolated; nothing was started",
            why="\n".join(shared),
            next_step="report this with the stack's files: the override should have prevented it",
        )
    missing = stack_plan.missing_images(ws, model, services)
    operations = stack_plan.write_operations(files)
    operations += [
        stack_plan.Operation("pull", image, "not in the local store") for image in missing
    ]
    operations += [
        stack_plan.Operation("create", name, f"from nothing, {model.services[name].image}")
        for name in services
    ]
    start = stack_plan.UpPlan(
        selection, model, services, pinned, missing, tuple(operations), isolation.override, files
    )
    return ColdPlan(start, isolation, fast_probes)


def _only(model: Model, services: Sequence[str]) -> Model:
    """Return the model without what is not started, so that its faults do not count."""
    kept = {name: model.services[name] for name in services}
    mounted = {
        mount.get("source")
        for service in kept.values()
        for mount in service.raw.get("volumes") or ()
        if mount["type"] == "volume"
    }
    joined = {key for service in kept.values() for key in service.raw.get("networks") or {}}
    raw: dict[str, Any] = dict(model.raw)
    for kind, used in (("volumes", mounted), ("networks", joined)):
        raw[kind] = {key: each for key, each in (raw.get(kind) or {}).items() if key in used}
    return replace(model, services=kept, raw=raw)


def _result(
    cold: ColdPlan,
    report: UpReport,
    request: Request,
    checked: tuple[Checked, ...],
    unheld: tuple[Failure, ...],
) -> ColdStart:
    stack = cold.up.selection.stack
    budget_s = request.budget_s
    if budget_s is None and stack.cold_start_budget is not None:
        budget_s = stack.cold_start_budget.total_seconds()
    failures = report.failures
    if not failures and stack.require_healthcheck:
        accepted = f"require-healthcheck = false in [tool.hullwright.stacks.{stack.name}]"
        failures = tuple(
            Failure(
                service.service,
                "no-healthcheck",
                f"{service.service} runs, but nothing says that it is healthy",
                (("next", f"a healthcheck in the compose file, or {accepted}"),),
            )
            for service in report.services
            if service.status == "unknown"
        )
    path = critical_path(report.services)
    run = ColdRun(report.total_s, report.services, (*failures, *unheld), path, checked)
    return ColdStart(
        stack=stack.name,
        project=report.project,
        runs=(run,),
        images_present=not cold.up.missing,
        images=dict(report.images),
        budget_s=budget_s,
        kept=request.keep,
        fast_probes=cold.fast_probes,
        notes=cold.isolation.notes,
    )


def _surroundings(ws: Workspace, model: Model) -> Surroundings:
    sources = {
        str(mount["source"])
        for service in model.services.values()
        for mount in service.raw.get("volumes") or ()
        if mount["type"] == "bind" and not mount.get("read_only")
    }
    absent = {source for source in sources if not Path(source).exists()}
    return Surroundings(
        root=str(ws.root),
        disposable=frozenset(absent | _ignored(ws, sorted(sources - absent))),
        probed_images=probing.probed_images(ws, model),
    )


def _ignored(ws: Workspace, sources: list[str]) -> set[str]:
    """Return those paths that Git ignores; none where there is no Git."""
    if not sources or ws.runner.find("git") is None:
        return set()
    answer = ws.runner.read("git", "check-ignore", "--", *sources, cwd=ws.root, check=False)
    return set(answer.stdout.splitlines()) if answer.returncode == 0 else set()


def _refused(selection: Selection, isolation: Isolation) -> UsageError:
    count = len(isolation.refusals)
    return UsageError(
        f'stack "{selection.stack.name}" cannot be started as a throwaway: '
        f"{count} thing{'s' if count > 1 else ''} of it cannot be isolated",
        why=list(isolation.refusals),
        next_step="leave those services out with --service, or give them a profile of their own",
    )


@contextmanager
def _held(ws: Workspace, project: str, *, given: bool) -> Iterator[None]:
    # The engine is the whole machine's, so the lock is too.
    path = machine_state_dir(ws.environ) / "locks" / f"{project}.lock"
    with lock(path, f"the throwaway project {project}"):
        try:
            yield
        finally:
            if not given:
                # Nobody else waits for a name that was made up for this run.
                path.unlink(missing_ok=True)


def _clear(ws: Workspace, project: str, *, given: bool) -> None:
    """Remove what an earlier run of this name left; refuse a name that is somebody's.

    A name that was made up for this run has no earlier run: what carries it was kept by a person.
    """
    if not given:
        there = teardown.remains(ws.runner, project)
        if there:
            raise UsageError(
                f"{project} was made up for this run, and a throwaway of that name was kept",
                why=[("it has", there.text())],
                next_step="run it again: the next name is another one",
            )
        return
    others = teardown.strangers(ws.runner, project)
    if others:
        raise UsageError(
            f"{project} is a project that this suite did not make",
            why=[("it has", others.text())],
            next_step="take another name, or none",
        )
    teardown.remove(ws.runner, project)


def _forget_crashed(ws: Workspace) -> None:
    """Remove secrets in memory that a throwaway of a run left which was killed."""
    for project in secretfolder.projects(ws.environ):
        made_up = _MADE_UP.search(project)
        if made_up and not engine.of_project(ws.runner, project):
            secretfolder.forget(ws.environ, project)


def _remove(ws: Workspace, started: Selection) -> None:
    """Remove the project, even if a person interrupts once more."""
    with _uninterrupted(), ws.console.step(f"remove {started.call.project}"):
        teardown.remove(ws.runner, started.call.project)
        secretfolder.remove(ws.environ, started.call.project)
        for path in started.call.overrides:
            Path(path).unlink(missing_ok=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a request to end (SIGTERM, as CI sends it) be an interrupt, so that all is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put interrupts off until the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    blocked = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
