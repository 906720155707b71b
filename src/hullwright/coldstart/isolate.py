"""What keeps a throwaway project away from everything of the developer's: a pure function.

Compose's project name alone isolates neither `container_name`, nor fixed ports, nor volumes and
networks with a name of their own. All of that is replaced by an override. What cannot be replaced
is refused, each with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hullwright.stack import probing
from hullwright.stack.override import Override, Tagged
from hullwright.tools.engine import KIND, PROJECT, RUN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.tools.compose import ComposeService, Model

THROWAWAY: Final = "throwaway"
# With `pid: host` and its kin a container sees or ends what is not its own.
_HOST_NAMESPACES: Final = {
    "network_mode": "the host's network",
    "pid": "the host's processes",
    "ipc": "the host's shared memory",
    "uts": "the host's name",
    "userns_mode": "the host's users",
    "cgroup": "the host's control groups",
}
# Compose's keys that reach past the container, whatever else is isolated.
_REACHING: Final = {
    "privileged": "it may do to the host whatever root may",
    "devices": "it uses devices of the host, which exist once",
    "device_cgroup_rules": "it may use devices of the host",
    "use_api_socket": "the engine's socket gives it every container of the engine",
    "provider": "a program on the host makes it, and what that makes cannot be removed with it",
}
# With any of these root in the container is root on the host, or changes what all share: modules,
# the clock, the routes, the log. https://man7.org/linux/man-pages/man7/capabilities.7.html
_DANGEROUS: Final = frozenset(
    {
        *("ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "SYSLOG"),
        *("BPF", "PERFMON", "MAC_ADMIN", "MAC_OVERRIDE", "DAC_READ_SEARCH", "AUDIT_CONTROL"),
    }
)
_SOCKETS: Final = ("/docker.sock", "/containerd.sock", "/podman.sock")
_FIXED_ADDRESSES: Final = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")
_LAN_DRIVERS: Final = {"macvlan", "ipvlan"}
_BRIDGE_NAME: Final = "com.docker.network.bridge.name"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What has to be known besides the model.

    Attributes:
        root: folder of the repository, absolute.
        disposable: bind sources that hold nothing of the developer's sources: they do not exist,
            or Git ignores them. A fresh volume stands in for each.
        probed_images: images that bring a health check of their own.
    """

    root: str
    disposable: frozenset[str] = frozenset()
    probed_images: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Isolation:
    """The override, and what was decided for it.

    Attributes:
        override: what is added to the stack's files.
        refusals: (place, reason) of what cannot be isolated; nothing may be started then.
        notes: what is other than in the developer's stack, for people.
    """

    override: Override
    refusals: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Draft:
    """An isolation in the making."""

    project: str
    run: str
    around: Surroundings
    override: Override = field(default_factory=Override)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> dict[str, str]:
        return {PROJECT: self.project, KIND: THROWAWAY, RUN: self.run}

    def volume(self, key: str) -> None:
        """Give a volume our name and labels: only what carries them is removed afterwards."""
        self.override.volumes[key] = {"name": f"{self.project}_{key}", "labels": self.labels}


def isolate(
    model: Model,
    project: str,
    run: str,
    around: Surroundings,
    *,
    fast_probes: bool = True,
    base: Override | None = None,
) -> Isolation:
    """Return what isolates a model as a throwaway project.

    Args:
        model: the resolved stack.
        project: name of the throwaway project.
        run: name of this run, put on everything that it makes.
        around: facts that the model does not hold.
        fast_probes: whether health checks that leave `start_interval` out get a short one.
        base: an override to add to, with images pinned.
    """
    draft = _Draft(project, run, around, base or Override())
    for key, volume in (model.raw.get("volumes") or {}).items():
        _volume(draft, key, volume or {})
    for key, network in (model.raw.get("networks") or {}).items():
        _network(draft, key, network or {})
    for service in model.services.values():
        _namespaces(draft, service)
        _powers(draft, service)
        _mounts(draft, service)
        _names(draft, service)
        _networks_of(draft, service)
    if fast_probes:
        probing.add_fast_probes(
            draft.override, probing.fast_probes(model, draft.around.probed_images)
        )
    return Isolation(draft.override, tuple(draft.refusals), tuple(draft.notes))


def leaks(model: Model, project: str) -> list[str]:
    """Return what of a model that the override was applied to is still shared with others.

    Empty, or the override did not do what it is for: then nothing may be started.
    """
    found = [] if model.name == project else [f"the project is called {model.name}"]
    for kind in ("volumes", "networks"):
        for key, entry in (model.raw.get(kind) or {}).items():
            if entry.get("name") != f"{project}_{key}" or entry.get("external"):
                found.append(f"{kind}.{key} is called {entry.get('name')}")
    for name, service in model.services.items():
        if service.raw.get("container_name"):
            found.append(f"services.{name}.container_name is {service.raw['container_name']}")
        found += [
            f"services.{name} publishes port {port.published or port.target}"
            for port in service.ports
            if port.published or port.host_ip != "127.0.0.1"
        ]
        found += [
            f"services.{name} may write to {mount.get('source')}"
            for mount in service.raw.get("volumes") or ()
            if mount["type"] == "bind" and not mount.get("read_only")
        ]
    return found


def _volume(draft: _Draft, key: str, volume: Mapping[str, Any]) -> None:
    place, options = f"volumes.{key}", volume.get("driver_opts") or {}
    if volume.get("external"):
        draft.volume(key)
        # What is in the outside one is somebody's, and a start from nothing has none of it.
        draft.override.volumes[key]["external"] = Tagged("!reset")
        name = volume.get("name") or key
        draft.notes.append(f"volume {key}: a fresh, empty one in place of the external {name}")
    elif options.get("device"):
        draft.refusals.append((place, f"it mounts {options['device']}, whatever its name is"))
    else:
        draft.volume(key)


def _network(draft: _Draft, key: str, network: Mapping[str, Any]) -> None:
    place = f"networks.{key}"
    entry: dict[str, Any] = {"name": f"{draft.project}_{key}", "labels": draft.labels}
    if network.get("external"):
        # Others are on the outside one: they would find our services under theirs' names.
        draft.override.networks[key] = {**entry, "external": Tagged("!reset")}
        name = network.get("name") or key
        draft.notes.append(f"network {key}: a fresh one in place of the external {name}")
        return
    if network.get("driver") in _LAN_DRIVERS:
        draft.refusals.append((place, f"{network['driver']} puts containers on the host's network"))
        return
    if (network.get("ipam") or {}).get("config"):
        # A fixed range can exist once; the developer's stack may have it.
        entry["ipam"] = Tagged("!reset")
        draft.notes.append(f"network {key}: another address range than its own")
    options = network.get("driver_opts") or {}
    if _BRIDGE_NAME in options:
        entry["driver_opts"] = Tagged(
            "!override", {name: each for name, each in options.items() if name != _BRIDGE_NAME}
        )
    draft.override.networks[key] = entry


def _namespaces(draft: _Draft, service: ComposeService) -> None:
    place = f"services.{service.name}"
    for key, what in _HOST_NAMESPACES.items():
        value = str(service.raw.get(key) or "")
        if value == "host":
            draft.refusals.append((f"{place}.{key}", f"it shares {what}"))
        elif value.startswith("container:"):
            draft.refusals.append((f"{place}.{key}", f"it joins {value}, which is not the stack's"))
    for value in service.raw.get("volumes_from") or ():
        if str(value).startswith("container:"):
            draft.refusals.append((f"{place}.volumes_from", f"it mounts what {value} has"))
    for value in service.raw.get("external_links") or ():
        draft.refusals.append((f"{place}.external_links", f"it talks to {value}, not the stack's"))


def _powers(draft: _Draft, service: ComposeService) -> None:
    place = f"services.{service.name}"
    for key, reason in _REACHING.items():
        if service.raw.get(key):
            draft.refusals.append((f"{place}.{key}", reason))
    for value in service.raw.get("cap_add") or ():
        if str(value).upper().removeprefix("CAP_") in _DANGEROUS:
            draft.refusals.append((f"{place}.cap_add", f"{value} reaches past the container"))


def _mounts(draft: _Draft, service: ComposeService) -> None:
    mounts = [dict(mount) for mount in service.raw.get("volumes") or ()]
    changed = [_mount(draft, service.name, number, each) for number, each in enumerate(mounts)]
    if changed != mounts:
        draft.override.service(service.name)["volumes"] = Tagged("!override", changed)


def _mount(draft: _Draft, service: str, number: int, mount: dict[str, Any]) -> dict[str, Any]:
    """Return what stands for a mount: a bind that can be written is never left as it is."""
    source = str(mount.get("source") or "")
    place = f"services.{service}.volumes.{number}"
    if mount["type"] != "bind":
        return mount
    if source.endswith(_SOCKETS):
        draft.refusals.append((place, f"{source} gives it every container of the engine"))
    if mount.get("read_only"):
        return mount
    inside = source == draft.around.root or source.startswith(f"{draft.around.root}/")
    if source in draft.around.disposable and inside:
        key = f"{service}-bind-{number}"
        draft.volume(key)
        draft.notes.append(f"{service}: a fresh volume in place of {_short(draft, source)}")
        return {"type": "volume", "source": key, "target": mount["target"]}
    if not inside:
        draft.refusals.append((place, f"it may write to {source}, outside the repository"))
    draft.notes.append(f"{service}: {_short(draft, source)} is mounted read-only")
    return {**mount, "read_only": True, "bind": {"create_host_path": False}}


def _names(draft: _Draft, service: ComposeService) -> None:
    entry = draft.override.service(service.name)
    entry["labels"] = draft.labels
    if service.raw.get("container_name"):
        entry["container_name"] = Tagged("!reset")
    if service.ports:
        ports = [
            {"target": port.target, "protocol": port.protocol, "host_ip": "127.0.0.1"}
            for port in service.ports
        ]
        entry["ports"] = Tagged("!override", ports)


def _networks_of(draft: _Draft, service: ComposeService) -> None:
    attached = service.raw.get("networks") or {}
    loose = {
        key: {name: each for name, each in (entry or {}).items() if name not in _FIXED_ADDRESSES}
        for key, entry in attached.items()
    }
    if any(loose[key] != (entry or {}) for key, entry in attached.items()):
        draft.override.service(service.name)["networks"] = Tagged("!override", loose)


def _short(draft: _Draft, path: str) -> str:
    return path.removeprefix(draft.around.root).lstrip("/") or "."
