"""The task of the cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import ENV, FORMATS, PROFILE, SECRETS, STACK, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    lists=("service", "profile"),
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
        "budget": "longest start that is accepted, such as 20s; default the stack's",
        "timeout": "longest wait, such as 2m",
        "kill-test": "then kill each service that restarts; it must come back healthy",
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
    budget: str | None = None,
    timeout: str | None = None,
    kill_test: bool = False,
    format: str = "text",
) -> None:
    """Start a stack from nothing in a throwaway project, with a timeline, and remove it again."""
    from hullwright import coldstart
    from hullwright.report import coldstart as report
    from hullwright.tasks.starting import limits, running, seconds, selection

    chosen = selection(session, stack, service, profile, env, secrets)
    if session.dry:
        name = project or coldstart.throwaway_name(session.config.project)
        plan = coldstart.plan(session.workspace, chosen, name, fast_probes=probe_override)
        session.console.result(plan.text())
        return
    with running(session, "cold-start", stack=chosen.stack.name):
        done = coldstart.run(
            session.workspace,
            chosen,
            coldstart.Request(
                project=project,
                keep=keep,
                limits=limits(timeout),
                budget_s=seconds(budget),
                fast_probes=probe_override,
                kill_test=kill_test,
            ),
        )
        session.show(report, done, format, summarise=True)
        session.record("cold-start", report.as_json(done), "failed" if done.failed else "done")
        session.leave(held=not done.failed, why=f"cold start of {done.stack}: {done.verdict}")
