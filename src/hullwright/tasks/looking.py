"""Tasks that look into stacks: their containers, logs and figures, and what runs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, STACK, STACKS, task

if TYPE_CHECKING:
    from hullwright.stack import Selection, StackState
    from hullwright.tasks.inturn import Show
    from hullwright.tasks.session import Session


@task(
    lists=("stack", "service"),
    operands="service",
    flags={
        "stack": STACKS,
        "service": "only these services",
        "follow": "go on as new lines come",
        "tail": "how many of the last lines of each",
        "since": "only lines since then, such as 10m",
        "grep": "only lines in which this regular expression is found; 1 where none is",
    },
)
def logs(
    session: Session,
    stack: list[str] | None = None,
    service: list[str] | None = None,
    follow: bool = False,
    tail: str | None = None,
    since: str | None = None,
    grep: str = "",
) -> None:
    """Show the logs of a stack's containers; only matching lines with --grep."""
    from hullwright import stack as feature
    from hullwright.tasks.inturn import stacks
    from hullwright.tasks.starting import mask_running

    chosen = [
        feature.select(session.workspace, name, services=service or ())
        for name in stacks(session, stack)
    ]
    # Compose notices only with its next line that nobody reads any more (`| head`).
    piped = follow and not session.console.out.isatty()
    if session.dry or (not grep and len(chosen) == 1 and not piped):
        for each in chosen:
            shown = feature.logs(session.workspace, each, follow=follow, tail=tail, since=since)
            session.end(shown)
        return
    for each in chosen:
        mask_running(session, each)
    found = False
    try:
        for line in feature.log_lines(
            session.workspace, chosen, grep=grep, follow=follow, tail=tail, since=since
        ):
            found = True
            session.console.result(line, coloured=False)
    except KeyboardInterrupt:
        # The way in which following ends.
        if not follow:
            raise
    # As grep has it; who follows ends it before the line that may yet come.
    session.end(0 if found or follow or not grep else 1)


@task(
    lists=("stack", "service"),
    operands="service",
    flags={"stack": STACKS, "service": "only these services", "format": FORMATS},
)
def ps(
    session: Session,
    stack: list[str] | None = None,
    service: list[str] | None = None,
    format: str = "text",
) -> None:
    """Show the containers of a stack: health, uptime, restarts, ports, and versions against Git."""
    from hullwright import stack as feature
    from hullwright.report import stack as report
    from hullwright.tasks.inturn import in_turn, stacks

    def look(name: str | None, show: Show) -> bool:
        chosen = feature.select(session.workspace, name, services=service or ())
        show(_against_git(session, feature.ps(session.workspace, chosen)))
        return True

    in_turn(session, stacks(session, stack), look, report, format, undone="not looked at")


@task(
    lists=("stack", "service"),
    operands="service",
    flags={"stack": STACKS, "service": "only these services", "format": FORMATS},
)
def stats(
    session: Session,
    stack: list[str] | None = None,
    service: list[str] | None = None,
    format: str = "text",
) -> None:
    """Show what a stack uses now: processor, memory against its limit, network, disk, processes."""
    from hullwright import stack as feature
    from hullwright.report import stats as report
    from hullwright.tasks.inturn import in_turn, stacks

    def look(name: str | None, show: Show) -> bool:
        chosen = feature.select(session.workspace, name, services=service or ())
        show(feature.stats(session.workspace, chosen))
        return True

    in_turn(session, stacks(session, stack), look, report, format, undone="not looked at")


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
    from hullwright import stack as feature
    from hullwright.errors import UsageError
    from hullwright.tasks.starting import split_command

    if not service or not command:
        raise UsageError(
            "exec needs a service and a command",
            next_step="invoke exec --service NAME --command 'ls -l'"
            "   or   hullwright exec NAME -- ls -l",
        )
    chosen = feature.select(session.workspace, stack)
    words = split_command(command, "exec NAME")
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
    chosen: Selection = feature.select(session.workspace, stack)
    entered = feature.shell(session.workspace, chosen, service, helper_image=helper, user=user)
    session.end(entered)


def _against_git(session: Session, state: StackState) -> StackState:
    """Return a stack whose images of this repository say how they stand to Git."""
    from dataclasses import replace

    from hullwright.errors import UsageError
    from hullwright.version import standing

    if not any(each.built_service for each in state.services):
        return state
    try:
        versions = session.versions
    except UsageError as error:
        # Without Git, or without a commit, there is nothing to hold them against.
        session.console.detail(f"versions are not compared: {error.what}")
        return state
    compared = []
    for each in state.services:
        if not each.built_service:
            compared.append(each)
            continue
        stands = standing(
            session.workspace,
            versions[each.built_service],
            version=each.version,
            revision=each.revision,
            paths=session.config.services[each.built_service].paths,
        )
        compared.append(replace(each, standing=stands.state, commits_behind=stands.commits_behind))
    return replace(state, services=tuple(compared))
