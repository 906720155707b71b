"""Which builds stand on which: a Dockerfile that names a sibling's image is built after it.

BuildKit looks up a named context by the familiar form of a reference, without `:latest`: `FROM x`,
`x:latest` and `docker.io/library/x` are the context `x`, `x:1` is `x:1`. A context also stands in
for a stage of that name, so a stage that is called as the sibling it starts from would be lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from hullwright.build.labelling import base_reference
from hullwright.errors import UsageError
from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hullwright.config.models import Config, Service
    from hullwright.images import Reference
    from hullwright.tools.dockerfile import Dockerfile, ImageUse

# A service and one of its stages.
Node = tuple[str, str]
_SIBLING: Final = "service:"
_IMAGE: Final = "docker-image://"


@dataclass(frozen=True, slots=True)
class Link:
    """A place where one build asks for another one's image.

    Attributes:
        key: name of the context, as BuildKit looks it up.
        node: the sibling.
        place: file and line, or the key of the configuration.
        platform: what the `FROM` asks for; empty for the platform that is built.
    """

    key: str
    node: Node
    place: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What a node is built from, as far as links go.

    Attributes:
        service: its service.
        dockerfile: its Dockerfile, parsed.
        arguments: build arguments that it gets.
    """

    service: Service
    dockerfile: Dockerfile
    arguments: Mapping[str, str]

    def uses(self, stage: str) -> tuple[ImageUse, ...]:
        """Return the images that a stage needs, those that a context stands for included."""
        last = str(len(self.dockerfile.all_stages) - 1)
        found = self.dockerfile.images(self.arguments, target=stage or last)
        return tuple(use for use in found if not use.missing)


def context_key(image: str) -> str:
    """Return the name under which BuildKit looks for a context in place of an image."""
    reference = base_reference(image)
    if reference is None or reference.digest:
        return image
    tag = f":{reference.tag}" if reference.tag and reference.tag != "latest" else ""
    return f"{reference.repository}{tag}"


@dataclass(frozen=True)
class Linker:
    """Finds the siblings that builds stand on.

    Attributes:
        config: services and registry.
        source_of: what a service is built from; asked once for each.
    """

    config: Config
    source_of: Callable[[str], Source]
    _links: dict[Node, tuple[Link, ...]] = field(default_factory=dict)

    def links(self, node: Node) -> tuple[Link, ...]:
        """Return what a node is built on, in the order of its Dockerfile.

        Raises:
            UsageError: a stage has the name of the sibling's image, or a context names no service.
        """
        if node not in self._links:
            source = self.source_of(node[0])
            # One image may be asked for on several platforms.
            found = {
                (link.key, link.platform): link
                for link in self._found(source, source.uses(node[1]))
            }
            _refuse_shadowed(source, found.values())
            self._links[node] = tuple(found.values())
        return self._links[node]

    def ordered(self, asked: Iterable[Node]) -> tuple[Node, ...]:
        """Return the nodes that are asked for and what they need, each after those.

        Raises:
            UsageError: there is a cycle; it is shown with the places that make it.
        """
        done: dict[Node, None] = {}

        def visit(node: Node, path: tuple[tuple[Node, str], ...]) -> None:
            if node in done:
                return
            if node in (above for above, _ in path):
                raise _cycle(node, path)
            for link in self.links(node):
                visit(link.node, (*path, (node, link.place)))
            done[node] = None

        for node in asked:
            visit(node, ())
        return tuple(done)

    def _found(self, source: Source, uses: Sequence[ImageUse]) -> Iterator[Link]:
        """Yield the siblings that the service's own `contexts` name, then its Dockerfile's."""
        own = {context_key(name) for name in source.service.contexts}
        for name, value in source.service.contexts.items():
            place = f"services.{source.service.name}.contexts.{name}"
            key = context_key(name)
            node = self._context(value, source, place)
            if node is not None:
                asked = dict.fromkeys(u.platform for u in uses if context_key(u.image) == key)
                yield from (Link(key, node, place, platform) for platform in asked or ("",))
        for use in uses:
            key, place = context_key(use.image), f"{source.service.dockerfile}:{use.line}"
            node = None if key in own else self._maker(use.image, source)
            if node is not None:
                yield Link(key, node, place, use.platform)

    def _context(self, value: str, source: Source, place: str) -> Node | None:
        """Return the sibling that a value of `contexts` means; None where it means no sibling."""
        if value.startswith(_SIBLING):
            service = self._service(value.removeprefix(_SIBLING), place)
            return (service.name, service.default_target)
        if value.startswith(_IMAGE):
            return self._maker(value.removeprefix(_IMAGE), source)
        return None

    def _service(self, name: str, place: str) -> Service:
        if name not in self.config.services:
            raise UsageError(
                f'{place} names the service "{name}", which is not built here',
                why=[("services", ", ".join(self.config.services))],
            )
        return self.config.services[name]

    def _maker(self, image: str, source: Source) -> Node | None:
        """Return the sibling that makes an image; None where it is not made here, or is pinned."""
        reference = base_reference(image)
        if reference is None or reference.digest:
            return None
        for service in self._makers.get((reference.domain, reference.path), ()):
            if service.name != source.service.name and self._means(service, reference):
                return (service.name, self._stage(service, reference.tag or ""))
        return None

    @cached_property
    def _makers(self) -> Mapping[tuple[str, str], Sequence[Service]]:
        """The services by the names of their images, with the registry and without."""
        found: dict[tuple[str, str], list[Service]] = {}
        for service in self.config.services.values():
            for name in {_image(service), f"{self.config.registry}/{_image(service)}"}:
                own = base_reference(name)
                if own is not None:
                    found.setdefault((own.domain, own.path), []).append(service)
        return found

    def _means(self, service: Service, reference: Reference) -> bool:
        """Return whether a name that fits a service's image is not somebody else's.

        A service that is itself built on an image of its name, as one's own `redis` on the public
        one, leaves that name to the public one.
        """
        own = (reference.domain, reference.path)
        source = self.source_of(service.name)
        used = (base_reference(use.image) for use in source.dockerfile.images(source.arguments))
        return not any(each and (each.domain, each.path) == own for each in used)

    def _stage(self, service: Service, tag: str) -> str:
        stages = self.source_of(service.name).dockerfile.stages
        named = [stage for stage in stages if tag == stage or tag.endswith(f"-{stage}")]
        return max(named, key=len, default=service.default_target)


def _image(service: Service) -> str:
    return service.image or service.name.lower()


def platforms(
    nodes: Sequence[Node],
    own: Mapping[Node, tuple[str, ...]],
    links: Callable[[Node], Iterable[Link]],
    asked: Iterable[Node],
    host: str,
) -> dict[Node, tuple[str, ...]]:
    """Return the platforms of each node: those that it was asked for, and its dependents'.

    Args:
        nodes: in the order in which they are built.
        own: what configuration and command line say; empty is the builder's own.
        links: what a node is built on.
        asked: nodes that somebody asked for.
        host: the builder's own platform.
    """
    wanted = {node: dict.fromkeys(own[node]) for node in asked}
    anybody = {node for node in asked if not own[node]}
    for node in reversed(nodes):
        for link in links(node):
            below = wanted.setdefault(link.node, {})
            built_for = dict(wanted.get(node, {}))
            if "BUILDPLATFORM" in link.platform:
                built_for = {host: None}
            elif link.platform and "$" not in link.platform:
                built_for = {str(Platform.parse(link.platform)): None}
            elif not built_for or node in anybody:
                anybody.add(link.node)
            below.update(built_for)
    # Beside others, the builder's own platform has to be named.
    return {
        node: tuple({**found, **({host: None} if node in anybody else {})}) if found else ()
        for node, found in wanted.items()
    }


def _refuse_shadowed(source: Source, links: Iterable[Link]) -> None:
    stages = {stage.name.lower(): stage for stage in source.dockerfile.all_stages if stage.name}
    for link in links:
        stage = stages.get(link.key.lower())
        # A context of one's own that is called as a stage is meant to stand in for it.
        if stage is not None and not link.place.startswith("services."):
            raise UsageError(
                f"{link.place}: the stage {stage.name} has the name of the image {link.key}, which "
                f"{link.node[0]} makes",
                why="BuildKit would take that image in place of the whole stage",
                next_step=f"call the stage otherwise: FROM {stage.base} AS {stage.name}-stage",
            )


def _cycle(node: Node, path: Sequence[tuple[Node, str]]) -> UsageError:
    start = next(index for index, (above, _) in enumerate(path) if above == node)
    ring = [*path[start:], (node, "")]
    return UsageError(
        f"services are built on each other: {' -> '.join(_shown(one) for one, _ in ring)}",
        why=[
            (f"{_shown(one)} -> {_shown(after)}", place)
            for (one, place), (after, _) in pairwise(ring)
        ],
        next_step="take one of these uses away, or pin that image by its digest",
    )


def _shown(node: Node) -> str:
    return f"{node[0]}:{node[1]}" if node[1] else node[0]
