"""Tasks that change what runs of stacks: start, restart, stop, remove, and run one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import ENV, FORMATS, PROFILE, SECRETS, STACK, STACKS, TIMEOUT, task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.stack import DownPlan, UpPlan, UpReport
    from hullwright.tasks.inturn import Show
    from hullwright.tasks.session import Session

_FAST = "probes every 250 ms; a later start without --fast-probes recreates the containers"
_DEV = "add docker-compose.dev.yml: sources mounted, reload on change"


@task(
    lists=("stack", "service", "profile", "timeout"),
    operands="service",
    flags={
        "stack": STACKS,
        "service": "only these compose services and what they depend on",
        "profile": PROFILE,
        "env": ENV,
        "secrets": SECRETS,
        "dev": _DEV,
        "timeout": TIMEOUT,
        "wait": "wait until it is healthy; --no-wait ends with Compose's own start",
        "fast-probes": "probe every 250 ms while it starts; a later start without it recreates",
        "check": "then look at what must hold: [[stacks.NAME.checks]]",
        "require-healthcheck": "fail for a service that nothing checks, as a cold start does",
        "format": FORMATS,
    },
)
def up(
    session: Session,
    stack: list[str] | None = None,
    service: list[str] | None = None,
    profile: list[str] | None = None,
    env: str | None = None,
    secrets: str | None = None,
    dev: bool = False,
    timeout: list[str] | None = None,
    wait: bool = True,
    fast_probes: bool = False,
    check: bool = False,
    require_healthcheck: bool = False,
    format: str = "text",
) -> None:
    """Start a stack from exactly what was built, wait until it is healthy, and explain if not."""
    from hullwright import stack as feature
    from hullwright.report import stack as report
    from hullwright.tasks.inturn import in_turn, stacks
    from hullwright.tasks.starting import limits, mask_running, refuse_unwaited, running, selection

    refuse_unwaited(wait=wait, check=check, healthcheck=require_healthcheck, timeout=timeout)
    given = limits(timeout)
    names = stacks(session, stack)
    chosen = {
        name: selection(session, name, service, profile, env, secrets, dev=dev) for name in names
    }
    for each in chosen.values():
        if check:
            feature.refuse_none(each.stack)

    def planned(name: str | None) -> UpPlan:
        return feature.plan_up(session.workspace, chosen[name], fast_probes=fast_probes)

    plans = {name: planned(name) for name in names}
    for plan in plans.values():
        feature.refuse_unknown_times(given, plan.model.services)
    if session.dry:
        session.console.result("\n\n".join(plan.text() for plan in plans.values()))
        return

    def start(name: str | None, show: Show) -> bool:
        if not chosen[name].environment:
            # What runs may have values that this run was not told, and a failure shows its lines.
            mask_running(session, chosen[name])
        # Those before it changed what is there: ports, networks, the very containers.
        plan = plans[name] if name == names[0] else planned(name)
        with running(session, "up", stack=chosen[name].stack.name) as work:
            done = feature.execute(session.workspace, plan, limits=given, wait=wait)
            done = _asked_of(session, plan, done, check=check, healthcheck=require_healthcheck)
            show(done)
            session.record("up", report.as_json(done), "failed" if done.failures else "done")
            work.held = not done.failures
        return work.held

    if fast_probes:
        session.console.note(_FAST)
    held = in_turn(session, names, start, report, format, summarise=True)
    session.leave(held=held, why="a stack did not come up")


def _asked_of(
    session: Session, plan: UpPlan, done: UpReport, *, check: bool, healthcheck: bool
) -> UpReport:
    """Return a start that fails too where something does not hold that was asked for."""
    from hullwright import stack as feature

    if check:
        done = feature.held(session.workspace, plan, done)
    return feature.all_checked(done) if healthcheck else done


@task(
    lists=("stack", "service"),
    operands="service",
    flags={"stack": STACKS, "service": "only these services", "format": FORMATS},
)
def stop(
    session: Session,
    stack: list[str] | None = None,
    service: list[str] | None = None,
    format: str = "text",
) -> None:
    """Stop the containers of a stack; they stay, with all that they wrote."""
    from hullwright import stack as feature
    from hullwright.report import ending as report
    from hullwright.tasks.inturn import in_turn, stacks

    names = stacks(session, stack)
    plans = {
        name: feature.plan_stop(
            session.workspace, feature.select(session.workspace, name, services=service or ())
        )
        for name in names
    }
    if session.dry:
        session.console.result("\n\n".join(plan.text() for plan in plans.values()))
        return

    def end(name: str | None, show: Show) -> bool:
        done = feature.execute_stop(session.workspace, plans[name])
        show(done)
        session.record("stop", report.as_json(done), "done")
        return True

    in_turn(session, names, end, report, format, undone="not stopped")


@task(
    lists=("stack",),
    flags={
        "stack": STACKS,
        "volumes": "remove its volumes too: their content is gone; asks, or --yes",
        "images": "remove the images that only its containers run; asks, or --yes",
        "yes": "do not ask",
        "format": FORMATS,
    },
)
def down(
    session: Session,
    stack: list[str] | None = None,
    volumes: bool = False,
    images: bool = False,
    yes: bool = False,
    format: str = "text",
) -> None:
    """Stop a stack and remove its containers and networks; volumes and images only if asked for."""
    from hullwright import stack as feature
    from hullwright.report import ending as report
    from hullwright.tasks.inturn import in_turn, stacks

    names = stacks(session, stack)
    plans = {
        name: feature.plan_down(
            session.workspace,
            feature.select(session.workspace, name),
            volumes=volumes,
            images=images,
        )
        for name in names
    }
    if session.dry:
        session.console.result("\n\n".join(plan.text() for plan in plans.values()))
        return
    if not yes and not _may_remove(session, plans.values(), stack):
        session.console.note("nothing was removed")
        return

    def remove(name: str | None, show: Show) -> bool:
        done = feature.execute_down(session.workspace, plans[name])
        show(done)
        session.record("down", report.as_json(done), "done")
        return True

    in_turn(session, names, remove, report, format, undone="not removed")


def _may_remove(
    session: Session, plans: Iterable[DownPlan], stack: Sequence[str] | None = None
) -> bool:
    """Return whether all that would be lost may go: nothing is, or the person says so.

    Raises:
        UsageError: nobody is there to be asked.
    """
    from hullwright.errors import UsageError

    lost = [
        (kind, list(dict.fromkeys(names)))
        for kind, names in (
            ("volume", [name for plan in plans for name in plan.volumes]),
            ("image", [name for plan in plans for name in plan.images]),
        )
    ]
    told = [f"{kind}{'s' * (len(names) > 1)} {', '.join(names)}" for kind, names in lost if names]
    if not told:
        return True
    what = " and the ".join(told)
    if session.console.interactive:
        also = " with all that is in them" if lost[0][1] else ""
        return session.console.ask(f"remove the {what}{also}?")
    named = [f"--stack {','.join(stack)}"] if stack else []
    flags = " ".join([*named, *(f"--{kind}s" for kind, names in lost if names)])
    raise UsageError(
        "nothing was removed",
        why=f"the {what} would be gone, and nobody is here to be asked",
        next_step=f"invoke down {flags} --yes",
    )


@task(
    lists=("stack", "service", "timeout"),
    operands="service",
    flags={
        "stack": STACKS,
        "service": "only these services",
        "timeout": TIMEOUT,
        "format": FORMATS,
    },
)
def restart(
    session: Session,
    stack: list[str] | None = None,
    service: list[str] | None = None,
    timeout: list[str] | None = None,
    format: str = "text",
) -> None:
    """Restart the containers of a stack as they are, wait until healthy, and explain if not."""
    from hullwright import stack as feature
    from hullwright.report import stack as report
    from hullwright.tasks.inturn import in_turn, stacks
    from hullwright.tasks.starting import limits, mask, mask_running

    given = limits(timeout)
    names = stacks(session, stack)
    chosen = {
        name: feature.select(session.workspace, name, services=service or ()) for name in names
    }
    # A failure is explained with the last lines of the service.
    mask(session)

    def again(name: str | None, show: Show) -> bool:
        mask_running(session, chosen[name])
        done = feature.restart(session.workspace, chosen[name], limits=given)
        show(done)
        session.record("restart", report.as_json(done), "failed" if done.failures else "done")
        return not done.failures

    held = in_turn(session, names, again, report, format, undone="not restarted")
    session.leave(held=held, why="a stack did not come up again")


@task(
    lists=("profile", "timeout"),
    operands="service",
    words="command",
    flags={
        "stack": STACK,
        "service": "the service whose image, values and mounts the command gets",
        "command": "the command, in one word as a shell splits it; hullwright takes words after --",
        "user": "the user to run it as; default the container's",
        "ports": "publish the service's ports, which are free where it does not run",
        "profile": PROFILE,
        "env": ENV,
        "secrets": SECRETS,
        "dev": _DEV,
        "timeout": TIMEOUT,
    },
)
def run(
    session: Session,
    stack: str | None = None,
    service: str = "",
    command: str = "",
    user: str = "",
    ports: bool = False,
    profile: list[str] | None = None,
    env: str | None = None,
    secrets: str | None = None,
    dev: bool = False,
    timeout: list[str] | None = None,
) -> None:
    """Run one command in a new container of a service, once what it needs is up; end as it does."""
    from hullwright import stack as feature
    from hullwright.errors import UsageError
    from hullwright.report import stack as report
    from hullwright.tasks.starting import limits, selection, split_command

    if not service:
        raise UsageError(
            "run needs a service",
            next_step="invoke run --service NAME --command 'ls -l'"
            "   or   hullwright run NAME -- ls -l",
        )
    words = split_command(command, "run NAME")
    given = limits(timeout)
    chosen = selection(session, stack, None, profile, env, secrets, dev=dev)
    plan = feature.plan_run(session.workspace, chosen, service, words, ports=ports, user=user)
    if session.dry:
        session.console.result(plan.text())
        return
    code, failed = feature.execute_run(session.workspace, plan, limits=given)
    if failed is not None:
        # Standard output is the command's own.
        session.console.note(report.text(failed))
        session.console.error(f"{service} was not run: what it depends on did not come up")
    session.end(code)
