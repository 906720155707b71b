"""From services to one bake run: which images, under which names, with which arguments."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.build.ignoring import without_state
from hullwright.build.labelling import as_annotations, base_labels, base_reference, image_labels
from hullwright.build.models import BuildPlan, PlannedTarget, secret_variable
from hullwright.errors import UsageError, unknown
from hullwright.images import Platform, Reference
from hullwright.tools.buildx import BakeTarget, bake_name
from hullwright.tools.dockerfile import Dockerfile, read
from hullwright.tools.engine import digests
from hullwright.tools.lineage import base_image, declared, written_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hullwright.build.models import BuildRequest, SourceVersion
    from hullwright.config.models import Config, Service
    from hullwright.workspace import Workspace

CA_BUNDLE_ID: Final = "ca-bundle"
_OVERRIDE: Final = re.compile(r"(?P<target>[^.=]+)\.[^=]+(?:=|$)")
# What BuildKit's workers and Go's toolchain agree on; a typing mistake is found before the build.
KNOWN_PLATFORMS: Final = (
    *("linux/386", "linux/amd64", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64"),
    *("linux/loong64", "linux/mips64", "linux/mips64le", "linux/ppc64le", "linux/riscv64"),
    *("linux/s390x", "windows/amd64", "windows/arm64"),
)


def select(config: Config, names: Iterable[str]) -> tuple[Service, ...]:
    """Return the services of these names, or all of them where none is named.

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
    return tuple(s for s in config.services.values() if not asked or s.name in asked)


def plan(
    ws: Workspace, request: BuildRequest, version_of: Callable[[Service], SourceVersion]
) -> BuildPlan:
    """Return the bake run that a request means, checked against configuration and Dockerfiles.

    Args:
        ws: the repository.
        request: what is asked for.
        version_of: what a service's sources are called; asked once for each service.

    Raises:
        UsageError: an unknown service, target or platform, a missing Dockerfile, or two images
            of one name.
    """
    services = select(ws.config, request.services)
    platforms = _platforms(ws.config, request.platforms)
    bases = _base_digests(ws, request, services)
    planner = _Planner(ws, request, platforms, _ca_bundle(ws), bases)
    targets: list[PlannedTarget] = []
    for service in services:
        made = planner.target(service, version_of(service))
        _refuse_second(made, targets)
        targets.append(made)
    _check_overrides(request.set_, [target.bake.name for target in targets])
    return BuildPlan(
        targets=tuple(targets),
        no_cache=request.no_cache,
        pull=request.pull,
        overrides=request.set_,
        allow=(*_readable(ws, targets, planner.ca_bundle), *request.allow),
        ca_bundle=planner.ca_bundle,
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    ws: Workspace
    request: BuildRequest
    platforms: tuple[str, ...]
    ca_bundle: str
    base_digests: Mapping[str, str]

    def target(self, service: Service, version: SourceVersion) -> PlannedTarget:
        root, config = self.ws.root, self.ws.config
        dockerfile = _dockerfile(self.ws, service)
        stage = _stage(service, dockerfile, self.request.target)
        reference = reference_of(config, service, stage, version.image_tag)
        # A service's own platforms are the narrower statement; what is typed wins over both.
        own = tuple(str(platform) for platform in service.platforms)
        platforms = self.platforms if self.request.platforms or not own else own
        generated = without_state(self.ws, service)
        written = generated[0].path if generated else service.dockerfile
        given = _given(service, self.request)
        wanted = declared(dockerfile, stage, given)
        offered = {k: v for k, v in version.arguments.items() if k in wanted}
        labels = _labels(
            self.ws,
            service,
            version,
            stage=stage,
            dockerfile=dockerfile,
            given=given,
            base_digests=self.base_digests,
        )
        name = bake_name(service.name, stage)
        return PlannedTarget(
            service=service.name,
            target=stage,
            reference=reference,
            platforms=platforms,
            version=version.version,
            revision=version.revision,
            bake=BakeTarget(
                name=name,
                context=service.context,
                dockerfile=os.path.relpath(root / written, root / service.context),
                stage=stage,
                tags=(reference,),
                platforms=platforms,
                arguments=offered | given,
                labels=labels,
                annotations=as_annotations(
                    labels, index=len(platforms) > 1 and not _one_platform(self.request, name)
                ),
                secrets=(
                    *((f"id={CA_BUNDLE_ID},src={self.ca_bundle}",) if self.ca_bundle else ()),
                    *(f"id={i},env={secret_variable(key)}" for i, key in service.secrets.items()),
                ),
            ),
            secret_keys=tuple(service.secrets.values()),
            generated=generated,
        )


def reference_of(config: Config, service: Service, stage: str, image_tag: str) -> str:
    """Return `[registry/]image:tag`, with `-stage` for another stage than the default one.

    Raises:
        UsageError: the parts do not make an image reference.
    """
    suffix = "" if stage == service.default_target else f"-{stage}"
    prefix = f"{config.registry}/" if config.registry else ""
    reference = f"{prefix}{service.image or service.name.lower()}:{image_tag}{suffix}"
    Reference.parse(reference)
    return reference


def labels_of(
    ws: Workspace, service: Service, version: SourceVersion, target: str = ""
) -> dict[str, str]:
    """Return the labels that a build gives a service's image, the base's digest left out.

    That one needs an engine, and belongs to a build: it may be another one by then. A service
    that cannot be built yet has the labels that need no Dockerfile.
    """
    stage = target or service.default_target
    file = ws.root / service.dockerfile
    dockerfile = read(file) if file.is_file() else None
    if dockerfile is None or (stage and stage not in dockerfile.stages):
        return image_labels(ws, service, version, stage=stage, written={}, base={})
    return _labels(
        ws,
        service,
        version,
        stage=stage,
        dockerfile=dockerfile,
        given=service.build_args,
        base_digests={},
    )


def _labels(
    ws: Workspace,
    service: Service,
    version: SourceVersion,
    *,
    stage: str,
    dockerfile: Dockerfile,
    given: Mapping[str, str],
    base_digests: Mapping[str, str],
) -> dict[str, str]:
    return image_labels(
        ws,
        service,
        version,
        stage=stage,
        written=written_labels(dockerfile, stage, given),
        base=base_labels(base_image(dockerfile, stage, given), base_digests),
    )


def _base_digests(
    ws: Workspace, request: BuildRequest, services: Iterable[Service]
) -> Mapping[str, str]:
    """Return what the local store knows the base images by, in one question for all of them.

    It is empty where the build may take others: newer ones with `--pull`, and those of another
    builder than the engine's own.
    """
    if request.pull or ws.environ.get("BUILDX_BUILDER"):
        return {}
    bases = []
    for service in services:
        dockerfile = _dockerfile(ws, service)
        stage = _stage(service, dockerfile, request.target)
        base = base_image(dockerfile, stage, _given(service, request))
        reference = base_reference(base)
        if reference and not reference.digest:
            bases.append(base)
    return digests(ws.runner, bases)


def _given(service: Service, request: BuildRequest) -> dict[str, str]:
    return {**service.build_args, **request.build_args}


def _one_platform(request: BuildRequest, name: str) -> bool:
    """Return whether an override may leave one platform, where the plan has several."""
    pairs = (override.partition("=")[0].rpartition(".") for override in request.set_)
    return any(key == "platform" and fnmatchcase(name, target) for target, _, key in pairs)


def _dockerfile(ws: Workspace, service: Service) -> Dockerfile:
    path = ws.root / service.dockerfile
    if not path.is_file():
        raise UsageError(
            f"{service.dockerfile} of service {service.name} does not exist",
            why="it is a path from the repository's top folder, not from its context",
            next_step=f"correct services.{service.name}.dockerfile in the configuration",
        )
    if not (ws.root / service.context).is_dir():
        raise UsageError(
            f"the build context {service.context} of service {service.name} is no folder",
            next_step=f"correct services.{service.name}.context in the configuration",
        )
    return read(path)


def _stage(service: Service, dockerfile: Dockerfile, asked: str) -> str:
    stage = asked or service.default_target
    # The Dockerfile decides what exists; the configuration lists what people usually ask for.
    if stage and stage not in dockerfile.stages:
        raise unknown(f"target of service {service.name}", stage, dockerfile.stages)
    return stage


def _platforms(config: Config, asked: Iterable[str]) -> tuple[str, ...]:
    chosen = [Platform.parse(text) for text in asked] or list(config.platforms)
    known = {*KNOWN_PLATFORMS, *(str(platform) for platform in config.platforms)}
    for platform in chosen:
        if str(platform) not in known:
            raise unknown("platform", str(platform), known)
    return tuple(dict.fromkeys(str(platform) for platform in chosen))


def _ca_bundle(ws: Workspace) -> str:
    named = ws.config.build.ca_bundle
    path = ws.root / named
    return str(path) if named and path.is_file() else ""


def _readable(ws: Workspace, targets: Iterable[PlannedTarget], ca_bundle: str) -> tuple[str, ...]:
    # Bake asks before it reads outside of the folder it runs in; each path is named in the plan.
    paths = [*(ws.root / target.bake.context for target in targets)]
    paths += [Path(ca_bundle)] if ca_bundle else []
    outside = (path for path in paths if not path.resolve().is_relative_to(ws.root.resolve()))
    return tuple(dict.fromkeys(f"fs.read={os.path.normpath(path)}" for path in outside))


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
