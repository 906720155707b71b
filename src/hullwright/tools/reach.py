"""Where a container of the engine can be reached from this machine, and by which port."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hullwright.tools import dialling, engine, ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hullwright.run import Runner
    from hullwright.tools.engine import Container, Published


@dataclass(frozen=True, slots=True)
class Seen:
    """A container with what is needed to reach it.

    Attributes:
        mode: its network as the engine has it: a name, `host`, `none`, `container:ID`.
        addresses: (address, bits of its network's prefix), of every network that it is on.
        published: its ports on the host, or those of the container whose network it shares.
        log_driver: what its log goes to.
    """

    container: Container
    mode: str = ""
    addresses: tuple[tuple[str, int], ...] = ()
    published: tuple[Published, ...] = ()
    log_driver: str = "json-file"

    @property
    def listening(self) -> set[int]:
        """TCP ports on which it listens now; empty where that cannot be seen from here."""
        pid = self.container.pid
        if not pid or not ports.runs_container(pid, self.container.id):
            return set()
        return ports.listening_ports(pid)


@dataclass(frozen=True, slots=True)
class Way:
    """An address and port of this machine by which a container's port is reached.

    Attributes:
        proxied: Docker's proxy may take the connection before the container does.
    """

    host: str
    port: int
    proxied: bool = False


def look(runner: Runner, ids: Sequence[str]) -> tuple[Seen, ...]:
    """Return those of the containers that still exist, in the order of their ids."""
    found = {each.container.id: each for each in _inspected(runner, ids)}
    shared = {
        each.mode.removeprefix("container:")
        for each in found.values()
        if each.mode.startswith("container:")
    }
    owners = {each.container.id: each for each in _inspected(runner, sorted(shared))}
    return tuple(_with_owner(found[each], owners) for each in ids if each in found)


def parse_seen(raw: Mapping[str, Any]) -> Seen:
    """Return what one entry of `docker container inspect` says of reaching it."""
    host, settings = raw.get("HostConfig") or {}, raw.get("NetworkSettings") or {}
    addresses = [
        (entry[address], entry.get(bits) or 0)
        for entry in (settings.get("Networks") or {}).values()
        for address, bits in (
            ("IPAddress", "IPPrefixLen"),
            ("GlobalIPv6Address", "GlobalIPv6PrefixLen"),
        )
        if entry.get(address)
    ]
    container = engine.parse_container(raw)
    return Seen(
        container=container,
        mode=host.get("NetworkMode") or "",
        addresses=tuple(addresses),
        published=container.published,
        log_driver=(host.get("LogConfig") or {}).get("Type") or "",
    )


def port_of(listening: set[int], declared: set[int]) -> tuple[int, ...]:
    """Return the ports that a check which names none may mean; one where it is clear.

    It is what it listens on and declares; where that is nothing, what it listens on; where that
    cannot be seen, what it declares.
    """
    return tuple(sorted((listening & declared) or listening or declared))


def ways(
    seen: Seen, port: int, attached: Callable[[str, int], bool] = dialling.is_attached
) -> tuple[Way, ...]:
    """Return how a container's TCP port is reached from here: published ones first; maybe none.

    The host reaches every bridge of an engine that runs on it, internal ones too. Elsewhere (an
    engine in a virtual machine, or rootless) this machine has no address in their networks.
    """
    found = [
        Way(_dialled(each.host_ip), each.host_port, proxied=True)
        for each in seen.published
        if each.target == port and each.protocol == "tcp"
    ]
    if seen.mode == "host":
        found.append(Way("127.0.0.1", port))
    if ports.runs_container(seen.container.pid, seen.container.id):
        found += [Way(address, port) for address, bits in seen.addresses if attached(address, bits)]
    return tuple(found)


def _dialled(host_ip: str) -> str:
    """Return the address by which a published port is reached; one for all is the loopback's."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host_ip, host_ip)  # noqa: S104  compared, not bound


def _with_owner(seen: Seen, owners: Mapping[str, Seen]) -> Seen:
    owner = owners.get(seen.mode.removeprefix("container:"))
    if owner is None:
        return seen
    return replace(seen, addresses=owner.addresses, published=owner.published, mode=owner.mode)


def _inspected(runner: Runner, ids: Sequence[str]) -> list[Seen]:
    if not ids:
        return []
    answer = runner.read("docker", "container", "inspect", *ids, check=False)
    engine.check_reachable(answer)
    return [parse_seen(raw) for raw in json.loads(answer.stdout or "[]")]
