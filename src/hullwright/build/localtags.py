"""Further names of images in the local store, such as `chorus/api:production` beside a version.

They move with each build, so that what is started without Hullwright, and by people, has a name
that stays. They are no release tags: a push takes none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.build.models import BuildPlan
    from hullwright.build.outcome import TargetResult
    from hullwright.workspace import Workspace


def give_names(ws: Workspace, plan: BuildPlan, results: Mapping[str, TargetResult]) -> None:
    """Give what the local store holds of a plan its further names, current images too.

    Args:
        ws: the repository.
        plan: what was built.
        results: what became of it, by bake's name.

    Raises:
        CommandError: the engine does not give a name.
    """
    for planned in plan.targets:
        result = results.get(planned.name)
        if result is None or not result.stored:
            continue
        for name in planned.also:
            ws.runner.run("docker", "image", "tag", result.reference, name)
