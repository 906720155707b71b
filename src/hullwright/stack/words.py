"""What the engine and Compose say when they refuse something, sorted by cause."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_PORT: Final = re.compile(
    r":(\d+)(?:/(?:tcp|udp))?(?:: bind| failed: port is already|.*already in use)"
)
_EXEC: Final = re.compile(r'exec: "([^"]+)":? ?(.*?)(?:: unknown)?$', re.MULTILINE)
# ` Container shop-db-1  Running`
_KEPT: Final = re.compile(r"Container (\S+)\s+Running")
_KINDS: Final = (
    ("wrong-platform", r"exec format error|does not (?:match|provide) the specified platform"),
    ("wrong-platform", r"no match for platform in manifest|platform .* but .* was found"),
    ("image-missing", r"No such image|pull access denied|manifest unknown|failed to resolve refer"),
    ("disk-full", r"no space left on device"),
    ("command-not-found", r'exec: ".*(?:executable file not found|no such file or directory)'),
    ("permission-denied", r'exec: ".*(?:permission denied|is a directory)'),
    ("read-only", r"read-only file system"),
    ("missing-value", r"required variable|secret .* not found|environment variable .* required"),
    ("external-network", r"^.*network .* declared as external, but could not be found"),
    ("external-volume", r"external volume .* not found"),
    ("no-healthcheck", r"has no healthcheck configured"),
    ("dependency", r"dependency failed to start|didn't complete successfully"),
)
_NAMED: Final = {
    "image-missing": r"[Nn]o such image: (\S+)|access denied for (\S+?),|image (\S+) ",
    "wrong-platform": r"image with reference (\S+) was|image (\S+) ",
    "dependency": r"container (\S+) (?:is|exited|has)|service \"([^\"]+)\" didn't",
    "external-network": r"network (\S+) declared",
    "external-volume": r"external volume (\S+) not",
    "no-healthcheck": r"container (\S+) has no",
    "missing-value": r"variable (\w+)|secret \"?([\w.-]+)",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the engine or Compose refused something.

    Attributes:
        kind: the cause; `port-taken` and the others, or `cannot-start` for what is unknown.
        subject: the port, program, image, container or variable; empty where none is named.
        result: what it said of a program.
    """

    kind: str
    subject: str = ""
    result: str = ""


def refusal(text: str) -> Refusal:
    """Return the cause that words of the engine or of Compose tell of."""
    port = port_in(text)
    if port is not None:
        return Refusal("port-taken", str(port))
    for kind, pattern in _KINDS:
        if re.search(pattern, text, re.IGNORECASE):
            program, result = program_in(text)
            named = re.search(_NAMED[kind], text) if kind in _NAMED else None
            subject = next(filter(None, named.groups()), "") if named else program
            return Refusal(kind, subject.strip("\"'"), result)
    return Refusal("cannot-start")


def port_in(text: str) -> int | None:
    """Return the port of the host that somebody else has, None where the words are of others."""
    match = _PORT.search(text)
    return int(match[1]) if match else None


def program_in(text: str) -> tuple[str, str]:
    """Return the program that could not be run, and why; empty where the words name none."""
    match = _EXEC.search(text)
    return (match[1], match[2]) if match else ("", "")


def kept_in(line: str) -> str:
    """Return the container of which Compose says that it stays as it runs, empty for others."""
    match = _KEPT.fullmatch(line.strip())
    return match[1] if match else ""


def errors_of(output: Iterable[str]) -> list[str]:
    """Return those lines of Compose's output that tell of errors; all if none says so."""
    told = [line.strip() for line in output if line.strip() and "level=warning" not in line]
    return [line for line in told if "rror" in line or "failed" in line] or told


def invoked(words: str, stack: str) -> str:
    """Return the command line of a task for a stack; the default one needs no name."""
    return f"invoke {words}" if stack == "default" else f"invoke {words} --stack {stack}"


def logs_of(stack: str, service: str, lines: int) -> str:
    """Return where a service's log is to be seen, and how many of its last lines follow.

    A throwaway has no name of a stack (empty): what it made is gone when somebody reads this.
    """
    follow = "the last one follows" if lines == 1 else f"the last {lines} follow"
    shown = follow if lines else "it wrote nothing"
    return f"{invoked(f'logs --service {service}', stack)}   ({shown})" if stack else shown
