"""Why a stack did not come up: for each service that failed its cause, facts, and what to try.

`evidence` asks, `diagnose` judges, and here it is put together: the causes first, in the order in
which they follow from each other, then what could not start because of them.
"""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.stack import evidence, refused, words
from hullwright.stack.causes import Failure, exit_meaning
from hullwright.stack.diagnose import diagnose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.stack.evidence import Evidence
    from hullwright.stack.expected import Expected
    from hullwright.stack.wait import Track, Wait
    from hullwright.tools.compose import Model
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

__all__ = ["Failure", "exit_meaning", "failures", "reason"]

_LOG_LINES: Final = 5
# What ends by itself often says why first, and then how it is to be used.
_LOG_LINES_OF_ENDED: Final = 10
_OUTPUT_CHARACTERS: Final = 600
# What the wait itself sees; the diagnosis says more where a service failed.
_REASONS: Final = {"unknown": "running; it has no health check"}


def failures(
    ws: Workspace,
    wait: Wait,
    there: Sequence[Container],
    output: Sequence[str],
    model: Model | None = None,
    *,
    stack: str = "",
) -> tuple[Failure, ...]:
    """Return why a wait failed, causes before what follows from them; empty where it did not.

    No text of them shows a secret, wherever it came from.

    Args:
        ws: the repository.
        wait: what was seen.
        there: the project's containers as they are now.
        output: what Compose printed.
        model: the stack's model; without it, names of services that were never made are unknown.
        stack: its name, for commands to try; empty for a throwaway.
    """
    told = ws.runner.redacted
    return tuple(
        replace(
            failure,
            sentence=told(failure.sentence),
            facts=tuple((name, told(fact)) for name, fact in failure.facts),
            logs=tuple(told(line) for line in failure.logs),
        )
        for failure in _found(ws, wait, there, output, model, stack=stack)
    )


def reason(track: Track, told: Iterable[Failure] = ()) -> str:
    """Return a few words on a container's state, empty where nothing has to be said."""
    own = next((each.sentence for each in told if each.service == track.service), "")
    if track.status == "failed":
        return own or f"{track.service} failed: {track.cause}"
    if track.status == "waiting":
        return own
    return _REASONS.get(track.status, "")


def _found(
    ws: Workspace,
    wait: Wait,
    there: Sequence[Container],
    output: Sequence[str],
    model: Model | None,
    *,
    stack: str,
) -> tuple[Failure, ...]:
    told = None
    if wait.compose_code and not _failed(wait):
        told = refused.failure(ws, there, output, model)
        if told.cause == "dependency":
            wait.gave_up_on(told.service, refused.container(output), time.time())
    failed = _failed(wait)
    if failed:
        around = evidence.scene(ws, wait, there, model)
        failed.sort(key=lambda track: _depth(track.service, wait.expected))
        found = [_of_track(evidence.gather(ws, wait, track, around), stack)
                 for track in failed]  # fmt: skip
        # Of the containers of one service, those that failed alike are told of once.
        alike = {(each.service, each.cause, each.sentence): each for each in reversed(found)}
        found = list(reversed(alike.values()))
        return (*found, *_orphans(wait, found))
    if told is not None:
        told = _with_its_words(ws, wait, there, told, stack)
        return (told, *_orphans(wait, [told]))
    if wait.overdue:
        waiting = (name for name in wait.expected if wait.status(name) == "waiting")
        return tuple(_never_started(wait, name) for name in waiting)
    return ()


def _with_its_words(
    ws: Workspace, wait: Wait, there: Sequence[Container], told: Failure, stack: str
) -> Failure:
    """Return what only Compose told of a service, with its check and its last lines as well."""
    tracks = wait.containers(told.service) if told.cause == "dependency" else []
    if not tracks:
        return told
    seen = evidence.gather(ws, wait, tracks[-1], evidence.scene(ws, wait, there, None))
    shown = _of_track(replace(seen, verdict="unhealthy"), stack)
    return replace(told, facts=(*told.facts, *shown.facts), logs=shown.logs)


def _never_started(wait: Wait, name: str) -> Failure:
    """Return that the time was over before a service was started, or started anew."""
    before = [track for track in wait.containers(name) if wait.is_of_before(track)]
    gone = bool(before) and all(track.stopping for track in before)
    by_compose = "Compose, which was stopping it" if gone else "Compose"
    return Failure(
        name,
        "never-ready",
        f"{name} was not started {'anew ' if before else ''}within {wait.timeout_s:g} s",
        (("waits for", ", ".join(wait.expected[name].depends_on) or by_compose),),
    )


def _failed(wait: Wait) -> list[Track]:
    return [track for track in wait.live() if track.status == "failed"]


def _depth(service: str, expected: Mapping[str, Expected], above: tuple[str, ...] = ()) -> int:
    """Return how long the longest chain of services is that one depends on."""
    own = expected[service].depends_on if service in expected else ()
    return max(
        (1 + _depth(name, expected, (*above, service)) for name in own if name not in above),
        default=0,
    )


def _orphans(wait: Wait, found: Sequence[Failure]) -> list[Failure]:
    """Return the services that were not started because one that they depend on failed."""
    dead = {failure.service for failure in found}
    orphans: list[Failure] = []
    for name in sorted(wait.expected, key=lambda name: _depth(name, wait.expected)):
        each = wait.expected[name]
        cause = [other for other in each.depends_on if other in dead]
        started = any(track.started_at is not None for track in wait.containers(name))
        if cause and name not in dead and not started:
            dead.add(name)
            sentence = f"{name} was not started: it depends on {', '.join(cause)}"
            first = next(each for each in (*found, *orphans) if each.service in cause)
            why = dict(first.facts).get("because", first.sentence)
            orphans.append(Failure(name, "dependency", sentence, (("because", why),)))
    return orphans


def _of_track(seen: Evidence, stack: str) -> Failure:
    diagnosis = diagnose(seen)
    facts = [*_probe_facts(seen), *_ending_facts(seen), *diagnosis.facts]
    if seen.waiting:
        facts.append(("waited on", f"by {', '.join(seen.waiting)}"))
    facts += [
        ("depends on", f"{name}, which {peer.state}")
        for name in seen.dependencies
        if (peer := seen.peers.get(name)) is not None and peer.failed
    ]
    if diagnosis.step:
        task, why = diagnosis.step
        facts.append(("next", f"{words.invoked(task, stack or 'default')}   ({why})"))
    elif diagnosis.advice:
        facts.append(("try", diagnosis.advice))
    ended = seen.exit_code is not None
    shown = seen.log[-(_LOG_LINES_OF_ENDED if ended else _LOG_LINES) :]
    logs = tuple(line.text for line in shown)
    facts.append(("logs", words.logs_of(stack, seen.service, len(logs))))
    return Failure(seen.service, diagnosis.cause, diagnosis.sentence, tuple(facts), logs)


def _ending_facts(seen: Evidence) -> list[tuple[str, str]]:
    facts = []
    if seen.container is not None and seen.container.error:
        facts.append(("engine", seen.container.error))
    if seen.exit_code is not None and seen.verdict not in {"unhealthy", "cannot-start"}:
        facts.append(("exit code", exit_meaning(seen.exit_code)))
    return facts


def _probe_facts(seen: Evidence) -> list[tuple[str, str]]:
    container = seen.container
    alive = seen.verdict in {"unhealthy", "probe-cannot-run", "never-ready"}
    if container is None or not container.probe_test or not (alive or container.probes):
        return []
    facts = [("check", _command(container.probe_test)), ("result", _result(container))]
    if seen.listening_s is not None and alive:
        where = f" on {', '.join(map(str, seen.open_ports))}" if seen.open_ports else ""
        since = f"the service itself has been listening{where} since {seen.listening_s:.1f} s"
        facts.append(("note", since))
    return facts


def _result(container: Container) -> str:
    if not container.probes:
        return "no probe has ended yet"
    last = container.probes[-1]
    program, why = words.program_in(last.output)
    if program:
        return f'could not start: "{program}": {why}'
    said = (last.output or "(it printed nothing)")[-_OUTPUT_CHARACTERS:]
    if last.exit_code == 0:
        return f"it passes by now\n{said}"
    # Docker's own number for a check that it ended; its words say why.
    return said if last.exit_code < 0 else f"exit code {exit_meaning(last.exit_code)}\n{said}"


def _command(test: tuple[str, ...]) -> str:
    return f"CMD-SHELL {test[1]}" if test[0] == "CMD-SHELL" else shlex.join(test)
