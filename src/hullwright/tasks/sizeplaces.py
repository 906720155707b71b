"""What a registry has of the version that is checked out: names under which a push gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.config.models import Service
    from hullwright.sizes import Subject
    from hullwright.tasks.session import Session


def pushed(session: Session, services: Sequence[str], target: str) -> tuple[Subject, ...]:
    """Return each service's image in the registry: of this version, else of what was recorded.

    Raises:
        UsageError: no registry is configured, or a service is unknown.
    """
    from hullwright import build
    from hullwright.errors import UsageError
    from hullwright.recorded import load
    from hullwright.sizes import Subject
    from hullwright.sizes.choosing import locate

    if not session.config.registry:
        raise UsageError(
            "there is no registry whose images could be measured",
            next_step='set `registry = "registry.example.com/team"` in the configuration, '
            "or name an image: --registry --image REF",
        )
    recorded = load(session.workspace)
    found = []
    for service in build.select(session.config, services):
        stage = target or service.default_target
        names = _names(session, service, stage)
        known = recorded.get((service.name, stage))
        names += [known.reference] if known else []
        subjects = [Subject(name, service.name, stage) for name in dict.fromkeys(names)]
        there = (one for one in subjects if locate(session.workspace, one, "registry"))
        found.append(next(there, subjects[0]))
    return tuple(found)


def _names(session: Session, service: Service, stage: str) -> list[str]:
    """Return the references that a push of this version gives, those that never move first."""
    from hullwright.build import reference_of
    from hullwright.tagging.kinds import fixed
    from hullwright.tasks.tagging import tags_of

    version = session.versions[service.name]
    kept = fixed(tags_of(session, service, session.ref_context), tag_prefix=service.tag_prefix)
    tags = dict.fromkeys((version.image_tag, *kept))
    return [reference_of(session.config, service, stage, tag) for tag in tags]
