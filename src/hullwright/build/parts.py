"""Targets that several nodes build: a bake target for each platform, and one result of them all.

In a registry whoever pushes joins the parts. For the local store, or an archive, each part is
written as an OCI archive; `hullwright.tools.archivejoining` makes one of them.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.build.ignoring import STATE
from hullwright.build.models import Share
from hullwright.build.outputs import attributes, stores, written
from hullwright.build.repeatable import load_archive
from hullwright.files import make_folder
from hullwright.tools.archivejoining import join_archives
from hullwright.tools.buildx import REWRITTEN, bake_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.build.outcome import TargetResult
    from hullwright.tools.buildx import BakeTarget
    from hullwright.workspace import Workspace

_FOLDER: Final = f"{STATE}/parts"
_INDEX: Final = "index:"
# What a cache is called by: in a registry, on GitHub, in a folder that is read or written.
_PLACES: Final = ("ref", "scope", "src", "dest")


def expanded(plan: BuildPlan) -> BuildPlan:
    """Return the plan with a target for each platform of what several nodes build."""
    targets = tuple(part for target in plan.targets for part in _parts(target))
    return plan if targets == plan.targets else replace(plan, targets=targets)


def _parts(target: PlannedTarget) -> tuple[PlannedTarget, ...]:
    if len(target.shares) < 2:
        return (target,)
    return tuple(
        _part(target, share, platform) for share in target.shares for platform in share.platforms
    )


def _part(target: PlannedTarget, share: Share, platform: str) -> PlannedTarget:
    name = part_name(target, platform)
    outputs = tuple(_output(output, name, target) for output in target.bake.outputs)
    # What an index says is said where it is made.
    said = tuple(each for each in target.bake.annotations if not each.startswith(_INDEX))
    bake = replace(
        target.bake,
        name=name,
        platforms=(platform,),
        tags=(),
        outputs=outputs,
        annotations=said,
        cache_from=_sources(target.bake, platform),
        cache_to=tuple(_apart(goal, platform) for goal in target.bake.cache_to),
    )
    return replace(
        target, platforms=(platform,), bake=bake, shares=(Share(share.node, (platform,)),)
    )


def _sources(bake: BakeTarget, platform: str) -> tuple[str, ...]:
    """Return where a part's layers come from: where the whole ones' do, and its own before."""
    mine = (_apart(source, platform) for source in bake.cache_from)
    return tuple(dict.fromkeys((*mine, *bake.cache_from)))


def _apart(cache: str, platform: str) -> str:
    """Return a cache of a part's own: the last of two that wrote one would be all that is left."""
    values = attributes(cache)
    place = next((key for key in _PLACES if key in values), "")
    # A folder elsewhere is one that bake was allowed by name.
    if not place or values[place].startswith(("/", "..")):
        return cache
    return written({**values, place: f"{values[place]}-{platform.replace('/', '-')}"})


def part_name(target: PlannedTarget, platform: str) -> str:
    """Return bake's name of a part."""
    return bake_name(target.name, platform)


def index_annotations(target: PlannedTarget) -> dict[str, str]:
    """Return what the index of a target's platforms says of itself."""
    said = (each.removeprefix(_INDEX) for each in target.bake.annotations if each[:6] == _INDEX)
    return dict(each.partition("=")[::2] for each in said)


def _output(output: str, name: str, target: PlannedTarget) -> str:
    if attributes(output).get("type") == "image":
        return output
    rewritten = f",{REWRITTEN}" if target.reproducible else ""
    return f"type=oci,dest={_FOLDER}/{name}.tar,oci-mediatypes=true{rewritten}"


@dataclass(frozen=True)
class Joiner:
    """Makes one result of those of parts.

    Attributes:
        plan: with whole targets.
    """

    ws: Workspace
    plan: BuildPlan

    def whole(self, results: Mapping[str, TargetResult]) -> dict[str, TargetResult]:
        """Return the results by whole targets; one whose parts did not all end is left out.

        Raises:
            UnavailableError: the engine does not take what was joined.
        """
        found: dict[str, TargetResult] = {}
        try:
            for target in self.plan.targets:
                names = [target.name]
                if len(target.shares) > 1:
                    names = [part_name(target, platform) for platform in target.platforms]
                mine = [results[name] for name in names if name in results]
                if len(mine) == len(names):
                    found[target.name] = mine[0] if len(mine) == 1 else self._joined(target, mine)
        finally:
            shutil.rmtree(self.ws.root / _FOLDER, ignore_errors=True)
        return found

    def _joined(self, target: PlannedTarget, parts: Sequence[TargetResult]) -> TargetResult:
        first = next(
            (part for status in ("failed", "skipped") for part in parts if part.status == status),
            parts[0],
        )
        result = replace(
            first,
            platforms=target.platforms,
            digest="",
            stored=False,
            seconds=max(part.seconds for part in parts),
            steps=sum(part.steps for part in parts),
            cached_steps=sum(part.cached_steps for part in parts),
            emulated=tuple(step for part in parts for step in part.emulated),
            nodes=tuple(dict.fromkeys(node for part in parts for node in part.nodes)),
        )
        if result.status != "built":
            return result
        digests = zip(target.platforms, parts, strict=True)
        result = replace(result, parts=tuple((p, part.digest) for p, part in digests))
        written = [output for output in target.bake.outputs if "type=image" not in output]
        return self._written(target, result, written) if written else result

    def _written(
        self, target: PlannedTarget, result: TargetResult, outputs: Sequence[str]
    ) -> TargetResult:
        """Write the joined image to where the target's exporters would have."""
        folder = make_folder(self.ws.root / _FOLDER)
        files = [folder / f"{part_name(target, p)}.tar" for p in target.platforms]
        whole = folder / f"{target.name}.tar"
        digest = join_archives(files, whole, target.reference, index_annotations(target))
        for output in outputs:
            dest = attributes(output).get("dest", "")
            if stores([output]):
                load_archive(self.ws, target.reference, whole)
            elif dest:
                place = self.ws.root / dest
                make_folder(place.parent)
                shutil.copyfile(whole, place)
        stored = stores(outputs)
        return replace(result, digest=digest, stored=stored, reason="" if stored else result.reason)
