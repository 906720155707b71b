"""The wait: from what the engine tells to a verdict on each service.

It is a state machine over facts (events, inspections, sockets, the end of Compose) with the times
at which they were true. It starts nothing, reads no clock and asks nobody, so recorded events
drive it in tests exactly as the engine does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.stack import unfound
from hullwright.stack.track import Cause, Status, Track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.stack.expected import Expected
    from hullwright.tools.engine import Container, Event

__all__ = ["Cause", "Status", "Track", "Wait"]

# A container without a health check counts as running once it has survived this long.
SETTLE_S: Final = 1.0
# A service that restarts may be waiting for another one; this often it is not.
_LOOP_DEATHS: Final = 3
# Exit codes of a probe whose program could not run: the shell's, and Docker's own.
CANNOT_RUN: Final = frozenset({126, 127, -1})
# The runtime's words for it; it also fails to run anything in what is just ending.
_NO_PROGRAM: Final = re.compile(r'OCI runtime exec failed.*(?:exec: "|chdir to cwd)', re.DOTALL)
# A probe that has begun and not ended for this long is looked at: one whose program is missing
# never tells of its end.
_SILENT_PROBE_S: Final = 0.15
# Each further look comes after twice the time, but this much later at most: half of the second in
# which the verdict is to stand.
_SILENT_PROBE_MOST_S: Final = 0.5


@dataclass
class Wait:
    """Judges a stack's services while they start.

    Attributes:
        expected: by service.
        began_at: when the start began, epoch seconds.
        timeout_s: longest wait for all.
        tracks: containers by id.
        compose_code: exit code of Compose, None while it works.
    """

    expected: Mapping[str, Expected]
    began_at: float
    timeout_s: float
    tracks: dict[str, Track] = field(default_factory=dict)
    compose_code: int | None = None
    overdue: bool = False
    _by_service: dict[str, list[Track]] = field(default_factory=dict)

    def feed(self, event: Event) -> None:
        """Take in an event of the engine."""
        if event.service not in self.expected:
            return
        track = self._track(event.container, event.service, event.name)
        match event.action:
            case "create":
                track.created_at = event.at
            case "start":
                self._started(track, event.at)
            case "die":
                self._ended(track, event.at, event.exit_code or 0)
            case "kill":
                # Someone ends it on purpose: Compose before it makes a new one, or a person.
                track.stopping = True
            case "destroy":
                track.gone = True
            case "oom":
                track.oom = True
            case _:
                self._feed_health(track, event)

    def _feed_health(self, track: Track, event: Event) -> None:
        match event.action:
            case "health_status: healthy":
                track.has_probe = True
                self._healthy(track, event.at)
            case "health_status: unhealthy":
                track.has_probe = True
                # Of one that may be about to be replaced or started again it is no verdict.
                if not self.is_of_before(track):
                    self._fail(track, "unhealthy", event.at)
            case "exec_start" if track.status == "waiting":
                track.probe_began_at = event.at
            case "exec_die":
                self._probe_ended(track, event.at, event.exit_code)

    def observe(self, container: Container, now: float) -> None:
        """Take in what an inspection shows; it knows what events before the watch did not tell."""
        if container.service not in self.expected:
            return
        track = self._track(container.id, container.service, container.name)
        track.created_at = track.created_at or container.created_at
        # Where it has not run yet, its process may have been found since.
        track.has_probe, track.pid = container.has_probe, container.pid or track.pid
        track.listens = container.listens
        track.shell_probe = unfound.is_shell(container.probe_test)
        if container.started_at and track.started_at is None:
            track.started_at = track.first_started_at = container.started_at
        elif self.began_at <= container.started_at < (track.started_at or 0.0):
            # The event is told after the process began; its lines and its end are not.
            if track.first_started_at == track.started_at:
                track.first_started_at = container.started_at
            track.started_at = container.started_at
        # What was there before may be started or replaced as long as Compose is at work.
        if self.compose_code is None and container.started_at < self.began_at:
            return
        if track.status == "completed" and self._unheld(track):
            self._fail(track, "crash", track.ended_at or now)
        if container.state in {"exited", "dead"} and track.ended_at is None:
            self._ended(track, container.finished_at or now, container.exit_code)
        if container.state == "created" and container.error:
            self._fail(track, "cannot-start", now)
        if container.oom_killed:
            track.oom = True
        self._judge_probes(track, container, now)

    def listening(self, container: str, at: float) -> None:
        """Take in that a container listens on a port; at the latest it did so when healthy."""
        track = self.tracks[container]
        if track.listening_at is None:
            track.listening_at = min(at, track.healthy_at or at)

    def looked(self, container: str) -> None:
        """Take in that a container's sockets were looked at."""
        track = self.tracks[container]
        track.sockets_done = track.status == "healthy"

    def compose_ended(self, code: int) -> None:
        """Take in that Compose ended; what it did not start it will not start."""
        self.compose_code = code

    def kept(self, container: str, at: float) -> None:
        """Take in that Compose leaves a container, by its name, as it ran before."""
        for track in self.live():
            if track.name == container and track.kept_at is None:
                track.kept_at = at

    def is_of_before(self, track: Track) -> bool:
        """Whether a container has only run before, and may be replaced or started again yet."""
        if self.compose_code is not None or track.kept_at is not None:
            return False
        return track.started_at is not None and track.started_at < self.began_at

    def gave_up_on(self, service: str, container: str, now: float) -> None:
        """Take in that Compose waits no longer for a service, because of one of its containers.

        What died has crashed: the engine would start it again, but shows it as unhealthy meanwhile,
        and Compose ends. What has not died is unhealthy, if only Compose saw that.
        """
        for track in self.containers(service):
            if track.deaths and track.status == "waiting":
                self._fail(track, "crash-loop" if track.deaths > 1 else "crash", now)
            elif track.name == container and track.status == "waiting" and track.has_probe:
                self._fail(track, "unhealthy", now)

    def time(self, now: float) -> None:
        """Take in what time it is: running ones settle, and time runs out."""
        for track in self.live():
            if self.is_of_before(track):
                continue
            if self.compose_code is not None and track.kept_at is None:
                track.kept_at = now
            if track.status == "waiting" and track.running and track.has_probe is False:
                expected = self.expected[track.service]
                started = track.started_at or now
                if not expected.one_shot and now - started >= _settle_s(track):
                    track.status = "unknown"
            self._check_limits(track, now)
        if now - self.began_at > self.timeout_s and not self.done:
            self.overdue = True
            for track in self.live():
                if track.status == "waiting" and track.running and not self.is_of_before(track):
                    track.limit_s = self.timeout_s
                    self._fail(track, "never-ready", now)

    def _check_limits(self, track: Track, now: float) -> None:
        since, limit_s = self._counts_from(track), self.expected[track.service].timeout_s
        if track.status != "waiting":
            return
        if limit_s is not None and since is not None and now - since > limit_s:
            track.limit_s, track.own_limit = limit_s, since == track.first_started_at
            self._fail(track, "never-ready", now)
        ended = track.ended_at if track.stopping else None
        # Compose removes what it replaces; what it left and somebody ended nobody starts again.
        if self.compose_code is not None and ended and now - ended >= SETTLE_S:
            self._fail(track, "stopped", ended)

    def _counts_from(self, track: Track) -> float | None:
        """Return when a service's own time begins: its start, or that its old one is kept."""
        since = track.first_started_at
        return since if since is not None and since >= self.began_at else track.kept_at

    def to_inspect(self, now: float) -> list[str]:
        """Return the containers about which only an inspection can tell more, by id."""
        tracks = self.live()
        due = [
            track.id
            for track in tracks
            if track.started_at is not None
            and (
                track.has_probe is None or (track.running and not track.pid) or _silent(track, now)
            )
        ]
        # One question for all: what was created will be asked about too, as soon as it starts.
        return due and due + [
            track.id for track in tracks if track.started_at is None and track.has_probe is None
        ]

    def to_listen(self) -> list[Track]:
        """Return the running containers whose sockets are to be looked at now.

        One that was healthy before anybody saw it listen is looked at once more.
        """
        return [
            track
            for track in self.live()
            if track.running and track.pid and track.listening_at is None
            if track.status in {"waiting", "unknown"}
            or (track.status == "healthy" and not track.sockets_done)
        ]

    def next_s(self, now: float) -> float:
        """Return how long nothing can change by itself, in seconds."""
        times = [self.began_at + self.timeout_s - now]
        for track in self.live():
            if track.status == "waiting" and track.running:
                if track.has_probe is False and track.started_at:
                    times.append(track.started_at + _settle_s(track) - now)
                if track.probe_began_at is not None:
                    times.append(_next_look(track) - now)
                limit_s = self.expected[track.service].timeout_s
                since = self._counts_from(track)
                if limit_s is not None and since is not None:
                    times.append(since + limit_s - now)
        return max(0.005, min(times) + 0.002)

    def status(self, service: str) -> Status:
        """Return the state of a service: the worst of its containers, of enough of them."""
        own = self.containers(service)
        states = {track.status for track in own}
        if "failed" in states:
            return "failed"
        if self.expected[service].scale == 0:
            return "completed"
        if "waiting" in states or len(own) < self.expected[service].scale:
            return "waiting"
        for state in ("unknown", "healthy", "completed"):
            if state in states:
                return state
        return "waiting"

    @property
    def failed(self) -> bool:
        """Whether a service is hopeless, or Compose gave up."""
        return any(track.status == "failed" for track in self.live()) or bool(self.compose_code)

    @property
    def done(self) -> bool:
        """Whether each service came to its end: healthy, completed or unknown."""
        return all(self.status(name) not in {"waiting", "failed"} for name in self.expected)

    @property
    def over(self) -> bool:
        """Whether nothing is left to wait for."""
        if self.failed or self.overdue:
            return True
        return self.compose_code == 0 and self.done

    def containers(self, service: str) -> list[Track]:
        """Return what is known of a service's containers."""
        return [track for track in self._by_service.get(service, ()) if not track.gone]

    def live(self) -> list[Track]:
        """Return what is known of all containers that still exist."""
        # Other threads look at what is live while events add to it.
        return [track for track in list(self.tracks.values()) if not track.gone]

    def _track(self, container: str, service: str, name: str) -> Track:
        track = self.tracks.get(container)
        if track is None:
            track = self.tracks[container] = Track(container, service, name)
            self._by_service.setdefault(service, []).append(track)
        return track

    def _fail(self, track: Track, cause: Cause, at: float) -> None:
        if track.status != "failed":
            track.status, track.cause, track.failed_at = "failed", cause, at

    def _judge_probes(self, track: Track, container: Container, now: float) -> None:
        if container.health == "healthy":
            good = [probe.ended_at for probe in container.probes if probe.exit_code == 0]
            self._healthy(track, good[0] if good else now)
        elif container.health == "unhealthy" and container.state == "running":
            # The engine shows every container that has ended as unhealthy; that is no verdict.
            self._fail(track, "unhealthy", now)
        last = container.probes[-1] if container.probes else None
        track.words_read = track.words_read or last is not None
        if last is not None and container.state == "running" and track.probe_began_at is not None:
            if last.ended_at >= track.probe_began_at:
                track.probe_began_at = None
            else:
                track.looked_at_probe += 1
        elif track.probe_began_at is not None:
            track.looked_at_probe += 1
        if last is not None and container.health != "healthy" and _could_not_run(container):
            self._fail(track, "probe-cannot-run", now)

    def _healthy(self, track: Track, at: float) -> None:
        track.healthy_at = track.healthy_at or at
        if track.cause in {None, "unhealthy"}:
            track.status, track.cause = "healthy", None

    def _ended(self, track: Track, at: float, code: int) -> None:
        expected = self.expected[track.service]
        track.ended_at, track.exit_code, track.pid = at, code, 0
        if track.stopping:
            return
        track.deaths += 1
        again = expected.restarts(code, track.deaths)
        if code == 0 and not again and not self._unheld(track):
            track.status = "completed"
        elif track.oom:
            self._fail(track, "out-of-memory", at)
        elif not again:
            self._fail(track, "one-shot-failed" if expected.one_shot else "crash", at)
        elif track.deaths >= _LOOP_DEATHS:
            self._fail(track, "crash-loop", at)

    def _unheld(self, track: Track) -> bool:
        """Return whether it has a health check that can hold no more, and is no one-shot."""
        return bool(track.has_probe) and not self.expected[track.service].one_shot

    def _started(self, track: Track, at: float) -> None:
        track.started_at, track.ended_at = at, None
        if (track.first_started_at or 0.0) < self.began_at:
            track.first_started_at = at
        track.pid, track.stopping = 0, False
        track.listening_at, track.healthy_at = None, None
        track.sockets_done = False
        track.probe_began_at, track.looked_at_probe = None, 0
        if track.status != "failed":
            track.status = "waiting"

    def _probe_ended(self, track: Track, at: float, code: int | None) -> None:
        # An exec may be a person's, so only an inspection judges; it is due at once where the
        # code says that the probe's program could not run, and once where a shell's words may.
        words_may = bool(code) and track.shell_probe and not track.words_read
        if (code in CANNOT_RUN or words_may) and track.status == "waiting":
            track.probe_began_at = at - 2 * _SILENT_PROBE_S
        else:
            track.probe_began_at = None
        track.looked_at_probe = 0


def _settle_s(track: Track) -> float:
    # Each death makes it less likely that it stays, and later that the engine tells of the next.
    return SETTLE_S * (1 + 2 * track.deaths)


def _could_not_run(container: Container) -> bool:
    """Return whether the last probe of a container says that it never can hold."""
    last = container.probes[-1]
    if last.exit_code in CANNOT_RUN:
        # Docker's -1 is also a probe that took too long; the runtime's own words tell them apart.
        return last.exit_code != -1 or _NO_PROGRAM.search(last.output) is not None
    return bool(last.exit_code and unfound.program(container.probe_test, last.output))


def _silent(track: Track, now: float) -> bool:
    if track.status != "waiting" or track.probe_began_at is None or not track.running:
        return False
    return now >= _next_look(track)


def _next_look(track: Track) -> float:
    """Return when a probe that has begun and not ended is looked at, epoch seconds."""
    began_at, looks = track.probe_began_at or 0.0, track.looked_at_probe
    later_s = sum(min(_SILENT_PROBE_S * 2.0**look, _SILENT_PROBE_MOST_S) for look in range(looks))
    return began_at + _SILENT_PROBE_S + later_s
