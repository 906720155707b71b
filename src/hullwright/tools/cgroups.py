"""What a container has used, by the kernel's control groups, of version 2 and 1. Linux only.

Everything is read from files, at some 15 µs each, and is there only while the container runs: its
groups go with its last process.

https://docs.kernel.org/admin-guide/cgroup-v2.html
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTROLLERS: Final = ("memory", "cpuacct")
# With the cgroupfs driver, and with systemd's.
_USUAL: Final = ("/docker/{container}", "/system.slice/docker-{container}.scope")
_NS_PER_S: Final = 1e9
_US_PER_S: Final = 1e6
# More than any of the files that are read here holds, `cgroup.procs` of a huge container left out.
_READ_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container has used since it started; None for what nobody could read.

    Attributes:
        peak_memory_bytes: most memory at once. The kernel counts the page cache of files that it
            read or wrote with it, so it is more than its processes have allocated. Before Linux
            5.19, version 2 keeps no peak: then this is what is used now.
        cpu_s: seconds of processor time, of all its processes.
    """

    peak_memory_bytes: int | None = None
    cpu_s: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The control groups of one container.

    Attributes:
        container: its id, which its folders are named after.
        memory: folder of the memory controller, or empty.
        cpu: folder of the controller that counts processor time, or empty.
    """

    container: str
    memory: str = ""
    cpu: str = ""

    def usage(self) -> Usage:
        """Return what it has used until now; nothing where it has ended."""
        return Usage(self._memory(), self._cpu())

    def process(self) -> int:
        """Return a process of it, the oldest by its number; 0 where none is left."""
        numbers = _read(f"{self.cpu or self.memory}/cgroup.procs").split()
        return min((int(each) for each in numbers), default=0)

    def run(self) -> int:
        """Return a number that another run of it has not; 0 where it does not run."""
        try:
            return Path(self.cpu or self.memory).stat().st_ino
        except OSError:
            return 0

    def beside(self, container: str) -> Group:
        """Return where the groups of another container of the same engine are, if it runs."""
        return Group(
            container,
            self.memory.replace(self.container, container),
            self.cpu.replace(self.container, container),
        )

    def _memory(self) -> int | None:
        for name in ("memory.peak", "memory.max_usage_in_bytes", "memory.current"):
            text = _read(f"{self.memory}/{name}") if self.memory else b""
            if text:
                return int(text)
        return None

    def _cpu(self) -> float | None:
        if not self.cpu:
            return None
        text = _read(f"{self.cpu}/cpuacct.usage")
        if text:
            return int(text) / _NS_PER_S
        for line in _read(f"{self.cpu}/cpu.stat").splitlines():
            if line.startswith(b"usage_usec "):
                return int(line.split()[1]) / _US_PER_S
        return None


def of_process(pid: int, container: str, proc: Path = Path("/proc")) -> Group | None:
    """Return the control groups of a container by its process.

    None where the process is not that container's on this machine: it has ended, or the engine
    is on another one.
    """
    lines, mounts = _lines(proc / str(pid) / "cgroup"), _lines(proc / "self" / "mountinfo")
    places: dict[str, str] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        own = _own(path, container)
        if own:
            places.update(dict.fromkeys(controllers.split(","), own))
    memory, cpu = (_folder(mounts, places, controller) for controller in _CONTROLLERS)
    return Group(container, memory, cpu) if memory or cpu else None


def usual(container: str, proc: Path = Path("/proc")) -> Group | None:
    """Return the control groups of a container if they are where the engine makes them by default.

    None where they are elsewhere, as those of a rootless engine, or where it does not run yet.
    """
    mounts = _lines(proc / "self" / "mountinfo")
    for path in _USUAL:
        place = path.format(container=container)
        places = dict.fromkeys(("memory", "cpuacct", ""), place)
        memory, cpu = (_folder(mounts, places, controller) for controller in _CONTROLLERS)
        # The engine may be just about to make the second one.
        if memory and cpu:
            return Group(container, memory, cpu)
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _own(path: str, container: str) -> str:
    """Return the path of the container's own group: a process may be in one below it."""
    parts = path.split("/")
    own = next((at for at, part in enumerate(parts) if container in part), None)
    return "" if own is None else "/".join(parts[: own + 1])


def _folder(mounts: list[str], places: dict[str, str], controller: str) -> str:
    # A controller is in one hierarchy at most; that of version 2 has no name in /proc/PID/cgroup.
    for kind, wanted in (("cgroup", controller), ("cgroup2", "")):
        for mounted, options, root, point in _mounts(mounts):
            if mounted == kind and wanted in places and (not wanted or wanted in options):
                folder = _below(point, root, places[wanted])
                if folder:
                    return folder
    return ""


def _mounts(lines: list[str]) -> Iterator[tuple[str, list[str], str, str]]:
    """Yield kind, options, root and mount point of each (man 5 proc_pid_mountinfo)."""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, last = before.split(), after.split()
        if len(fields) > 4 and len(last) > 2 and last[0].startswith("cgroup"):
            yield last[0], last[2].split(","), fields[3], fields[4]


def _below(point: str, root: str, path: str) -> str:
    # Inside a container, what is mounted may be a part of the hierarchy.
    rest = path.removeprefix(root) if root != "/" else path
    return point + rest if Path(point + rest).is_dir() else ""


def _read(path: str) -> bytes:
    # Read ten times a second for each container, so without the layers of `open`.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _READ_BYTES).strip()
    except OSError:
        return b""
    finally:
        os.close(descriptor)
