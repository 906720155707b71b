"""Observe and plan: what `up` is going to do, as plain data with a stable text form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from hullwright.errors import CheckFailedError, unknown
from hullwright.stack import handing, holders, probing, secretfiles, weak
from hullwright.stack.checks import refuse_unknown
from hullwright.stack.hashes import hashes_of
from hullwright.stack.override import Override, write
from hullwright.stack.pins import composed, pins
from hullwright.stack.secretfiles import SecretFiles, engine_is_here, who
from hullwright.stack.selection import Selection, resolved
from hullwright.tools import compose, engine, ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.stack.pins import Pin
    from hullwright.tools.compose import Model
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

Verb = Literal["write", "build", "pull", "create", "recreate", "start", "keep"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that will be done to one resource, and why."""

    verb: Verb
    resource: str
    cause: str

    def __str__(self) -> str:
        return f"{self.verb:<9} {self.resource}: {self.cause}"


@dataclass(frozen=True, slots=True)
class UpPlan:
    """What `up` is going to do.

    Attributes:
        selection: the stack, with the override in it.
        model: its resolved model, the override included.
        services: what is started, dependencies included.
        pins: images to the digest.
        missing: images to fetch first.
        composed: services whose image only Compose builds, and has to build first.
        operations: in the order in which they happen.
        override: what is added to the stack's files; written when the plan is executed.
        files: secrets that are handed over as files in memory.
    """

    selection: Selection
    model: Model
    services: tuple[str, ...]
    pins: tuple[Pin, ...]
    missing: tuple[str, ...]
    operations: tuple[Operation, ...]
    override: Override = field(default_factory=Override)
    files: SecretFiles = field(default_factory=SecretFiles)
    composed: tuple[str, ...] = ()

    @property
    def project(self) -> str:
        """The compose project's name."""
        return self.model.name

    def text(self) -> str:
        """Return the plan in its stable text form."""
        lines = [f"stack {self.selection.stack.name} · project {self.project}"]
        return "\n".join([*lines, *(f"  {operation}" for operation in self.operations)])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A selection that may be started: its values, its model, and what is added to its files."""

    selection: Selection
    written: Mapping[str, Any]
    model: Model
    services: tuple[str, ...]
    pins: tuple[Pin, ...]
    override: Override
    files: SecretFiles


def plan_up(ws: Workspace, selection: Selection, *, fast_probes: bool = False) -> UpPlan:
    """Return what starting a selection will do; nothing is changed but our own override file.

    Args:
        ws: the repository.
        selection: the stack with its values.
        fast_probes: whether health checks that leave `start_interval` out get a short one. It is
            asked for, since a later start without it sees another configuration.

    Raises:
        UsageError: variables have no value, a file or a service is missing.
        CheckFailedError: an image was not built, or a port is taken.
    """
    ready = prepare(ws, selection)
    if fast_probes:
        entries = probing.fast_probes(ready.model, probing.probed_images(ws, ready.model))
        started = {name: each for name, each in entries.items() if name in ready.services}
        probing.add_fast_probes(ready.override, started)
    observed = observe(ws, ready, ready.services)
    check_ports(ws, ready.model, ready.services, observed, ready.written)
    return UpPlan(
        selection=ready.selection,
        model=ready.model,
        services=ready.services,
        pins=ready.pins,
        missing=observed.missing,
        operations=(
            *write_operations(ready.files),
            *operations(ready.model, ready.services, ready.pins, observed),
        ),
        override=ready.override,
        files=ready.files,
        composed=observed.composed,
    )


def prepare(ws: Workspace, selection: Selection) -> Prepared:
    """Return a selection with all that its start needs; nothing is written.

    Raises:
        UsageError: variables have no value, a file or a service is missing.
        CheckFailedError: an image was not built.
    """
    selection, written = handing.checked(ws, selection)
    refuse_unknown(selection.stack, written["services"])
    for name in selection.services if written["services"] else ():
        # Those of profiles that are off can be named too, so they are known.
        if name not in written["services"]:
            raise unknown("service", name, written["services"])
    selection = with_profiles_of_named(selection, written)
    override = Override()
    handing.given_env_files(ws, selection, written, override)
    model = resolved(ws, selection, override)
    services = model.closure(selection.services)
    weak.refuse(ws, selection, written, model, services)
    pinned = pins(ws, model, services)
    if pinned:
        pin_into(override, pinned)
        model = resolved(ws, selection, override)
    files = secretfiles.plan(ws, selection, model, services, override)
    return Prepared(selection, written, model, services, pinned, override, files)


def applied(ws: Workspace, plan: UpPlan, name: str) -> Selection:
    """Write a plan's override under a name, and return the selection with it."""
    if not plan.override:
        return plan.selection
    return plan.selection.overridden(str(write(ws, name, plan.override)))


def with_profiles_of_named(selection: Selection, written: Mapping[str, Any]) -> Selection:
    """Return a selection with the profiles on that its named services are in, as Compose does."""
    wanted = [
        profile
        for name in selection.services
        for profile in (written["services"].get(name) or {}).get("profiles") or ()
        if profile not in selection.call.profiles
    ]
    profiles = (*selection.call.profiles, *dict.fromkeys(wanted))
    return replace(selection, call=replace(selection.call, profiles=profiles))


def write_operations(files: SecretFiles) -> list[Operation]:
    """Return the writing of secrets into memory as operations: names, and never a value."""
    return [
        Operation("write", f"secret {file.service}/{file.name}", f"a file in memory, {who(file)}")
        for file in files.to_write
    ]


def pin_into(override: Override, pinned: Iterable[Pin]) -> None:
    """Put pinned images into an override."""
    for pin in pinned:
        entry = override.service(pin.service)
        entry["image"] = pin.image
        entry["pull_policy"] = "never" if pin.local else "missing"


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there before: containers by service, hashes of the model, images that are missing.

    Of the services in `composed` only Compose can make the image, and it is not there.
    """

    containers: Mapping[str, Sequence[Container]]
    hashes: Mapping[str, str]
    missing: tuple[str, ...]
    composed: tuple[str, ...] = ()


def observe(ws: Workspace, ready: Prepared, services: Sequence[str]) -> Observed:
    """Return what is there of a stack, and which images of those services are not."""
    model = ready.model
    there: dict[str, list[Container]] = {}
    for container in engine.of_project(ws.runner, model.name):
        if container.labels.get(compose.ONEOFF_LABEL, "False") == "False":
            there.setdefault(container.service, []).append(container)
    hashes = {}
    if there:
        # The override may hold more than it did when the model was resolved.
        started = resolved(ws, ready.selection, ready.override) if ready.override else model
        hashes = hashes_of(ws, ready.selection, started, there)
    made = composed(ws, model, services, model.name)
    absent = missing_images(ws, model, services, made)
    return Observed(there, hashes, absent.fetched, absent.composed)


@dataclass(frozen=True, slots=True)
class Absent:
    """What the local store does not hold: images to fetch, services whose image Compose builds."""

    fetched: tuple[str, ...] = ()
    composed: tuple[str, ...] = ()


def missing_images(
    ws: Workspace, model: Model, services: Sequence[str], made: Mapping[str, str]
) -> Absent:
    """Return the images of services that are not here; `made` names those that Compose builds."""
    wanted = [made.get(name) or model.services[name].image for name in services]
    local = engine.images(ws.runner, [image for image in wanted if image])
    absent = {name for name, image in local.items() if image is None}
    return Absent(
        tuple(name for name in local if name in absent and name not in made.values()),
        tuple(name for name in services if made.get(name) in absent and model.services[name].build),
    )


def build_operations(names: Iterable[str]) -> list[Operation]:
    """Return what only Compose can build, as operations."""
    cause = "by Compose, for its Dockerfile is inline or its context remote"
    return [Operation("build", name, cause) for name in names]


def operations(
    model: Model, services: Sequence[str], pinned: Sequence[Pin], observed: Observed
) -> Iterable[Operation]:
    """Yield what a start does to the images and containers of services."""
    versions = {pin.service: pin.recorded.version for pin in pinned}
    yield from build_operations(observed.composed)
    for image in observed.missing:
        yield Operation("pull", image, "not in the local store")
    for name in services:
        if model.services[name].provided:
            yield Operation("create", name, "by its provider, a program on this host")
            continue
        containers = observed.containers.get(name, [])
        if model.services[name].scale == 0 and not containers:
            continue
        told = f"{versions[name]} as built" if name in versions else model.services[name].image
        missing = model.services[name].scale - len(containers)
        if not containers:
            yield Operation("create", name, f"no container, {told}")
            continue
        if missing > 0:
            yield Operation("create", name, f"{missing} more of {model.services[name].scale}")
        for container in containers:
            yield _operation(name, container, observed.hashes.get(name, ""))


def _operation(name: str, container: Container, wanted: str) -> Operation:
    if wanted and container.labels.get(compose.HASH_LABEL) != wanted:
        return Operation("recreate", name, "its image or configuration changed")
    if container.state != "running":
        told = "has ended" if container.state == "exited" else f"is {container.state}"
        return Operation("start", name, f"it {told}")
    return Operation("keep", name, "running" if not container.has_probe else container.health)


def check_ports(
    ws: Workspace,
    model: Model,
    services: Sequence[str],
    observed: Observed,
    written: Mapping[str, Any],
) -> None:
    """Refuse where something else has a port that a service is going to publish.

    Raises:
        CheckFailedError: which port, which service wants it, and what holds it.
    """
    if not engine_is_here(ws.environ):
        return
    own = {
        (port.host_port, port.protocol)
        for containers in observed.containers.values()
        for container in containers
        if container.state == "running"
        for port in container.published
    }
    there = ports.listeners()
    for name in services:
        for port in model.services[name].ports:
            if not port.published.isdigit() or (int(port.published), port.protocol) in own:
                continue
            taken = ports.conflicting(int(port.published), port.host_ip, port.protocol, there)
            if taken is not None:
                raise port_taken(ws, name, taken, _variable_of(written, name))


def port_taken(
    ws: Workspace, service: str, taken: ports.Listener, variable: str
) -> CheckFailedError:
    """Return the error of a port that something else has, with its holder named."""
    holder = holders.of_listener(ws, taken)
    end = f"end it: {holder.end}" if holder.end else "end it"
    other = f", or take another port: {variable}={taken.port + 1}" if variable else ""
    return CheckFailedError(
        f"port {taken.port} is already taken",
        why=[("wanted by", service), ("held by", f"{holder.name}, on {taken.address}")],
        next_step=f"{end}{other}",
        cause="port-taken",
    )


def _variable_of(written: Mapping[str, Any], service: str) -> str:
    """Return the variable by which a person chooses the service's port, where there is one."""
    text = str((written["services"].get(service) or {}).get("ports") or "")
    match = re.search(r"\$\{?([A-Za-z_]\w*)", text)
    return match[1] if match else ""
