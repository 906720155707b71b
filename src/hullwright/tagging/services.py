"""The tags of configured services: their rules, their flavor, their Git tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tagging.compute import compute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hullwright.config.models import Config, Service, TagFlavor, TagRule
    from hullwright.tagging.model import RefContext, Tags


def of_service(
    config: Config,
    service: Service | None,
    context: RefContext,
    image_tag: Callable[[], str],
    *,
    rules: Sequence[TagRule] = (),
    flavor: TagFlavor | None = None,
) -> Tags:
    """Return the tags of a service, or of the repository where none is named.

    Args:
        config: whose rules hold where the service has none of its own.
        service: the service.
        context: the ref, its commit and its clone.
        image_tag: gives the tag of the version; called only where a rule asks for it.
        rules: in place of all that are configured.
        flavor: in place of what is configured.

    Raises:
        UsageError: a pattern cannot be read, or the clone lacks tags that would decide.
    """
    # Rules from elsewhere bring their own flavor: the configured one belongs to other rules.
    asked = rules or (service.tags if service and service.tags else config.tags)
    usual = service.tags_flavor if service and service.tags_flavor else config.tags_flavor
    return compute(
        context,
        asked,
        flavor or (None if rules else usual),
        tag_prefix=service.tag_prefix if service else "v",
        image_tag=image_tag() if any(rule.type == "version" for rule in asked) else "",
        service=service.name if service else "",
    )


def groups(config: Config) -> list[Service | None]:
    """Return one service for each set of rules that differs; None where there is no service."""
    found: list[Service | None] = []
    for service in config.services.values():
        own = (service.tags, service.tags_flavor, service.tag_prefix)
        if not any(one and own == (one.tags, one.tags_flavor, one.tag_prefix) for one in found):
            found.append(service)
    return found or [None]
