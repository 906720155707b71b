"""What only an explanation needs to know of a container: its user, mounts, networks, platform.

Nobody asks for it while all is well, so it is apart from what the wait looks at. Of a container's
environment only names are kept, and whether each has a value.
"""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import BinaryIO

    from hullwright.run import Runner

_STAMPED: Final = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?(.*)")
# An architecture's processors run programs of these others by themselves.
_RUNS_TOO: Final = {"amd64": {"386"}, "arm64": {"arm"}}
_NANO: Final = 1e9
# https://docs.docker.com/reference/dockerfile/#healthcheck
_PROBE_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Mount:
    """What a container has in a place of its file system: `bind`, `volume` or `tmpfs`.

    Attributes:
        source: name of the volume, folder of the host, or options of the tmpfs.
    """

    kind: str
    source: str
    destination: str
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a file or folder in a container is, by numbers, and its permission bits."""

    path: str
    uid: int
    gid: int
    mode: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a container wrote, and when: epoch seconds, 0 where that is not known."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Details:
    """A container as an explanation sees it.

    Attributes:
        user: whom it runs as, as its configuration says: empty for root.
        variables: names of its environment, each with whether it has a value.
        platform: `os/architecture[/variant]` of the image that it runs; empty if not known.
        networks: names of its networks.
        names: how others on these networks may call it.
        memory_bytes: its limit; 0 for none.
        probe_timeout_s: longest time of one run of its health check.
    """

    user: str = ""
    variables: Mapping[str, bool] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    platform: str = ""
    networks: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    read_only: bool = False
    memory_bytes: int = 0
    probe_timeout_s: float = _PROBE_TIMEOUT_S

    def mount_of(self, path: str) -> Mount | None:
        """Return the mount in which a path lies; the innermost one."""
        found = [
            mount
            for mount in self.mounts
            if path == mount.destination or path.startswith(mount.destination.rstrip("/") + "/")
        ]
        return max(found, key=lambda mount: len(mount.destination), default=None)


def of_containers(runner: Runner, ids: Sequence[str]) -> dict[str, Details]:
    """Return the details of those containers that still exist, by id."""
    if not ids:
        return {}
    answer = runner.read("docker", "container", "inspect", *ids, check=False)
    return {raw["Id"]: parse(raw) for raw in json.loads(answer.stdout or "[]")}


def parse(raw: Mapping[str, Any]) -> Details:
    """Return the details of one entry of `docker container inspect`."""
    config, host = raw.get("Config") or {}, raw.get("HostConfig") or {}
    platform = (raw.get("ImageManifestDescriptor") or {}).get("platform") or {}
    networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    names = {name for each in networks.values() for name in each.get("Aliases") or ()}
    timeout = (config.get("Healthcheck") or {}).get("Timeout")
    return Details(
        user=config.get("User") or "",
        variables={
            name: bool(value)
            for name, _, value in (entry.partition("=") for entry in config.get("Env") or ())
        },
        mounts=(*map(_mount, raw.get("Mounts") or ()), *_tmpfs(host.get("Tmpfs") or {})),
        platform="/".join(
            platform[key] for key in ("os", "architecture", "variant") if platform.get(key)
        ),
        networks=frozenset(networks),
        names=frozenset({*names, raw["Name"].lstrip("/"), config.get("Hostname") or ""} - {""}),
        read_only=bool(host.get("ReadonlyRootfs")),
        memory_bytes=host.get("Memory") or 0,
        probe_timeout_s=timeout / _NANO if timeout else _PROBE_TIMEOUT_S,
    )


def engine_platform(runner: Runner) -> str:
    """Return the platform that the engine runs by itself, `os/architecture`; empty if unknown."""
    answer = runner.read(
        "docker", "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}", check=False
    )
    return answer.stdout.strip() if answer.ok else ""


def is_foreign(image: str, machine: str) -> bool:
    """Return whether a machine's processor cannot run an image's programs by itself."""
    if not image or not machine:
        return False
    own, there = image.split("/")[:2], machine.split("/")[:2]
    return own != there and (own[0] != there[0] or own[1] not in _RUNS_TOO.get(there[1], set()))


def log_tail(runner: Runner, container: str, count: int) -> tuple[LogLine, ...]:
    """Return the last lines that a container wrote to either stream, in time, secrets masked."""
    answer = runner.read(
        "docker", "logs", "--timestamps", "--tail", str(count), container, check=False
    )
    if not answer.ok:
        return ()
    lines = [parse_line(line) for line in f"{answer.stdout}\n{answer.stderr}".splitlines()]
    lines.sort(key=lambda line: line.at)
    shown = [LogLine(line.at, runner.redacted(line.text)) for line in lines if line.text.strip()]
    return tuple(shown[-count:])


def parse_line(line: str) -> LogLine:
    """Return a line of `docker logs --timestamps`; one without a time has none."""
    match = _STAMPED.fullmatch(line.rstrip())
    return LogLine(engine.epoch_s(match[1]), match[2]) if match else LogLine(0.0, line.rstrip())


def owner(runner: Runner, container: str, paths: Iterable[str]) -> Owner | None:
    """Return whose the first of the paths is that exists, as the container itself numbers users.

    The engine tells it of stopped containers and of volumes too, and to those who may not look
    into its folders. Only the first header of its archive is read, however large the folder is.
    """
    for path in paths:
        member, _ = _first(runner, container, path)
        if member is not None:
            return Owner(path, member.uid, member.gid, member.mode)
    return None


def user_number(runner: Runner, container: str, user: str) -> int | None:
    """Return the number of a container's user; None where its image does not tell."""
    name = user.split(":", maxsplit=1)[0]
    if not name or name.isdigit():
        return int(name or 0)
    _, passwd = _first(runner, container, "/etc/passwd")
    rows = (line.split(":") for line in passwd.decode(errors="replace").splitlines())
    return next((int(row[2]) for row in rows if len(row) > 3 and row[0] == name), None)


def _first(runner: Runner, container: str, path: str) -> tuple[tarfile.TarInfo | None, bytes]:
    with runner.following("docker", "cp", f"{container}:{path}", "-") as process:
        stream = cast("BinaryIO", getattr(process.stdout, "buffer", None))
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                member = archive.next()
                content = archive.extractfile(member) if member and member.isfile() else None
                return member, content.read(1 << 16) if content else b""
        except (tarfile.TarError, EOFError, OSError):
            # It is not there: the engine said so instead of giving an archive.
            return None, b""


def _mount(raw: Mapping[str, Any]) -> Mount:
    kind = raw.get("Type") or "bind"
    source = raw.get("Name") if kind == "volume" else raw.get("Source")
    return Mount(kind, source or "", raw.get("Destination") or "", bool(raw.get("RW", True)))


def _tmpfs(raw: Mapping[str, str]) -> list[Mount]:
    return [
        Mount("tmpfs", options, path, "ro" not in options.split(","))
        for path, options in raw.items()
    ]
