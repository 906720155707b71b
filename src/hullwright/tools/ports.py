"""The kernel's tables of sockets: what listens where, and whose it is. Linux only, else nothing."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# States of include/net/tcp_states.h; a bound UDP socket shows as 07.
_LISTENING: Final = {"tcp": "0A", "udp": "07"}
# Docker answers names inside each container's own network namespace here.
_EMBEDDED_DNS: Final = ip_address("127.0.0.11")


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that waits for peers: its protocol, address, port, and inode number."""

    protocol: str
    address: str
    port: int
    inode: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its number and its command line, shortened."""

    pid: int
    command: str


def parse_sockets(text: str, protocol: str) -> list[Listener]:
    """Return the listening sockets of a table in the format of /proc/net/tcp, v4 or v6."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTENING[protocol]:
            address, _, port = fields[1].partition(":")
            found.append(Listener(protocol, str(_address(address)), int(port, 16), int(fields[9])))
    return found


def listeners(proc: Path = Path("/proc/net")) -> list[Listener]:
    """Return all listening sockets of a network namespace, of this one by default."""
    found = []
    for protocol in _LISTENING:
        for name in (protocol, f"{protocol}6"):
            try:
                text = (proc / name).read_text(encoding="ascii")
            except OSError:
                continue
            found += parse_sockets(text, protocol)
    return found


def listening_ports(pid: int) -> set[int]:
    """Return the TCP ports on which something listens in a process's network namespace.

    Empty where the process is gone, is not ours to look at, or runs on another machine.
    """
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            text = Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii")
        except OSError:
            continue
        # This runs every few milliseconds for each container: no parsing of idle lines.
        if " 0A " in text:
            found |= {
                each.port
                for each in parse_sockets(text, "tcp")
                if ip_address(each.address) != _EMBEDDED_DNS
            }
    return found


def runs_container(pid: int, container: str) -> bool:
    """Return whether a process number of the engine is that container's process on this machine."""
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return False


def conflicting(
    port: int, host_ip: str, protocol: str, among: Iterable[Listener]
) -> Listener | None:
    """Return the socket that keeps a port of an address from being bound, or None."""
    wanted = ip_address(host_ip or "0.0.0.0")  # noqa: S104  compared, not bound
    for each in among:
        if each.protocol == protocol and each.port == port:
            there = ip_address(each.address)
            if there == wanted or there.is_unspecified or wanted.is_unspecified:
                return each
    return None


def owner(inode: int, proc: Path = Path("/proc")) -> Process | None:
    """Return the process that holds a socket; None where it is not ours to see."""
    wanted = f"socket:[{inode}]"
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if any(str(fd.readlink()) == wanted for fd in (folder / "fd").iterdir()):
                return Process(int(folder.name), _command(folder))
        except OSError:
            # It ended, or is another user's.
            continue
    return None


def _command(folder: Path) -> str:
    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return words[:80] or (folder / "comm").read_text(encoding="utf-8").strip()


def _address(text: str) -> IPv4Address | IPv6Address:
    """Return the address of the kernel's hexadecimal words, each in the host's byte order."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    packed = b"".join(struct.pack("=I", word) for word in words)
    if len(packed) == 4:
        return IPv4Address(socket.inet_ntop(socket.AF_INET, packed))
    address = IPv6Address(packed)
    return address.ipv4_mapped or address
