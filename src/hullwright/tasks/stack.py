"""Tasks of stacks: start, look, enter and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import ENV, FORMATS, PROFILE, SECRETS, STACK, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session

_DEV = "add docker-compose.dev.yml: sources mounted, reload on change"


@task(
    lists=("service", "profile"),
    operands="service",
    flags={
        "stack": STACK,
        "service": "only these compose services and what they depend on",
        "profile": PROFILE,
        "env": ENV,
        "secrets": SECRETS,
        "dev": _DEV,
        "timeout": "longest wait, such as 2m",
        "check": "then look at what must hold: [[stacks.NAME.checks]]",
        "format": FORMATS,
    },
)
def up(
    session: Session,
    stack: str | None = None,
    service: list[str] | None = None,
    profile: list[str] | None = None,
    env: str | None = None,
    secrets: str | None = None,
    dev: bool = False,
    timeout: str | None = None,
    check: bool = False,
    format: str = "text",
) -> None:
    """Start a stack from exactly what was built, wait until it is healthy, and explain if not."""
    from hullwright import stack as feature
    from hullwright.report import stack as report
    from hullwright.tasks.starting import limits, mask_running, running, selection

    chosen = selection(session, stack, service, profile, env, secrets, dev=dev)
    if check:
        feature.refuse_none(chosen.stack)
    plan = feature.plan_up(session.workspace, chosen)
    if session.dry:
        session.console.result(plan.text())
        return
    if not chosen.environment:
        # What runs may have values that this run was not told, and a failure shows its last lines.
        mask_running(session, chosen)
    with running(session, "up", stack=chosen.stack.name):
        done = feature.execute(session.workspace, plan, limits=limits(timeout))
        if check:
            done = feature.held(session.workspace, plan, done)
        session.show(report, done, format, summarise=True)
        session.record("up", report.as_json(done), "failed" if done.failures else "done")
        session.leave(held=not done.failures, why=f"stack {done.stack} did not come up")


@task(
    flags={
        "stack": STACK,
        "volumes": "remove its volumes too: their content is gone; asks, or --yes",
        "yes": "do not ask",
        "format": FORMATS,
    }
)
def down(
    session: Session,
    stack: str | None = None,
    volumes: bool = False,
    yes: bool = False,
    format: str = "text",
) -> None:
    """Stop a stack and remove its containers and networks; volumes only if they are asked for."""
    from hullwright import stack as feature
    from hullwright.errors import UsageError
    from hullwright.report import stack as report

    plan = feature.plan_down(
        session.workspace, feature.select(session.workspace, stack), volumes=volumes
    )
    if session.dry:
        session.console.result(plan.text())
        return
    if plan.volumes and not yes:
        names = ", ".join(plan.volumes)
        if not session.console.interactive:
            raise UsageError(
                "nothing was removed",
                why=f"what is in {names} would be gone, and nobody is here to be asked",
                next_step="invoke down --volumes --yes",
            )
        if not session.console.ask(f"remove the volumes {names} with all that is in them?"):
            session.console.note("nothing was removed")
            return
    done = feature.execute_down(session.workspace, plan)
    session.show(report, done, format)
    session.record("down", report.as_json(done), "done")


@task(
    lists=("service",),
    operands="service",
    flags={
        "stack": STACK,
        "service": "only these services",
        "timeout": "longest wait, such as 2m",
        "format": FORMATS,
    },
)
def restart(
    session: Session,
    stack: str | None = None,
    service: list[str] | None = None,
    timeout: str | None = None,
    format: str = "text",
) -> None:
    """Restart the containers of a stack as they are, wait until healthy, and explain if not."""
    from hullwright import stack as feature
    from hullwright.report import stack as report
    from hullwright.tasks.starting import limits, mask, mask_running

    chosen = feature.select(session.workspace, stack, services=service or ())
    # A failure is explained with the last lines of the service.
    mask(session)
    mask_running(session, chosen)
    done = feature.restart(session.workspace, chosen, limits=limits(timeout))
    session.show(report, done, format)
    session.leave(held=not done.failures, why=f"stack {done.stack} did not come up again")


@task(
    lists=("service",),
    operands="service",
    flags={
        "stack": STACK,
        "service": "only these services",
        "follow": "go on as new lines come",
        "tail": "how many of the last lines of each",
        "since": "only lines since then, such as 10m",
    },
)
def logs(
    session: Session,
    stack: str | None = None,
    service: list[str] | None = None,
    follow: bool = False,
    tail: str | None = None,
    since: str | None = None,
) -> None:
    """Show the logs of a stack's containers."""
    from hullwright import stack as feature

    chosen = feature.select(session.workspace, stack, services=service or ())
    session.end(feature.logs(session.workspace, chosen, follow=follow, tail=tail, since=since))


@task(
    lists=("service",),
    operands="service",
    flags={"stack": STACK, "service": "only these services", "format": FORMATS},
)
def ps(
    session: Session,
    stack: str | None = None,
    service: list[str] | None = None,
    format: str = "text",
) -> None:
    """Show the containers of a stack: health, uptime, restarts, ports and image versions."""
    from hullwright import stack as feature
    from hullwright.report import stack as report

    chosen = feature.select(session.workspace, stack, services=service or ())
    session.show(report, feature.ps(session.workspace, chosen), format)


@task(
    name="exec",
    operands="service",
    words="command",
    flags={
        "stack": STACK,
        "service": "the service to run it in",
        "command": "the command, in one word as a shell splits it; hullwright takes words after --",
        "user": "the user to run it as; default the container's",
    },
)
def exec_(
    session: Session,
    stack: str | None = None,
    service: str = "",
    command: str = "",
    user: str = "",
) -> None:
    """Run a command in the container of a service; the exit code is the command's."""
    import shlex

    from hullwright import stack as feature
    from hullwright.errors import UsageError

    if not service or not command:
        raise UsageError(
            "exec needs a service and a command",
            next_step="invoke exec --service NAME --command 'ls -l'"
            "   or   hullwright exec NAME -- ls -l",
        )
    chosen = feature.select(session.workspace, stack)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"the command cannot be split into words: {error}",
            next_step="close its quotes, or give words: hullwright exec NAME -- …",
        ) from error
    session.end(feature.exec_(session.workspace, chosen, service, words, user=user))


@task(
    operands="service",
    flags={
        "stack": STACK,
        "service": "the service to enter; without a shell in its image, a helper enters beside it",
        "stage": "enter a new container of this build stage instead",
        "helper": "image of the helper; default one in the local store that has a shell",
        "user": "the user to enter as; default the container's",
    },
)
def shell(
    session: Session,
    stack: str | None = None,
    service: str = "",
    stage: str = "",
    helper: str = "",
    user: str = "",
) -> None:
    """Open a shell in a service's container, or in a stage of its build."""
    from hullwright import stack as feature
    from hullwright.errors import UsageError
    from hullwright.tasks.building import stage_reference

    if stage and (helper or user):
        raise UsageError(
            "--stage opens a new container of that stage, as its own user and without a helper",
            next_step="leave --user and --helper out",
        )
    if stage:
        reference = stage_reference(session, service, stage)
        session.end(feature.shell_of_image(session.workspace, reference))
        return
    if not service:
        raise UsageError("shell needs a service", next_step="invoke shell --service NAME")
    chosen = feature.select(session.workspace, stack)
    entered = feature.shell(session.workspace, chosen, service, helper_image=helper, user=user)
    session.end(entered)
