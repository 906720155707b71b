"""BuildKit's own checks of Dockerfiles, without a build."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullwright.build.execution import prepare
from hullwright.build.outputs import NOWHERE
from hullwright.build.running import refuse_unavailable
from hullwright.files import lock, make_folder, write_atomic
from hullwright.tools.buildx import check_argv, definition_json

if TYPE_CHECKING:
    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.tools.buildx import BakeTarget
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What BuildKit says of Dockerfiles.

    Attributes:
        held: whether it found nothing.
        text: what bake printed.
    """

    held: bool
    text: str


def check(ws: Workspace, plan: BuildPlan) -> CheckReport:
    """Return what BuildKit's checks find in the Dockerfiles of a plan.

    Raises:
        LockedError: another build of this repository is running.
        UnavailableError: there is no engine or no usable buildx.
    """
    with lock(ws.state_dir / "build.lock", f"the build of {ws.config.project}"):
        prepare(ws, plan)
        file = make_folder(ws.state_dir / "bake-runs") / "check.json"
        write_atomic(file, definition_json(_checked(target) for target in plan.targets))
        done = ws.runner.run(
            *check_argv(file, overrides=plan.overrides, allow=plan.allow),
            cwd=ws.root,
            check=False,
        )
    refuse_unavailable(done, done.stderr.splitlines())
    return CheckReport(done.ok, "\n".join(part for part in (done.stdout, done.stderr) if part))


def _checked(planned: PlannedTarget) -> BakeTarget:
    """Return a target that can be checked.

    Bake exports an empty image of each, under its tags; and it refuses siblings, of which a check
    looks at nothing, so that any folder will do in their place.
    """
    bake = planned.bake
    contexts = dict(bake.contexts) | dict.fromkeys(planned.links, bake.context)
    return replace(
        bake,
        tags=(),
        outputs=NOWHERE,
        cache_from=(),
        cache_to=(),
        annotations=(),
        attestations=(),
        contexts=contexts,
    )
