"""Why a stack did not come up: one sentence of the cause, the facts, and what to try."""

from __future__ import annotations

import re
import shlex
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.tools import engine, ports, secretfolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack.wait import Track, Wait
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

_EXIT_MEANINGS: Final = {
    125: "the engine could not run it",
    126: "the command was found but cannot be executed: permissions, or another platform",
    127: "the command was not found",
    139: "segmentation fault",
}
_LOG_LINES: Final = 5
_NO_PROGRAM: Final = re.compile(r'exec: "([^"]+)": (.*?)(?:: unknown)?$', re.MULTILINE)
_PORT: Final = re.compile(
    r":(\d+)(?:/(?:tcp|udp))?(?:: bind| failed: port is already|.*already in use)"
)


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


def failures(
    ws: Workspace, wait: Wait, there: Sequence[Container], output: Sequence[str]
) -> tuple[Failure, ...]:
    """Return why a wait failed; empty where it did not.

    No text of them shows a secret, wherever it came from.
    """
    told = ws.runner.redacted
    return tuple(
        replace(
            failure,
            facts=tuple((name, told(fact)) for name, fact in failure.facts),
            logs=tuple(told(line) for line in failure.logs),
        )
        for failure in _found(ws, wait, there, output)
    )


def _found(
    ws: Workspace, wait: Wait, there: Sequence[Container], output: Sequence[str]
) -> tuple[Failure, ...]:
    by_id = {container.id: container for container in there}
    found = [
        _of_track(ws, wait, track, by_id.get(track.id))
        for track in wait.tracks.values()
        if track.status == "failed" and not track.gone
    ]
    if found:
        return tuple(found)
    if wait.compose_code:
        return (_of_compose(ws, output),)
    if wait.overdue:
        late = [name for name in wait.expected if wait.status(name) == "waiting"]
        return tuple(
            Failure(
                name,
                "never-ready",
                f"{name} was not started within {wait.timeout_s:.0f} s",
                (("waits for", ", ".join(wait.expected[name].depends_on) or "Compose"),),
            )
            for name in late
        )
    return ()


def reason(wait: Wait, track: Track) -> str:
    """Return a few words on a container's state, empty where nothing has to be said."""
    if track.status == "failed":
        return _sentence(wait, track)
    if track.status == "unknown":
        return "running; it has no health check"
    return ""


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


def _of_track(ws: Workspace, wait: Wait, track: Track, container: Container | None) -> Failure:
    facts: list[tuple[str, str]] = []
    if container is not None:
        facts += _probe_facts(wait, track, container)
        if container.error:
            facts.append(("engine", container.error))
    if track.exit_code is not None and track.cause != "unhealthy":
        facts.append(("exit code", exit_meaning(track.exit_code)))
    waiting = [name for name, each in wait.expected.items() if track.service in each.depends_on]
    if waiting:
        facts.append(("waited on", f"by {', '.join(waiting)}"))
    facts += _try(track, container)
    logs = engine.last_lines(ws.runner, track.id, _LOG_LINES)
    shown = f"(the last {len(logs)} follow)" if logs else "(it wrote nothing)"
    facts.append(("logs", f"invoke logs --service {track.service}   {shown}"))
    return Failure(
        track.service, track.cause or "failed", _sentence(wait, track), tuple(facts), logs
    )


_SENTENCES: Final = {
    "crash": "{name} crashed: it ended with {code}",
    "one-shot-failed": "{name} did not complete: it ended with {code}",
    "crash-loop": "{name} crashes again and again: {deaths} times, last with {code}",
    "out-of-memory": "{name} ran out of memory: the kernel ended it",
    "cannot-start": "{name} could not be started",
    "probe-cannot-run": "{name} cannot become healthy: its health check has no program to run",
    "unhealthy": "{name} is unhealthy: its health check fails",
    "never-ready": "{name} was not ready within {waited_s:.0f} s",
}


def _sentence(wait: Wait, track: Track) -> str:
    return _SENTENCES.get(track.cause or "", "{name} failed").format(
        name=track.service,
        code="" if track.exit_code is None else exit_meaning(track.exit_code),
        deaths=track.deaths,
        waited_s=(track.failed_at or wait.began_at) - wait.began_at,
    )


def _probe_facts(wait: Wait, track: Track, container: Container) -> list[tuple[str, str]]:
    if track.cause not in {"unhealthy", "probe-cannot-run", "never-ready"} or not container.probe_test:
        return []
    facts = [("check", _command(container.probe_test))]
    if container.probes:
        last = container.probes[-1]
        missing = _NO_PROGRAM.search(last.output)
        if missing:
            facts.append(("result", f'could not start: "{missing[1]}": {missing[2]}'))
        else:
            said = last.output or "(it printed nothing)"
            facts.append(("result", f"exit code {exit_meaning(last.exit_code)}\n{said[-600:]}"))
    else:
        facts.append(("result", "no probe has ended yet"))
    if track.listening_at is not None:
        open_ports = sorted(ports.listening_ports(track.pid)) if track.pid else []
        where = f" on {', '.join(map(str, open_ports))}" if open_ports else ""
        since_s = track.listening_at - wait.began_at
        facts.append(
            ("note", f"the service itself has been listening{where} since {since_s:.1f} s")
        )
    return facts


def _try(track: Track, container: Container | None) -> list[tuple[str, str]]:
    if container is not None and secretfolder.is_of_a_file(container.error):
        return [("next", "invoke up   (memory was emptied, and it writes the secrets there again)")]
    if track.cause == "probe-cannot-run":
        return [("try", 'a check that the image contains, e.g. test: ["CMD", "myprogram", "ping"]')]
    if track.cause == "never-ready" and container is not None and not container.probes:
        return [
            ("try", "a shorter interval, or start_interval with start_period, in its healthcheck")
        ]
    if track.cause == "out-of-memory":
        return [("try", "a higher limit: mem_limit or deploy.resources.limits.memory")]
    return []


def _of_compose(ws: Workspace, output: Sequence[str]) -> Failure:
    """Return the failure that only Compose told of: the engine refused something."""
    told = [line.strip() for line in output if line.strip() and "level=warning" not in line]
    errors = [line for line in told if "rror" in line or "failed" in line] or told
    last = errors[-1] if errors else "(it said nothing)"
    port = _PORT.search(last)
    if port is not None:
        return _port_taken(ws, int(port[1]), last)
    if "No such image" in last or "pull access denied" in last or "manifest unknown" in last:
        return Failure(
            "",
            "image-missing",
            "an image is not in the local store",
            (("compose", last), ("next", "invoke build, or invoke images --prepare")),
        )
    return Failure(
        "",
        "compose",
        "Compose could not start the stack",
        (("compose", "\n".join(errors[-5:]) or last),),
    )


def _port_taken(ws: Workspace, port: int, told: str) -> Failure:
    holder = "it has let go of it since"
    taken = ports.conflicting(port, "", "tcp", ports.listeners())
    containers = engine.publishing(ws.runner, port)
    if containers:
        holder = f"container {', '.join(containers)}"
    elif taken is not None:
        process = ports.owner(taken.inode)
        holder = (
            f"process {process.pid}: {process.command}" if process else "another user's process"
        )
    return Failure(
        "",
        "port-taken",
        f"port {port} is already taken",
        (("held by", holder), ("compose", told), ("next", "end it, or take another port")),
    )


def _command(test: tuple[str, ...]) -> str:
    return f"CMD-SHELL {test[1]}" if test[0] == "CMD-SHELL" else shlex.join(test)
