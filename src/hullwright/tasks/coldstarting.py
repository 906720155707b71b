"""The task of the cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import ENV, FORMATS, PROFILE, SECRETS, STACK, TIMEOUT, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    lists=("service", "profile", "timeout"),
    operands="service",
    flags={
        "stack": STACK,
        "service": "only these compose services and what they depend on",
        "profile": PROFILE,
        "env": ENV,
        "secrets": SECRETS,
        "project": "name of the throwaway project; default one that is made up",
        "keep": "leave it running",
        "probe-override": "probe every 250 ms where a service leaves start_interval out",
        "runs": "how often it is started, each time from nothing; default 1, 3 with --against",
        "warm-volumes": "start on the volumes of a first start, which is not counted",
        "against": "build this branch, tag or commit too, and start both in turn",
        "budget": "longest start that is accepted, such as 20s; default the stack's",
        "timeout": TIMEOUT,
        "kill-test": "then kill each service that restarts; it must come back healthy",
        "timeline": "draw the cold start into this HTML file",
        "format": FORMATS,
    },
)
def cold_start(
    session: Session,
    stack: str | None = None,
    service: list[str] | None = None,
    profile: list[str] | None = None,
    env: str | None = None,
    secrets: str | None = None,
    project: str | None = None,
    keep: bool = False,
    probe_override: bool = True,
    runs: str | None = None,
    warm_volumes: bool = False,
    against: str | None = None,
    budget: str | None = None,
    timeout: list[str] | None = None,
    kill_test: bool = False,
    timeline: str = "",
    format: str = "text",
) -> None:
    """Start a stack from nothing in a throwaway project, with a timeline, and remove it again."""
    from hullwright import coldstart
    from hullwright.tasks.coldshowing import Showing, conclude, refuse_nowhere
    from hullwright.tasks.comparing import Asked, compared, planned, with_unit
    from hullwright.tasks.starting import limits, running, seconds, selection

    refuse_nowhere(timeline)
    request = coldstart.Request(
        project=project,
        keep=keep,
        limits=limits(timeout),
        budget_s=seconds(with_unit(budget)),
        fast_probes=probe_override,
        runs=coldstart.counted(runs, against=against is not None),
        warm_volumes=warm_volumes,
        kill_test=kill_test,
    )
    if against is not None:
        # Before anything is done: a mistyped name is no failure of what is measured.
        coldstart.commit_of(session.workspace, against)
    chosen = selection(session, stack, service, profile, env, secrets)
    if session.dry:
        session.console.result(planned(session, chosen, request, against))
        return
    asked = Asked(tuple(service or ()), tuple(profile or ()))
    with running(session, "cold-start", stack=chosen.stack.name):
        if against is None:
            done = coldstart.run(session.workspace, chosen, request)
        else:
            done = compared(session, against, chosen, asked, request)
        conclude(session, done, Showing(format, timeline, asked.services, asked.profiles))
        session.leave(held=not done.failed, why=coldstart.told(done))
