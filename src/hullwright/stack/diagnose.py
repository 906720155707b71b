"""Diagnose: from evidence to a cause, one sentence, and what to try. It asks nobody.

What the engine knows comes before what a log says, and a log counts only by the rules of
`symptoms`. Where a cause comes from a log line, the sentence says so, and the line is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import suggestion
from hullwright.images import size_text
from hullwright.stack import unfound, words
from hullwright.stack.causes import TRY, exit_meaning
from hullwright.tools import secretfolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullwright.stack.evidence import Evidence, Peer

_ENDED: Final = frozenset({"crash", "crash-loop", "one-shot-failed", "out-of-memory"})
_ALIVE: Final = frozenset({"unhealthy", "never-ready"})
_CHECK_TIMED_OUT: Final = "Health check exceeded timeout"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a container failed.

    Attributes:
        cause: a word of `causes.Cause`.
        sentence: the cause in one sentence.
        facts: (name, fact) that it follows from.
        advice: what to try; empty where nobody knows.
        step: a task that mends it, and why; it takes the place of advice.
    """

    cause: str
    sentence: str
    facts: tuple[tuple[str, str], ...] = ()
    advice: str = ""
    step: tuple[str, str] | None = None


def diagnose(evidence: Evidence) -> Diagnosis:
    """Return why a container failed; where nothing says more, what the wait itself saw."""
    for judge in _JUDGES:
        found = judge(evidence)
        if found is not None:
            return found
    return _as_seen(evidence)


def _refused(e: Evidence) -> Diagnosis | None:
    """The engine could not start it, and said why."""
    # One that ran before and cannot be started again has ended, by what the engine shows.
    if e.container is None or e.verdict not in {"cannot-start", *_ENDED}:
        return None
    error = e.container.error
    if not error and e.verdict != "cannot-start":
        return None
    if secretfolder.is_of_a_file(error):
        why = "memory was emptied, and it writes the secrets there again"
        return Diagnosis("cannot-start", f"{e.service} could not be started", step=("up", why))
    refusal = words.refusal(error)
    sentence = {
        "port-taken": f"{e.service} cannot have port {refusal.subject}: it is already taken",
        "command-not-found": f'{e.service} cannot start: its image has no "{refusal.subject}"',
        "permission-denied": f'{e.service} cannot start: "{refusal.subject}" is not executable',
        "wrong-platform": _foreign_sentence(e),
        "disk-full": f"{e.service} cannot start: no space is left",
        "read-only": f"{e.service} cannot start: a place in it is read-only",
    }.get(refusal.kind)
    if sentence is None:
        return Diagnosis("cannot-start", f"{e.service} could not be started")
    facts = (("held by", e.holder),) if e.holder else _platforms(e, refusal.kind)
    return Diagnosis(refusal.kind, sentence, facts, TRY.get(refusal.kind, ""))


def _out_of_memory(e: Evidence) -> Diagnosis | None:
    """The kernel ended it, or a process in it: the engine saw that."""
    if e.verdict != "out-of-memory" and not (e.oom and e.verdict in _ENDED | _ALIVE):
        return None
    limit = e.details.memory_bytes
    ended = "it" if e.exit_code == 137 or e.exit_code is None else "a process in it"
    facts = (("limit", size_text(limit)),) if limit else ()
    sentence = f"{e.service} ran out of memory: the kernel ended {ended}"
    return Diagnosis("out-of-memory", sentence, facts, TRY["out-of-memory"])


def _wrong_format(e: Evidence) -> Diagnosis | None:
    """The kernel does not know the program's format; the runtime wrote it into the log."""
    if e.verdict not in _ENDED or e.symptom is None or e.symptom.kind != "exec-format":
        return None
    advice = TRY["wrong-platform"]
    if not e.emulated:
        advice = "a program built for this platform; a script begins with #!/bin/sh"
    return Diagnosis(
        "wrong-platform", _foreign_sentence(e), (*_platforms(e), ("said", e.symptom.line)), advice
    )


def _emulated(e: Evidence) -> Diagnosis | None:
    """It ran, but by an emulator of another processor: that is slow, and some programs fail."""
    if not e.emulated or e.verdict not in _ENDED | _ALIVE:
        return None
    what = _seen(e).removeprefix(f"{e.service} ")
    sentence = (
        f"{e.service} is emulated, for its image is for {e.details.platform} and the engine runs "
        f"{e.engine}; it {what}"
    )
    return Diagnosis("wrong-platform", sentence, _platforms(e), TRY["wrong-platform"])


def _by_code(e: Evidence) -> Diagnosis | None:
    """A shell says with its code alone that a program is missing or must not run."""
    if e.verdict not in _ENDED or e.exit_code not in {126, 127}:
        return None
    cause = "command-not-found" if e.exit_code == 127 else "permission-denied"
    said = e.symptom if e.symptom and e.symptom.kind == cause else None
    about = f'its command "{said.subject}"' if said and said.subject else "a command in it"
    what = "was not found" if e.exit_code == 127 else "cannot be executed"
    sentence = f"{e.service} ended with {e.exit_code}: {about} {what}"
    facts = (("said", said.line),) if said else ()
    return Diagnosis(cause, sentence, facts, TRY[cause])


def _by_log(e: Evidence) -> Diagnosis | None:
    """The last lines speak of a cause, and nothing that is known speaks against it."""
    if e.symptom is None or e.verdict not in _ENDED | _ALIVE:
        return None
    found = _SAID[e.symptom.kind](e) if e.symptom.kind in _SAID else None
    if found is None:
        return None
    told = (*found.facts, ("said", e.symptom.line))
    sentence = f"{_seen(e)}; by its last lines, {found.sentence}"
    return Diagnosis(found.cause, sentence, told, found.advice or TRY.get(found.cause, ""))


def _probe(e: Evidence) -> Diagnosis | None:
    """Its health check cannot run, takes too long, or fails."""
    probes = e.container.probes if e.container else ()
    test = e.container.probe_test if e.container else ()
    missing = unfound.program(test, probes[-1].output) if probes else ""
    if e.verdict == "probe-cannot-run" or (missing and e.verdict in _ALIVE):
        named = f": {missing}" if missing else ""
        sentence = (
            f"{e.service} cannot become healthy: its health check has no program to run{named}"
        )
        if probes and "permission denied" in probes[-1].output.lower():
            sentence = f"{e.service} cannot become healthy: its health check is not executable"
        return Diagnosis("probe-cannot-run", sentence, advice=TRY["probe-cannot-run"])
    late = [each for each in probes if _CHECK_TIMED_OUT in each.output]
    if e.verdict not in _ALIVE or not late or late[-1] is not probes[-1]:
        return None
    limit_s = e.details.probe_timeout_s
    what = "is unhealthy" if e.verdict == "unhealthy" else f"was not ready within {e.waited_s:g} s"
    sentence = f"{e.service} {what}: its health check takes longer than its timeout, {limit_s:g} s"
    facts = (("too slow", f"{len(late)} of the last {len(probes)} checks"),)
    return Diagnosis("probe-timeout", sentence, facts, TRY["probe-timeout"])


def _orphaned(e: Evidence) -> Diagnosis | None:
    """It ended after a service that it depends on had, and its last lines name that one."""
    if e.verdict not in {"crash", "crash-loop", "one-shot-failed"}:
        return None
    last = " ".join(line.text for line in e.log[-3:])
    dead = [e.peers[name] for name in e.dependencies if name in e.peers and e.peers[name].failed]
    for peer in dead:
        if any(name in last.replace(":", " ").replace("/", " ").split() for name in peer.names):
            sentence = f"{_seen(e)}, and {peer.service}, on which it depends, {peer.state}"
            return Diagnosis("dependency", sentence, advice=f"see {peer.service} first")
    return None


def _as_seen(e: Evidence) -> Diagnosis:
    advice = TRY.get(e.verdict, "")
    unprobed = e.container is not None and e.container.probe_test and not e.container.probes
    if e.verdict == "never-ready" and unprobed:
        advice = "a shorter interval, or start_interval with start_period, in its healthcheck"
    sentence = _seen(e)
    if e.verdict == "unhealthy":
        sentence += ": its health check fails"
    return Diagnosis(e.verdict, sentence, advice=advice)


# In this order: what the engine knows, what codes say, what logs say, what the wait saw. That an
# image is emulated explains only what nothing else does.
_JUDGES: Final[tuple[Callable[[Evidence], Diagnosis | None], ...]] = (
    _refused,
    _out_of_memory,
    _wrong_format,
    _by_code,
    _by_log,
    _emulated,
    _probe,
    _orphaned,
)


def _seen(e: Evidence) -> str:
    """Return what the wait saw, as the beginning of a sentence."""
    code = "" if e.exit_code is None else exit_meaning(e.exit_code)
    since = "of its start" if e.own_limit else ""
    crashed = "crashed: it ended" if e.exit_code else "ended"
    held = "" if e.exit_code else " before its health check held"
    return {
        "crash": f"{e.service} {crashed} with {code}{held}",
        "one-shot-failed": f"{e.service} did not complete: it ended with {code}",
        "crash-loop": f"{e.service} crashes again and again: {e.deaths} times, last with {code}",
        "unhealthy": f"{e.service} is unhealthy",
        "never-ready": f"{e.service} was not ready within {e.waited_s:g} s {since}".rstrip(),
        "stopped": f"{e.service} was stopped by somebody else",
        "cannot-start": f"{e.service} could not be started",
    }.get(e.verdict, f"{e.service} failed")


def _said_denied(e: Evidence) -> Diagnosis:
    place = e.symptom.subject if e.symptom else ""
    mount = e.details.mount_of(place) if place else None
    if mount is None:
        about = f"it was denied {place}" if place else "it was denied a permission"
        return Diagnosis("permission-denied", about, (("user", _user(e)),))
    what = f"{mount.kind} {mount.source}" if mount.kind == "volume" else f"{mount.kind} mount"
    facts = [("mount", f"{mount.destination} is the {what}"), ("user", _user(e))]
    if e.owner is not None:
        owner = f"{e.owner.uid}:{e.owner.gid}, mode {e.owner.mode & 0o7777:o}"
        facts.insert(1, ("owner", f"{e.owner.path} belongs to {owner}"))
        if e.user == e.owner.uid and e.owner.mode & 0o300 == 0o300:
            # Its own, and it may write there: the mount is not the reason.
            return Diagnosis("permission-denied", f"it was denied {place}", tuple(facts))
    advice = f"chown {mount.destination} to that user in the image, before the volume is first made"
    if mount.kind == "bind":
        advice = "chown of the folder on the host, or user: with its owner's number"
    whose = f"which belongs to user {e.owner.uid}" if e.owner else "a mount"
    return Diagnosis("volume-owner", f"it was denied {place}, {whose}", tuple(facts), advice)


def _said_read_only(e: Evidence) -> Diagnosis:
    place = e.symptom.subject if e.symptom else ""
    mount = e.details.mount_of(place) if place else None
    facts: tuple[tuple[str, str], ...] = ()
    if mount is not None and not mount.writable:
        facts = (("mount", f"{mount.destination} is mounted read-only"),)
    elif mount is None and e.details.read_only:
        facts = (("file system", "read_only: true in the compose file"),)
    about = f"it cannot write {place}, which is read-only" if place else "a file is read-only"
    return Diagnosis("read-only", about, facts)


def _said_full(e: Evidence) -> Diagnosis:
    place = e.symptom.subject if e.symptom else ""
    mount = e.details.mount_of(place) if place else None
    facts = (("mount", f"{mount.destination}: {mount.kind} {mount.source}"),) if mount else ()
    return Diagnosis("disk-full", f"no space is left for {place or 'a file'}", facts)


def _said_missing(e: Evidence) -> Diagnosis | None:
    name = e.symptom.subject if e.symptom else ""
    if e.details.variables.get(name):
        # It has a value, so the line means something else.
        return None
    if name.startswith("/"):
        return Diagnosis("missing-value", f"it has no secret {name}", advice="secrets: in its file")
    empty = "is empty" if name in e.details.variables else "is not in its environment"
    advice = f"environment: {name}, from the stack's secrets or .env"
    return Diagnosis("missing-value", f"it needs {name}", ((name, empty),), advice)


def _said_unresolvable(e: Evidence) -> Diagnosis:
    name = e.symptom.subject if e.symptom else ""
    if not name:
        return Diagnosis("name-unresolvable", "a name cannot be resolved")
    about = f'the name "{name}" cannot be resolved'
    return Diagnosis("name-unresolvable", about, (("name", _whose(name, e)),), _advice(name, e))


def _said_not_found(e: Evidence) -> Diagnosis:
    program = e.symptom.subject if e.symptom else ""
    about = f'"{program}" or the program that runs it is missing' if program else "one is missing"
    return Diagnosis("command-not-found", about)


# What a log line is about, by the kind of its symptom.
_SAID: Final[Mapping[str, Callable[[Evidence], Diagnosis | None]]] = {
    "permission-denied": _said_denied,
    "read-only": _said_read_only,
    "disk-full": _said_full,
    "missing-value": _said_missing,
    "name-unresolvable": _said_unresolvable,
    "command-not-found": _said_not_found,
}


def _peer(name: str, peers: Mapping[str, Peer]) -> Peer | None:
    return next((peer for peer in peers.values() if name in peer.names), None)


def _whose(name: str, e: Evidence) -> str:
    """Return what a name is in this stack: why it may be that nobody answers to it."""
    peer = _peer(name, e.peers)
    if peer is None:
        known = [each for peer in e.peers.values() if peer.service != e.service for each in
                 (peer.service,)]  # fmt: skip
        return f'no service of this stack is called "{name}"{suggestion(name, known)}'
    if not peer.running:
        return f"{peer.service} {peer.state}, and what does not run has no address"
    if not peer.networks & e.details.networks:
        theirs, own = (", ".join(sorted(each)) for each in (peer.networks, e.details.networks))
        return (
            f"{peer.service} runs on {theirs or 'no network'}, and {e.service} on {own or 'none'}"
        )
    return f"{peer.service} runs now; it may have been later than {e.service}"


def _advice(name: str, e: Evidence) -> str:
    peer = _peer(name, e.peers)
    if peer is None:
        return "the name of a service, or a network that knows this one"
    if not peer.running or peer.networks & e.details.networks:
        return f"depends_on: {peer.service} with condition: service_healthy"
    return "networks: with one in common"


def _user(e: Evidence) -> str:
    configured = e.details.user or "root, unless it changed to another"
    number = (
        "" if e.user is None or configured.startswith(("root", str(e.user))) else f" ({e.user})"
    )
    return f"{configured}{number}"


def _foreign_sentence(e: Evidence) -> str:
    if e.emulated:
        return (
            f"{e.service} cannot run here: its image is for {e.details.platform}, "
            f"and the engine runs {e.engine}"
        )
    here = e.engine or "this machine"
    return f"{e.service} cannot run here: its program is not for {here}, or is a script without #!"


def _platforms(e: Evidence, kind: str = "wrong-platform") -> tuple[tuple[str, str], ...]:
    if kind != "wrong-platform" or not e.details.platform:
        return ()
    return (("image", e.details.platform), ("engine", e.engine))
