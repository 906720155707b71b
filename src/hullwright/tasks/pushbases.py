"""What images that are pushed are made on, as far as the local store knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.build import BuildPlan
    from hullwright.tasks.session import Session


def bases_of(session: Session, plan: BuildPlan) -> Iterator[tuple[str, str]]:
    """Yield each image that is made on another one, and what that one stands in for."""
    from hullwright.bases import stand_in_of
    from hullwright.tools.dockerfile import read
    from hullwright.tools.lineage import base_image

    known: dict[str, str] = {}
    for target in plan.targets:
        service = session.config.services[target.service]
        dockerfile = read(session.root / service.dockerfile)
        base = base_image(dockerfile, target.target, target.bake.arguments)
        if base and base not in target.links:
            if base not in known:
                known[base] = stand_in_of(session.workspace, base)
            yield f"{target.service} {target.target}".strip(), known[base]
