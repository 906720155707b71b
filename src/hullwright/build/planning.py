"""From services to a plan: which images, in which order, under which names, from what."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from hullwright import locked
from hullwright.build import emulation, linking, outputs, pinning
from hullwright.build.caching import Caching
from hullwright.build.labelling import base_reference
from hullwright.build.models import BuildPlan, PlannedTarget
from hullwright.build.planner import Planner
from hullwright.build.present import other_builder
from hullwright.errors import UsageError, unknown
from hullwright.tools.engine import digests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hullwright.build.linking import Node
    from hullwright.build.models import BuildRequest, SourceVersion
    from hullwright.build.nodes import Place
    from hullwright.config.models import Config, Service
    from hullwright.workspace import Workspace

_OVERRIDE: Final = re.compile(r"(?P<target>[^.=]+)\.[^=]+(?:=|$)")


def select(config: Config, names: Iterable[str]) -> tuple[Service, ...]:
    """Return the services of these names, or all but helpers where none is named.

    Raises:
        UsageError: a name is unknown, or there is nothing to build at all.
    """
    if not config.services:
        raise UsageError(
            "there is nothing to build",
            why="no service is configured, and no Dockerfile or build section was found",
            next_step="add a Dockerfile, or [services.NAME] to the configuration",
        )
    asked = tuple(dict.fromkeys(names))
    for name in asked:
        if name not in config.services:
            raise unknown("service", name, config.services)
    return tuple(
        s for s in config.services.values() if (s.name in asked if asked else not s.helper)
    )


def plan(
    ws: Workspace,
    request: BuildRequest,
    version_of: Callable[[Service], SourceVersion],
    *,
    writes_cache: bool | None = None,
    place: Place | None = None,
) -> BuildPlan:
    """Return what a request means, checked against configuration and Dockerfiles.

    Args:
        ws: the repository.
        request: what is asked for.
        version_of: what a service's sources are called; asked once for each service.
        writes_cache: whether caches that others read are written, as a push does; None means only
            in CI.
        place: the builder that builds; None for the engine's own.

    Raises:
        UsageError: an unknown service, target or platform, a missing Dockerfile, two images of one
            name, services that are built on each other, a secret that is not there, an argument
            that looks like one, or `--load` of what `--output` sends elsewhere.
    """
    writes = bool(ws.environ.get("CI")) if writes_cache is None else writes_cache
    if request.load:
        outputs.refuse_load(request.outputs)
    request = replace(request, builder=place.name if place else "")
    caching, lock = Caching(ws, writes), locked.load(ws.root)
    planner = Planner(ws, request, version_of, caching, _ca_bundle(ws), lock)
    asked = planner.asked(select(ws.config, request.services))
    nodes = planner.linker.ordered(asked)
    planner.refuse_arguments(nodes)
    own = {node: planner.own_platforms(node) for node in asked}
    platforms = linking.platforms(nodes, own, planner.linker.links, asked, emulation.host())
    named = planner.bases(nodes)
    bases = pinning.digests(planner.lock, named)
    bases |= _base_digests(ws, request, [image for image in named if image not in bases])
    wanted = set(asked)
    targets: list[PlannedTarget] = []
    for node in nodes:
        made = planner.target(node, platforms[node], bases, asked=node in wanted)
        _refuse_second(made, targets)
        targets.append(replace(made, runs=tuple(planner.runs((made,)))))
    _check_overrides(request.set_, [target.name for target in targets])
    outputs.refuse_one_place(request.outputs, [(t.service, t.target) for t in targets if t.asked])
    return BuildPlan(
        targets=tuple(targets),
        no_cache=request.no_cache,
        pull=request.pull,
        overrides=request.set_,
        allow=planner.entitlements(targets),
        ca_bundle=planner.ca_bundle,
        jobs=request.jobs or ws.config.build.jobs,
        fail_fast=request.fail_fast,
        notes=_notes(planner, nodes, targets),
        place=place,
        load=request.load,
    )


def _notes(
    planner: Planner, nodes: Iterable[Node], targets: Iterable[PlannedTarget]
) -> tuple[str, ...]:
    kept = pinning.note(target.pins for target in targets) if planner.request.pull else ""
    return (*planner.notes(nodes), *([kept] if kept else []))


def _base_digests(ws: Workspace, request: BuildRequest, images: Iterable[str]) -> Mapping[str, str]:
    """Return what the local store knows the base images by, in one question for all of them.

    It is empty where the build may take others: newer ones with `--pull`, and those of another
    builder than the engine's own.
    """
    if request.pull or other_builder(ws):
        return {}
    references = ((image, base_reference(image)) for image in images)
    return digests(ws.runner, [i for i, known in references if known and not known.digest])


def _ca_bundle(ws: Workspace) -> str:
    named = ws.config.build.ca_bundle
    path = ws.root / named
    return str(path) if named and path.is_file() else ""


def _check_overrides(overrides: Iterable[str], names: Sequence[str]) -> None:
    for override in overrides:
        match = _OVERRIDE.match(override)
        if match is None:
            raise UsageError(
                f'"{override}" is no override of a bake target',
                why="expected target.key=value, such as *.cache-from=type=local,src=folder",
            )
        if not any(fnmatchcase(name, match["target"]) for name in names):
            raise unknown("bake target", match["target"], names)


def _refuse_second(made: PlannedTarget, earlier: Iterable[PlannedTarget]) -> None:
    for other in earlier:
        if other.reference == made.reference or other.bake.name == made.bake.name:
            raise UsageError(
                f"services {other.service} and {made.service} both make {made.reference}",
                next_step="give each service an image (and a name) of its own in the configuration",
            )
