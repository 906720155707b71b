"""The builder that a run builds on: which of its nodes answer, and a buildx builder for each.

buildx has builders of several nodes, but sends a target's platforms to them by itself, and one
that is dead ends the build. So each node is a builder of its own here, and `spreading` says what
each of them builds.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from hullwright.build import emulation
from hullwright.errors import HullwrightError, UnavailableError, unknown
from hullwright.files import make_folder, write_atomic
from hullwright.tools import builders
from hullwright.tools.builders import Instance
from hullwright.tools.daemons import Certificates, unanswered, unconnected

if TYPE_CHECKING:
    from hullwright.config.models import Builder, Node
    from hullwright.workspace import Workspace

# The engine's own, as buildx calls it; it can be asked for in place of the configured one.
ENGINE: Final = "default"
_VARIABLE: Final = "BUILDX_BUILDER"
_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class PlaceNode:
    """One node that answers.

    Attributes:
        name: of its buildx builder.
        endpoint: as the configuration has it; of a container on this machine, its driver.
        platforms: that it builds; empty where that is not known, which counts as all.
        native: those of them that need no emulator.
    """

    name: str
    endpoint: str
    platforms: tuple[str, ...] = ()
    native: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A builder of the configuration as it was found.

    Attributes:
        name: in the configuration.
        driver: how it runs.
        nodes: those that answer, in the order of the configuration.
        dead: endpoints of the others, each with why it is passed over.
    """

    name: str
    driver: str
    nodes: tuple[PlaceNode, ...]
    dead: tuple[tuple[str, str], ...] = ()

    def node(self, name: str) -> PlaceNode | None:
        """Return a node by the name of its buildx builder."""
        return next((node for node in self.nodes if node.name == name), None)


def choose(ws: Workspace, asked: str = "") -> Place | None:
    """Return the builder that builds, with its nodes that answer; None for the engine's own.

    Nodes are dialled at the same time; each that answers gets its buildx builder, made or made
    anew where the configuration says something else than it has.

    Args:
        ws: the repository.
        asked: a name of the configuration, or `default` for the engine's own. Empty means what
            the environment names, else the configuration's default.

    Raises:
        UsageError: the configuration has no such builder.
        UnavailableError: none of its nodes answers, and it is required.
    """
    if not asked and ws.environ.get(_VARIABLE):
        return None
    name = asked or ws.config.build.builder
    if name in {"", ENGINE}:
        return None
    if name not in ws.config.builders:
        raise unknown("builder", name, ws.config.builders)
    place = _found(ws, ws.config.builders[name])
    if place.nodes:
        for endpoint, why in place.dead:
            ws.console.warn(f"builder {name}: node {endpoint} is passed over: {why}")
        return place
    if ws.config.builders[name].required:
        raise _without_nodes(place)
    for endpoint, why in place.dead:
        ws.console.warn(f"builder {name}: node {endpoint} does not answer: {why}")
    ws.console.warn(f"builder {name} is not required: the engine builds in its place")
    return None


def at(ws: Workspace, place: Place | None) -> Workspace:
    """Return the repository as it is seen by what builds there; without a place, by the engine.

    Every program that is started gets the first of its nodes as buildx's own variable has it.
    """
    environ = {**ws.environ, _VARIABLE: place.nodes[0].name if place else ENGINE}
    return replace(ws, environ=environ, runner=replace(ws.runner, environ=environ))


def instance_of(ws: Workspace, builder: Builder, number: int) -> Instance:
    """Return the buildx builder of one node; `number` counts from 1, and is 1 without any node."""
    node = builder.nodes[number - 1] if builder.nodes else None
    files = certificates(ws, node) if node else None
    options = (("cacert", files.ca), ("cert", files.cert), ("key", files.key)) if files else ()
    return Instance(
        name=_NAME.sub("_", f"hullwright-{ws.config.project}-{builder.name}-{number}"),
        driver=builder.driver,
        endpoint=node.endpoint if node else "",
        platforms=tuple(str(platform) for platform in node.platforms) if node else (),
        options=tuple((name, str(path)) for name, path in options),
        config=_mirrors(ws) if builder.driver != "remote" else "",
    )


def certificates(ws: Workspace, node: Node) -> Certificates | None:
    """Return where the files of a node for TLS are; None where it has none."""
    if not node.ca:
        return None
    return Certificates(ws.root / node.ca, ws.root / node.cert, ws.root / node.key)


def gone(ws: Workspace, place: Place, name: str) -> str:
    """Return why a node does not answer any more; empty where it does."""
    configured = ws.config.builders[place.name]
    for number, node in enumerate(configured.nodes, start=1):
        if instance_of(ws, configured, number).name == name:
            return _silence(ws, configured, node)
    return ""


def _found(ws: Workspace, builder: Builder) -> Place:
    numbers = range(1, max(1, len(builder.nodes)) + 1)
    with ThreadPoolExecutor(len(numbers)) as pool:
        seen = list(pool.map(partial(_node, ws, builder), numbers))
    return Place(
        name=builder.name,
        driver=builder.driver,
        nodes=tuple(one for one in seen if isinstance(one, PlaceNode)),
        dead=tuple(one for one in seen if not isinstance(one, PlaceNode)),
    )


def _node(ws: Workspace, builder: Builder, number: int) -> PlaceNode | tuple[str, str]:
    """Return a node that answers, with its buildx builder made; else its endpoint and why not."""
    instance = instance_of(ws, builder, number)
    endpoint = instance.endpoint or f"the {builder.driver} of this machine"
    silence = _silence(ws, builder, builder.nodes[number - 1]) if builder.nodes else ""
    if silence:
        return endpoint, silence
    try:
        told = _made(ws, instance)
    except HullwrightError as error:
        return endpoint, error.what
    known = builders.parse(told)
    platforms = instance.platforms or (known.platforms if known else ())
    # What the configuration says of a node is what it is for; else its own platform comes first.
    native = instance.platforms or tuple(
        each for each in platforms if not emulation.foreign(each, platforms[0])
    )
    return PlaceNode(instance.name, endpoint, platforms, native)


def _silence(ws: Workspace, builder: Builder, node: Node) -> str:
    if builder.driver == "remote":
        return unanswered(node.endpoint, certificates(ws, node))
    return unconnected(node.endpoint)


def _made(ws: Workspace, instance: Instance) -> str:
    """Make a builder where it is not there as it should be; return what buildx tells of it."""
    told = _told(ws, instance)
    if told and builders.is_made(instance, told):
        return told
    if told:
        ws.runner.run(*builders.remove_argv(instance))
    file = ""
    if instance.config:
        path = make_folder(ws.state_dir / "builders") / f"{instance.name}.toml"
        write_atomic(path, instance.config)
        file = str(path)
    made = ws.runner.run(*builders.create_argv(instance, file), check=False)
    told = _told(ws, instance)
    # Another run may have made it at the same moment; then it is as good as ours.
    if not made.ok and not (told and builders.is_made(instance, told)):
        raise UnavailableError("\n".join(made.tail(3)).removeprefix("ERROR: "))
    return told


def _told(ws: Workspace, instance: Instance) -> str:
    found = ws.runner.read(*builders.INSPECT, instance.name, check=False)
    return found.stdout if found.ok else ""


def _mirrors(ws: Workspace) -> str:
    """Return a daemon's configuration in which a mirror stands before Docker Hub.

    What the engine is told to ask without a certificate is asked so by the daemon, too.
    """
    address = ws.config.build.mirror.rstrip("/")
    if not address:
        return ""
    # Imported where there is a mirror.
    from hullwright.tools.registryclient import is_insecure

    domain = address.partition("/")[0]
    lines = ['[registry."docker.io"]', f'  mirrors = ["{address}"]']
    if is_insecure(ws, domain):
        lines += [f'[registry."{domain}"]', "  http = true", "  insecure = true"]
    return "\n".join(lines) + "\n"


def _without_nodes(place: Place) -> UnavailableError:
    return UnavailableError(
        f"builder {place.name} has no node that answers",
        why=list(place.dead),
        next_step=(
            f"start one, or build here: --builder {ENGINE}, or\n"
            f"let the engine build whenever there is none: required = false in "
            f"[builders.{place.name}]"
        ),
    )
