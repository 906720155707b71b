"""What is known of one container while a stack starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["waiting", "healthy", "completed", "unknown", "failed"]
Cause = Literal[
    "crash",
    "crash-loop",
    "out-of-memory",
    "cannot-start",
    "probe-cannot-run",
    "unhealthy",
    "one-shot-failed",
    "stopped",
    "never-ready",
    "dependency",
    "no-healthcheck",
]


@dataclass
class Track:
    """What is known of one container; times are epoch seconds, None where not yet.

    Attributes:
        first_log_at: time of its first line; None too where its log cannot be read.
        peak_memory_bytes: most that it used, page cache included; None where nobody could look.
        cpu_s: seconds of processor time of all its runs.
        limit_s: the limit that passed, where its cause is that time ran out.
        own_limit: whether that was its service's own, from its start, and not the one for all.
        shell_probe: whether a shell runs its health check, as far as is known.
        words_read: whether what a probe of it printed was looked at.
        kept_at: since when it is known that Compose leaves it as it ran before.
    """

    id: str
    service: str
    name: str = ""
    created_at: float | None = None
    started_at: float | None = None
    first_started_at: float | None = None
    listening_at: float | None = None
    healthy_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    deaths: int = 0
    oom: bool = False
    stopping: bool = False
    gone: bool = False
    pid: int = 0
    has_probe: bool | None = None
    listens: tuple[int, ...] = ()
    sockets_done: bool = False
    first_log_at: float | None = None
    peak_memory_bytes: int | None = None
    cpu_s: float | None = None
    probe_began_at: float | None = None
    looked_at_probe: int = 0
    status: Status = "waiting"
    cause: Cause | None = None
    failed_at: float | None = None
    limit_s: float | None = None
    own_limit: bool = False
    shell_probe: bool = True
    words_read: bool = False
    kept_at: float | None = None

    @property
    def running(self) -> bool:
        """Whether it runs, by what is known."""
        return self.started_at is not None and self.ended_at is None
