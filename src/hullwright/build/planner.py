"""One target of a plan after the other, from what its service, its Dockerfile and Git say."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.build import emulation, outputs, pinning, repeatable
from hullwright.build.ignoring import without_state
from hullwright.build.labelling import as_annotations
from hullwright.build.linking import Linker, Source, context_key
from hullwright.build.models import PlannedTarget
from hullwright.build.naming import labels_with, reference_of
from hullwright.build.secrecy import mounts, refuse_secret_arguments
from hullwright.errors import UsageError, suggestion
from hullwright.images import Platform
from hullwright.tools.buildx import BakeTarget, bake_name, literal_of
from hullwright.tools.dockerfile import Dockerfile, read
from hullwright.tools.lineage import base_image, declared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hullwright.build.caching import Caches, Caching
    from hullwright.build.ignoring import GeneratedFile
    from hullwright.build.linking import Node
    from hullwright.build.models import BuildRequest, SourceVersion
    from hullwright.build.secrecy import Mounts
    from hullwright.config.models import Config, Service
    from hullwright.locked import Lock
    from hullwright.workspace import Workspace

CA_BUNDLE_ID: Final = "ca-bundle"
# Attributes of a bake file that have a field of their own here.
_TAKEN: Final = frozenset({"annotations", "cache-from", "cache-to"})
# What BuildKit's workers and Go's toolchain agree on; a typing mistake is found before the build.
KNOWN_PLATFORMS: Final = (
    *("linux/386", "linux/amd64", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64"),
    *("linux/loong64", "linux/mips64", "linux/mips64le", "linux/ppc64le", "linux/riscv64"),
    *("linux/s390x", "windows/amd64", "windows/arm64"),
)


@dataclass(frozen=True)
class Planner:
    """Makes the targets of one plan; what a service says is asked once."""

    ws: Workspace
    request: BuildRequest
    version_of: Callable[[Service], SourceVersion]
    caching: Caching
    ca_bundle: str
    lock: Lock | None = None
    _sources: dict[str, Source] = field(default_factory=dict)
    _versions: dict[str, SourceVersion] = field(default_factory=dict)
    _mounts: dict[str, Mounts] = field(default_factory=dict)

    @cached_property
    def linker(self) -> Linker:
        """Finds siblings that a node is built on."""
        return Linker(self.ws.config, self.source)

    def asked(self, services: Iterable[Service]) -> tuple[Node, ...]:
        """Return what was asked for of these services, in their order."""
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
            found = self.version_of(service)
            dated = self.reproducible(service)
            self._versions[service.name] = repeatable.dated(service, found) if dated else found
        return self._versions[service.name]

    def reproducible(self, service: Service) -> bool:
        """Return whether a service's images must come out the same wherever they are built."""
        return repeatable.wanted(self.ws.config, service, asked=self.request.reproducible)

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

    def pins(self, node: Node) -> dict[str, str]:
        """Return what the lock has for the base images of a node, by the names of contexts."""
        source = self.source(node[0])
        taken = {*(link.key for link in self.linker.links(node)), *_other_contexts(source.service)}
        return pinning.pins(self.lock, source, node[1], taken)

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
        version = self.version(source.service)
        generated = without_state(self.ws, source.service)
        bake = self._bake(node, platforms, base_digests, generated)
        return PlannedTarget(
            service=source.service.name,
            target=stage,
            reference=bake.tags[0],
            platforms=platforms,
            version=version.version,
            revision=version.revision,
            bake=replace(bake, outputs=self._outputs(node, asked=asked)),
            secret_keys=self.mounts(source.service).keys,
            generated=generated,
            links={link.key: bake_name(*link.node) for link in self.linker.links(node)},
            asked=asked,
            release=version.release,
            dirty=version.dirty,
            reproducible=self.reproducible(source.service),
            pins=self.pins(node),
            also=self._also(node, bake.tags[0]),
        )

    def _also(self, node: Node, reference: str) -> tuple[str, ...]:
        """Return the further names of an image; one that goes elsewhere has none."""
        if self.request.outputs:
            return ()
        repository, (service, stage) = reference.rpartition(":")[0], node
        wanted = self.ws.config.build.local_tags
        given = [tag for tag in wanted if stage or "{target}" not in tag]
        names = (tag.format(service=service.lower(), target=stage) for tag in given)
        return tuple(dict.fromkeys(f"{repository}:{name}" for name in names))

    def _bake(
        self,
        node: Node,
        platforms: tuple[str, ...],
        base_digests: Mapping[str, str],
        generated: Sequence[GeneratedFile],
    ) -> BakeTarget:
        """Return what bake is told of one image."""
        source, stage = self.source(node[0]), node[1]
        service, version = source.service, self.version(source.service)
        name, mounted, caches = bake_name(*node), self.mounts(service), self._caches(node)
        labels = labels_with(self.ws, source, version, stage=stage, base_digests=base_digests)
        dockerfile = generated[0].path if generated else service.dockerfile
        ca_bundle = (f"id={CA_BUNDLE_ID},src={self.ca_bundle}",) if self.ca_bundle else ()
        return BakeTarget(
            name=name,
            context=service.context,
            dockerfile=os.path.relpath(self.ws.root / dockerfile, self.ws.root / service.context),
            stage=stage,
            tags=(reference_of(self.ws.config, service, stage, version.image_tag),),
            platforms=platforms,
            arguments=self._arguments(source, stage, version),
            labels=labels,
            annotations=self._annotations(service, name, platforms, labels),
            secrets=(*ca_bundle, *mounted.secrets),
            ssh=mounted.ssh,
            contexts={
                **pinning.contexts(self.pins(node)),
                **_other_contexts(service),
                **{k.key: f"target:{bake_name(*k.node)}" for k in self.linker.links(node)},
            },
            cache_from=caches.sources,
            cache_to=caches.goals,
            extra={k: v for k, v in service.extra.items() if k not in _TAKEN},
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
        # BuildKit takes it for the times in the image, whether the Dockerfile has a use for it.
        wanted |= {repeatable.EPOCH} if self.reproducible(source.service) else set()
        return {k: v for k, v in version.arguments.items() if k in wanted} | given

    def _annotations(
        self, service: Service, name: str, platforms: Sequence[str], labels: Mapping[str, str]
    ) -> tuple[str, ...]:
        if self.request.outputs and not outputs.takes_annotations(self.request.outputs):
            return ()
        index = len(platforms) > 1 and not _one_platform(self.request, name)
        own = (literal_of(each) for each in service.extra.get("annotations") or ())
        return (*as_annotations(labels, index=index), *own)

    def _outputs(self, node: Node, *, asked: bool) -> tuple[str, ...]:
        if self.request.outputs and not asked:
            return outputs.NOWHERE
        if self.request.builder and not (self.request.load or self.request.outputs):
            found = outputs.KEPT if asked else outputs.NOWHERE
        else:
            found = outputs.exporters(self.request.outputs, *node)
        same = self.reproducible(self.ws.config.services[node[0]])
        return repeatable.rewriting(found, bake_name(*node)) if same else found


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
            why="it is a path from the repository's top folder, not from its context; where there "
            "is any [services], each of them says its own, and none is looked for",
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
        near = suggestion(stage, dockerfile.stages)
        raise UsageError(
            f'unknown target "{stage}" of service {service.name}{near}',
            why=[("known", ", ".join(sorted(dockerfile.stages)) or "it has no named stages")],
        )
    return stage


def _platforms(config: Config, asked: Iterable[str]) -> tuple[str, ...]:
    chosen = [Platform.parse(text) for text in asked] or list(config.platforms)
    known = {*KNOWN_PLATFORMS, *(str(platform) for platform in config.platforms)}
    for platform in chosen:
        if str(platform) not in known:
            # All begin alike, so only the architecture tells what is near.
            near = [n for n in known if suggestion(platform.arch, [n.split("/")[1]])]
            raise UsageError(
                f'unknown platform "{platform}"{suggestion(str(platform), near)}',
                why=[("known", ", ".join(sorted(known)))],
            )
    return tuple(dict.fromkeys(str(platform) for platform in chosen))
