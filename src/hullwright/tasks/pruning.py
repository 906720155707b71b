"""The task that removes what builds, pushes and crashed runs left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.prune import Limits, PrunePlan
    from hullwright.tasks.session import Session


@task(
    flags={
        "keep": "a number: newest images of each service and stage that stay; default 5",
        "older-than": "nothing younger goes, such as 7d or 12h",
        "images": "images of this project",
        "projects": "stacks of this repository that are stopped, and throwaways that are left",
        "cache": "build cache of the builder, which every project on this machine shares",
        "registry": "staging tags that pushes left in the registry",
        "yes": "do not ask",
        "format": FORMATS,
    }
)
def prune(
    session: Session,
    keep: str = "5",
    older_than: str = "",
    images: bool = False,
    projects: bool = False,
    cache: bool = False,
    registry: bool = False,
    yes: bool = False,
    format: str = "text",
) -> None:
    """Remove old images, stopped projects and more of this project; says what first, and asks."""
    from dataclasses import replace

    from hullwright import prune as feature
    from hullwright.report import prune as report

    # The build cache is everybody's, and a registry's tags are not on this machine.
    usual = not (images or projects or cache or registry)
    limits = _limits(keep, older_than)
    limits = replace(
        limits, images=images or usual, projects=projects or usual, cache=cache, registry=registry
    )
    plan = feature.plan(feature.look(session.workspace, limits), limits)
    if session.dry or not plan:
        session.show(report, plan, format)
        return
    if not yes and not _agreed(session, plan):
        session.console.note("nothing was removed")
        return
    done = feature.execute(session.workspace, plan)
    session.show(report, done, format, summarise=True)
    session.record("prune", report.as_json(done), "failed" if done.failed else "done")
    session.leave(held=not done.failed, why=f"{len(done.left)} could not be removed")


def _limits(keep: str, older_than: str) -> Limits:
    from hullwright.prune import Limits, parse_age
    from hullwright.tasks.figures import figure

    return Limits(figure("keep", keep, "images"), parse_age(older_than) if older_than else None)


def _agreed(session: Session, plan: PrunePlan) -> bool:
    """Show the plan, and return whether the person said yes to it.

    Raises:
        UsageError: nobody is here to be asked.
    """
    from hullwright.errors import UsageError

    session.console.note(plan.text())
    if not session.console.interactive:
        raise UsageError(
            "nothing was removed",
            why="that would go, and nobody is here to be asked",
            next_step="invoke prune --yes   (with the same flags)",
        )
    return session.console.ask("remove that?")
