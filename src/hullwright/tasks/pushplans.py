"""Which images a push is going to give which tags, and what is held before that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.build import BuildPlan
    from hullwright.push import PlannedImage, PushPlan
    from hullwright.tagging import RefContext
    from hullwright.tasks.session import Session


def push_plan(
    session: Session, planned: BuildPlan, ref: str = "", *, part: bool = False
) -> PushPlan:
    """Return which of the planned images get which tags.

    What a person may have meant otherwise is told of, but for a part, which moves no tag.

    Raises:
        UsageError: a service has no tag for what is checked out, or `ref` is another commit.
    """
    from hullwright import push
    from hullwright.tagging import require
    from hullwright.tagging.kinds import fixed
    from hullwright.tasks.tagging import tags_of

    config, context = session.config, _context(session, ref)
    for note in () if part else context.notes:
        session.console.note(f"! {note}")
    images = []
    for target in planned.targets:
        if not target.asked:
            continue
        service = config.services[target.service]
        tags = require(tags_of(session, service, context))
        for warning in tags.warnings:
            session.console.warn(warning)
        images.append(
            push.planned_image(
                target.service,
                target.target,
                reference=target.reference,
                tags=tags.names,
                fixed=fixed(tags, tag_prefix=service.tag_prefix),
                stage="" if target.target == service.default_target else f"-{target.target}",
            )
        )
    return push.PushPlan(
        tuple(images),
        config.push.gates,
        config.build.attestations,
        _budgets(session, images),
        config.signing.key,
    )


def _budgets(session: Session, images: Iterable[PlannedImage]) -> dict[str, tuple[str, ...]]:
    """Return which figures budgets limit, by the service whose image they are of."""
    from hullwright.sizes.budgets import budgets_of

    limited = {
        image.service: budgets_of(session.config, image.service, image.target) for image in images
    }
    return {
        service: tuple(dict.fromkeys(budget.metric for budget in budgets))
        for service, budgets in limited.items()
        if budgets
    }


def _context(session: Session, ref: str) -> RefContext:
    """Return what tags are computed from: a ref of the commit that is checked out."""
    from hullwright.errors import UsageError
    from hullwright.tagging import look

    if not ref:
        return session.ref_context
    context, revision = look(session.workspace, ref=ref), session.version.revision
    if context.sha != revision:
        raise UsageError(
            f"{ref} is another commit than the one that would be built",
            why=[(ref, context.sha or "unknown"), ("checked out", revision)],
            next_step=f"git checkout {ref}",
        )
    return context
