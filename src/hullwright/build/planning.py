"""From services to a plan: which images, in which order, under which names, from what."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.build import emulation, linking, outputs
from hullwright.build.caching import Caching
from hullwright.build.ignoring import without_state
from hullwright.build.labelling import as_annotations, base_labels, base_reference, image_labels
from hullwright.build.linking import Linker, Source, context_key
from hullwright.build.models import BuildPlan, PlannedTarget
from hullwright.build.secrecy import mounts, refuse_secret_arguments
from hullwright.errors import UsageError, unknown
from hullwright.images import Platform, Reference
from hullwright.tools.buildx import BakeTarget, bake_name, literal_of
from hullwright.tools.dockerfile import Dockerfile, read
from hullwright.tools.engine import digests
from hullwright.tools.lineage import base_image, declared, written_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hullwright.build.caching import Caches
    from hullwright.build.linking import Node
    from hullwright.build.models import BuildRequest, SourceVersion
    from hullwright.build.secrecy import Mounts
    from hullwright.config.models import Config, Service
    from hullwright.workspace import Workspace

CA_BUNDLE_ID: Final = "ca-bundle"
# Attributes of a bake file that have a field of their own here.
_TAKEN: Final = frozenset({"annotations", "cache-from", "cache-to"})
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
    ws: Workspace,
    request: BuildRequest,
    version_of: Callable[[Service], SourceVersion],
    *,
    writes_cache: bool | None = None,
) -> BuildPlan:
    """Return what a request means, checked against configuration and Dockerfiles.

    Args:
        ws: the repository.
        request: what is asked for.
        version_of: what a service's sources are called; asked once for each service.
        writes_cache: whether caches that others read are written, as a push does; None means only
            in CI.

    Raises:
        UsageError: an unknown service, target or platform, a missing Dockerfile, two images of one
            name, services that are built on each other, a secret that is not there, or an argument
            that looks like one.
        UnavailableError: a step runs code of a platform that the builder cannot run.
    """
    writes = bool(ws.environ.get("CI")) if writes_cache is None else writes_cache
    planner = _Planner(ws, request, version_of, Caching(ws, writes), _ca_bundle(ws))
    asked = planner.asked()
    nodes = planner.linker.ordered(asked)
    planner.refuse_arguments(nodes)
    own = {node: planner.own_platforms(node) for node in asked}
    platforms = linking.platforms(nodes, own, planner.linker.links, asked, emulation.host())
    bases = _base_digests(ws, request, planner.bases(nodes))
    wanted = set(asked)
    targets: list[PlannedTarget] = []
    for node in nodes:
        made = planner.target(node, platforms[node], bases, asked=node in wanted)
        _refuse_second(made, targets)
        targets.append(made)
    _check_overrides(request.set_, [target.name for target in targets])
    outputs.refuse_one_place(request.outputs, [t.name for t in targets if t.asked])
    emulation.refuse_missing(ws, planner.runs(targets))
    return BuildPlan(
        targets=tuple(targets),
        no_cache=request.no_cache,
        pull=request.pull,
        overrides=request.set_,
        allow=planner.entitlements(targets),
        ca_bundle=planner.ca_bundle,
        jobs=request.jobs or ws.config.build.jobs,
        fail_fast=request.fail_fast,
        notes=planner.notes(nodes),
    )


@dataclass(frozen=True)
class _Planner:
    """Makes the targets of one plan; what a service says is asked once."""

    ws: Workspace
    request: BuildRequest
    version_of: Callable[[Service], SourceVersion]
    caching: Caching
    ca_bundle: str
    _sources: dict[str, Source] = field(default_factory=dict)
    _versions: dict[str, SourceVersion] = field(default_factory=dict)
    _mounts: dict[str, Mounts] = field(default_factory=dict)

    @cached_property
    def linker(self) -> Linker:
        """Finds siblings that a node is built on."""
        return Linker(self.ws.config, self.source)

    def asked(self) -> tuple[Node, ...]:
        """Return what was asked for, in the order of the configuration."""
        services = select(self.ws.config, self.request.services)
        limit, target = self.request.only, self.request.target
        if limit is None:
            return tuple((s.name, self.stage(s.name, target)) for s in services)
        return tuple(
            (s.name, self.stage(s.name, stage))
            for s in services
            for name, stage in limit
            if name == s.name and target in {"", stage}
        )

    def stage(self, name: str, asked: str) -> str:
        """Return the stage of a service that is meant by what was asked for."""
        service = self.ws.config.services[name]
        # The Dockerfile is read and checked, whatever is asked of it.
        return _stage(service, self.source(name).dockerfile, asked)

    def source(self, name: str) -> Source:
        """Return what a service is built from."""
        if name not in self._sources:
            service = self.ws.config.services[name]
            dockerfile = _dockerfile(self.ws, service)
            # Also a FROM may use them.
            known = {
                k: v for k, v in self.version(service).arguments.items() if k in dockerfile.globals
            }
            self._sources[name] = Source(service, dockerfile, known | _given(service, self.request))
        return self._sources[name]

    def version(self, service: Service) -> SourceVersion:
        """Return what a service's sources are called."""
        if service.name not in self._versions:
            self._versions[service.name] = self.version_of(service)
        return self._versions[service.name]

    def mounts(self, service: Service) -> Mounts:
        """Return the secrets and agents of a service."""
        if service.name not in self._mounts:
            self._mounts[service.name] = mounts(self.ws, service)
        return self._mounts[service.name]

    def own_platforms(self, node: Node) -> tuple[str, ...]:
        """Return the platforms that something is asked for; empty is the builder's own."""
        own = self.ws.config.services[node[0]].platforms
        # A service's own platforms are the narrower statement; what is typed wins over both.
        if own and not self.request.platforms:
            return tuple(str(platform) for platform in own)
        return _platforms(self.ws.config, self.request.platforms)

    def refuse_arguments(self, nodes: Sequence[Node]) -> None:
        """Refuse arguments that look like a secret."""
        typed = self.request.build_args
        services = dict.fromkeys(name for name, _ in nodes)
        said = [
            *((name, "--build-arg") for name in typed),
            *(
                (argument, f"build arguments of service {name}")
                for name in services
                for argument in self.ws.config.services[name].build_args
                if argument not in typed
            ),
        ]
        allowed = (*self.ws.config.build.allow_args, *self.request.allow_args)
        refuse_secret_arguments(said, self.request.set_, allowed)

    def bases(self, nodes: Sequence[Node]) -> tuple[str, ...]:
        """Return the images that the nodes are made on, siblings left out."""
        found = []
        for node in nodes:
            source = self.source(node[0])
            links = {link.key for link in self.linker.links(node)}
            base = base_image(source.dockerfile, node[1], source.arguments)
            if base and context_key(base) not in links:
                found.append(base)
        return tuple(found)

    def target(
        self,
        node: Node,
        platforms: tuple[str, ...],
        base_digests: Mapping[str, str],
        *,
        asked: bool,
    ) -> PlannedTarget:
        """Return one image of the plan."""
        source, stage = self.source(node[0]), node[1]
        service, version = source.service, self.version(source.service)
        reference = reference_of(self.ws.config, service, stage, version.image_tag)
        generated = without_state(self.ws, service)
        name = bake_name(service.name, stage)
        links = self.linker.links(node)
        labels = _labels(
            self.ws,
            service,
            version,
            stage=stage,
            dockerfile=source.dockerfile,
            given=source.arguments,
            base_digests=base_digests,
        )
        mounted = self.mounts(service)
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
                dockerfile=os.path.relpath(
                    self.ws.root / (generated[0].path if generated else service.dockerfile),
                    self.ws.root / service.context,
                ),
                stage=stage,
                tags=(reference,),
                platforms=platforms,
                arguments=self._arguments(source, stage, version),
                labels=labels,
                annotations=self._annotations(service, name, platforms, labels),
                secrets=(
                    *((f"id={CA_BUNDLE_ID},src={self.ca_bundle}",) if self.ca_bundle else ()),
                    *mounted.secrets,
                ),
                ssh=mounted.ssh,
                contexts={
                    **_other_contexts(service),
                    **{link.key: f"target:{bake_name(*link.node)}" for link in links},
                },
                cache_from=self._caches(node).sources,
                cache_to=self._caches(node).goals,
                outputs=self._outputs(service.name, stage, asked=asked),
                extra={k: v for k, v in service.extra.items() if k not in _TAKEN},
            ),
            secret_keys=mounted.keys,
            generated=generated,
            links={link.key: bake_name(*link.node) for link in links},
            asked=asked,
            release=version.release,
            dirty=version.dirty,
        )

    def runs(self, targets: Iterable[PlannedTarget]) -> Iterator[tuple[str, str]]:
        """Yield the platforms whose code the steps of the targets run, with a place of each."""
        for target in targets:
            source = self.source(target.service)
            for wanted in target.platforms or (emulation.host(),):
                for platform, stage, line in emulation.run_platforms(
                    source.dockerfile, target.target, source.arguments, wanted
                ):
                    yield platform, f"{source.service.dockerfile}:{line}, stage {stage}"

    def entitlements(self, targets: Sequence[PlannedTarget]) -> tuple[str, ...]:
        """Return what bake has to be allowed; each is named in the plan."""
        # Bake asks before it reads or writes outside of the folder it runs in.
        root = self.ws.root
        read = [root / target.bake.context for target in targets]
        read += [Path(self.ca_bundle)] if self.ca_bundle else []
        for target in targets:
            service = self.ws.config.services[target.service]
            read += self.mounts(service).files
            read += [
                root / folder for folder in _other_contexts(service).values() if "://" not in folder
            ]
        written = [
            place
            for target in targets
            for place in outputs.places((*target.bake.outputs, *target.bake.cache_to), root)
        ]
        agents = ("ssh",) if any(target.bake.ssh for target in targets) else ()
        found = (*_outside(root, "read", read), *_outside(root, "write", written), *agents)
        return tuple(dict.fromkeys((*found, *self.request.allow)))

    def notes(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        """Return what a person should know of the plan, each once."""
        return tuple(dict.fromkeys(note for node in nodes for note in self._caches(node).notes))

    def _caches(self, node: Node) -> Caches:
        service = self.ws.config.services[node[0]]
        repository = reference_of(self.ws.config, service, node[1], "x").rpartition(":")[0]
        return self.caching.of(service, node[1], repository)

    def _arguments(self, source: Source, stage: str, version: SourceVersion) -> dict[str, str]:
        given = _given(source.service, self.request)
        wanted = declared(source.dockerfile, stage, source.arguments)
        return {k: v for k, v in version.arguments.items() if k in wanted} | given

    def _annotations(
        self, service: Service, name: str, platforms: Sequence[str], labels: Mapping[str, str]
    ) -> tuple[str, ...]:
        if self.request.outputs and not outputs.takes_annotations(self.request.outputs):
            return ()
        index = len(platforms) > 1 and not _one_platform(self.request, name)
        own = (literal_of(each) for each in service.extra.get("annotations") or ())
        return (*as_annotations(labels, index=index), *own)

    def _outputs(self, service: str, stage: str, *, asked: bool) -> tuple[str, ...]:
        if self.request.outputs and not asked:
            return outputs.NOWHERE
        return outputs.exporters(self.request.outputs, service, stage)


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


def _base_digests(ws: Workspace, request: BuildRequest, images: Iterable[str]) -> Mapping[str, str]:
    """Return what the local store knows the base images by, in one question for all of them.

    It is empty where the build may take others: newer ones with `--pull`, and those of another
    builder than the engine's own.
    """
    if request.pull or ws.environ.get("BUILDX_BUILDER"):
        return {}
    references = ((image, base_reference(image)) for image in images)
    return digests(ws.runner, [i for i, known in references if known and not known.digest])


def _other_contexts(service: Service) -> dict[str, str]:
    """Return the contexts that are no sibling's image, by the names that BuildKit looks up."""
    return {
        context_key(name): value
        for name, value in service.contexts.items()
        if not value.startswith("service:")
    }


def _outside(root: Path, what: str, paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        if not path.resolve().is_relative_to(root.resolve()):
            yield f"fs.{what}={os.path.normpath(path)}"


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
