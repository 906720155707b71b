"""Does what a plan says, one thing after the other; what refuses to go is told and left."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from hullwright.errors import UnavailableError
from hullwright.files import lock
from hullwright.images import Reference
from hullwright.prune.models import NO_SINGLE_TAGS, PruneReport
from hullwright.tools import engine, storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.prune.models import Operation, PrunePlan
    from hullwright.run import Result
    from hullwright.workspace import Workspace

_ANOTHER: Final = "it is not what it was when it was looked at"


def execute(ws: Workspace, plan: PrunePlan) -> PruneReport:
    """Remove what the plan says, and return what is gone and what is left.

    Nothing is forced but the containers of throwaways: the engine itself refuses what came into
    use meanwhile.

    Raises:
        LockedError: a build of this repository is running, whose images have no names yet.
    """
    removed, left = [], []
    images = any(each.action == "remove" and each.kind == "image" for each in plan.operations)
    held = lock(ws.state_dir / "build.lock", "the local images of this project")
    with held if images else nullcontext(), ws.console.step(f"prune {plan.project}"):
        for operation, refusal in _done(ws, plan):
            if refusal:
                left.append((operation, refusal))
            else:
                removed.append(operation)
    return PruneReport(plan, tuple(removed), tuple(left))


def _done(ws: Workspace, plan: PrunePlan) -> Iterator[tuple[Operation, str]]:
    """Yield each thing that goes, with why it did not."""
    # Registries that cannot remove a tag alone are not asked again.
    unable: set[str] = set()
    for operation in plan.operations:
        if operation.action != "remove":
            continue
        match operation.kind:
            case "image":
                yield operation, _remove_image(ws, operation)
            case "cache":
                yield operation, _words(storage.clear_cache(ws.runner, plan.cache_unused_s))
            case "tag":
                yield operation, _delete_tag(ws, operation, unable)
            case _:
                yield operation, _remove(ws, operation)


def _remove_image(ws: Workspace, operation: Operation) -> str:
    """Remove a name of an image, and the image with its last one; by id where it has none."""
    there = engine.image(ws.runner, operation.name)
    if there is None:
        return ""
    nameless = operation.name == operation.id
    # By its id, an image would go with a name that it has got meanwhile.
    if there.id != operation.id or (nameless and there.tags):
        return _ANOTHER
    return _words(ws.runner.run("docker", "image", "rm", operation.name, check=False))


def _remove(ws: Workspace, operation: Operation) -> str:
    forced = ("--force", "--volumes") if operation.forced else ()
    target = operation.id or operation.name
    return _words(ws.runner.run("docker", operation.kind, "rm", *forced, target, check=False))


def _delete_tag(ws: Workspace, operation: Operation, unable: set[str]) -> str:
    from hullwright.tools.registryclient import connect

    reference = Reference.parse(operation.name)
    if reference.domain in unable:
        return NO_SINGLE_TAGS
    try:
        if connect(ws, reference.domain).delete_tag(reference.path, reference.tag or ""):
            return ""
    except UnavailableError as error:
        return str(error)
    unable.add(reference.domain)
    return NO_SINGLE_TAGS


def _words(answer: Result) -> str:
    return "" if answer.ok else "\n".join(answer.tail(3))
