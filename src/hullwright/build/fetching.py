"""Gets images that only the registry has, by their digest, in place of building them again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.build.models import Decision
from hullwright.images import Reference
from hullwright.tools import signatures

if TYPE_CHECKING:
    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.workspace import Workspace

_AT_ONCE: Final = 4
_SIBLING: Final = "target:"


def fetched(ws: Workspace, plan: BuildPlan) -> BuildPlan:
    """Return the plan after its images were fetched; what could not be had is built instead."""
    wanted = [planned for planned in plan.targets if planned.decision.action == "fetch"]
    if not wanted:
        return plan
    count = "1 image" if len(wanted) == 1 else f"{len(wanted)} images"
    with ws.console.step(f"{count} from the registry"), ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            refusals = list(pool.map(lambda planned: _fetch(ws, planned), wanted))
        except KeyboardInterrupt:
            # It may have reached this process only, and the pool waits for its pulls.
            ws.runner.interrupt()
            raise
    failed = {t.name: words for t, words in zip(wanted, refusals, strict=True) if words}
    for name, words in failed.items():
        ws.console.warn(f"{name} is built, for its image could not be fetched: {words}")
    return replace(plan, targets=tuple(_after(planned, failed) for planned in plan.targets))


def _fetch(ws: Workspace, planned: PlannedTarget) -> str:
    """Pull one image and give it its name; return why that was not possible, or nothing."""
    decision = planned.decision
    image = f"{Reference.parse(decision.reference).repository}@{decision.digest}"
    if refused := signatures.problem(ws, image):
        return refused
    only = planned.platforms if len(planned.platforms) == 1 else ()
    platform = (f"--platform={only[0]}",) if only else ()
    for words in (
        ("docker", "pull", "--quiet", *platform, image),
        ("docker", "tag", image, decision.reference),
    ):
        # A stream, so that Ctrl-C reaches it.
        done = ws.runner.stream(*words, on_line=_unread, check=False)
        if not done.ok:
            return done.stdout.strip().rpartition("\n")[2] or f"it ended with {done.returncode}"
    return ""


def _unread(_: str) -> None:
    """Take a line that is only looked at where the command failed."""


def _after(planned: PlannedTarget, failed: dict[str, str]) -> PlannedTarget:
    """Return a target as it is now that images were fetched, or could not be."""
    decision = planned.decision
    if planned.name in failed:
        why = f"the image of these inputs could not be fetched: {failed[planned.name]}"
        planned = replace(planned, decision=Decision("build", why, decision.changes))
    elif decision.action == "fetch":
        planned = replace(planned, decision=replace(decision, stored=True))
    links = {
        name: f"{_SIBLING}{sibling}" for name, sibling in planned.links.items() if sibling in failed
    }
    if not links:
        return planned
    bake = replace(planned.bake, contexts={**planned.bake.contexts, **links})
    return replace(planned, bake=bake)
