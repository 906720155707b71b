"""The words of an explanation: causes, what exit codes mean, and what to try."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Final, Literal

Cause = Literal[
    "image-missing",
    "wrong-platform",
    "command-not-found",
    "permission-denied",
    "crash",
    "crash-loop",
    "out-of-memory",
    "port-taken",
    "missing-value",
    "read-only",
    "probe-cannot-run",
    "unhealthy",
    "probe-timeout",
    "dependency",
    "name-unresolvable",
    "volume-owner",
    "disk-full",
    "never-ready",
    "external-network",
    "external-volume",
    "one-shot-failed",
    "no-healthcheck",
    "cannot-start",
    "stopped",
    "compose",
]

_EXIT_MEANINGS: Final = {
    125: "the engine could not run it",
    126: "the command was found but cannot be executed: permissions, or another platform",
    127: "the command was not found",
    139: "segmentation fault",
}

# What to try, where a cause by itself says it.
TRY: Final[dict[str, str]] = {
    "image-missing": "invoke build, or invoke images --prepare",
    "wrong-platform": "build or fetch the image for this platform; platform: in the file names one",
    "command-not-found": "a command that the image contains; a script needs its #! program too",
    "permission-denied": "chmod +x in the Dockerfile, or a user that has the permission",
    "out-of-memory": "a higher limit: mem_limit or deploy.resources.limits.memory",
    "port-taken": "end it, or take another port",
    "read-only": "a tmpfs: or a volume for that folder, or leave read_only out",
    "probe-cannot-run": 'a check that the image contains, e.g. test: ["CMD", "myprogram", "ping"]',
    "probe-timeout": "a quicker check, or a longer timeout in its healthcheck",
    "external-network": "docker network create {subject}, or start the stack that makes it first",
    "external-volume": "docker volume create {subject}, or start the stack that makes it first",
    "no-healthcheck": "a healthcheck in the compose file, or condition: service_started",
    "disk-full": "a larger size, or room: docker system df shows who takes it",
    "crash-loop": "run it once by itself: the first death says most",
    "crash": "what its last lines say; invoke run starts it by itself, with another command",
    "one-shot-failed": "what its last lines say; invoke run starts it by itself",
    "unhealthy": "the check by itself, in the container: it shows what the check sees",
    "never-ready": "a longer --timeout, or what it waits for: its last lines may say",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a service, or the whole stack, did not come up.

    Attributes:
        service: the compose service; empty where it is the whole stack's.
        cause: a word for machines, such as `crash` or `probe-cannot-run`.
        sentence: the cause in one sentence.
        facts: (name, fact) for an aligned table.
        logs: the last lines that it wrote.
    """

    service: str
    cause: str
    sentence: str
    facts: tuple[tuple[str, str], ...] = ()
    logs: tuple[str, ...] = ()


def exit_meaning(code: int) -> str:
    """Return an exit code with what it means, where it has a meaning of its own."""
    if code in _EXIT_MEANINGS:
        return f"{code} ({_EXIT_MEANINGS[code]})"
    if 128 < code < 160:
        try:
            return f"{code} (ended by {signal.Signals(code - 128).name})"
        except ValueError:
            return str(code)
    return str(code)
