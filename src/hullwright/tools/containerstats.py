"""What containers use of the machine, by `docker stats`, as numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.images import parse_size_bytes
from hullwright.tools.engine import check_reachable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.run import Runner

# It samples twice, one second apart, and asks a machine under load for longer.
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What one container uses; None where the engine does not tell, as of one that just ended.

    Attributes:
        cpu_percent: of one processor, so that 200 is two of them.
        memory_bytes: in use, without what the kernel caches of files.
        limit_bytes: how much it may use; the machine's memory where it has no limit.
        received_bytes, sent_bytes: by its network since it was started.
        read_bytes, written_bytes: by block devices since it was started.
        pids: processes and threads.
    """

    container: str
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    limit_bytes: int | None = None
    received_bytes: int | None = None
    sent_bytes: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    pids: int | None = None


def usages(runner: Runner, ids: Sequence[str]) -> dict[str, Usage]:
    """Return what running containers use, by their ids; one that has ended is left out."""
    if not ids:
        return {}
    argv = ("docker", "stats", "--no-stream", "--no-trunc", "--format", "json", *ids)
    answer = runner.read(*argv, timeout_s=_TIMEOUT_S, check=False)
    check_reachable(answer)
    found = (parse_usage(line) for line in answer.stdout.splitlines() if line.startswith("{"))
    return {usage.container: usage for usage in found}


def memory_limits(runner: Runner, ids: Sequence[str]) -> dict[str, int]:
    """Return the limits of those containers that were given one, in bytes, by their ids."""
    if not ids:
        return {}
    form = "{{.Id}} {{.HostConfig.Memory}}"
    answer = runner.read("docker", "container", "inspect", "--format", form, *ids, check=False)
    pairs = (line.split() for line in answer.stdout.splitlines() if line.strip())
    return {container: int(limit) for container, limit in pairs if int(limit)}


def parse_usage(line: str) -> Usage:
    """Return the figures of one line of `docker stats --format json`."""
    raw: Mapping[str, Any] = json.loads(line)
    memory, limit = _pair(raw.get("MemUsage"))
    received, sent = _pair(raw.get("NetIO"))
    read, written = _pair(raw.get("BlockIO"))
    return Usage(
        container=raw.get("ID") or raw.get("Container") or "",
        cpu_percent=_number(str(raw.get("CPUPerc") or "").removesuffix("%")),
        memory_bytes=memory,
        limit_bytes=limit,
        received_bytes=received,
        sent_bytes=sent,
        read_bytes=read,
        written_bytes=written,
        pids=None if (pids := _number(str(raw.get("PIDs")))) is None else round(pids),
    )


def _pair(text: str | None) -> tuple[int | None, int | None]:
    first, _, second = (text or "").partition("/")
    return _bytes(first), _bytes(second)


def _bytes(text: str) -> int | None:
    try:
        return parse_size_bytes(text)
    except UsageError:
        # `--`: it has ended while it was looked at.
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
