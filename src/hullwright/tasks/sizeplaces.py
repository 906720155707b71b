"""What a registry has of the version that is checked out, by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.sizes import Subject
    from hullwright.tasks.session import Session


def pushed(session: Session, services: Sequence[str], target: str) -> tuple[Subject, ...]:
    """Return each service's image in the registry: the one that a pull would fetch.

    Raises:
        UsageError: no registry is configured, or a service is unknown.
        CheckFailedError: the registry lacks an image; all are named.
        UnavailableError: the registry cannot be asked.
    """
    from hullwright.errors import CheckFailedError, UsageError
    from hullwright.sizes import Subject
    from hullwright.tasks.releasing import in_registry

    if not session.config.registry:
        raise UsageError(
            "there is no registry whose images could be measured",
            why="images without one stay local",
            next_step='set `registry = "registry.example.com/team"` in the configuration, '
            "or name an image: --registry --image REF",
        )
    try:
        _, found = in_registry(session, services, target)
    except CheckFailedError as error:
        # What a pull proposes are flags of its own.
        raise CheckFailedError(
            error.what,
            why=error.why,
            next_step="invoke push, or name an image: --registry --image REF",
        ) from None
    return tuple(Subject(image.by_digest, image.service, image.target) for image in found)
