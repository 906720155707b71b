"""The kill test: each service that the engine is to start again is killed, and must come back.

Only in a throwaway project, and only through the host's process: Docker's own kill suppresses the
restart policy.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError
from hullwright.stack import checks
from hullwright.stack.checks import Checked
from hullwright.tools import engine, hostprocess
from hullwright.tools.hostprocess import NotOursError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.stack.explain import Failure
    from hullwright.tools.engine import Container, Event
    from hullwright.workspace import Workspace

KILLED: Final = "comes back when its process is killed"
STANDS: Final = "stands when other services are killed"
# A container without a health check is back once it has run for this long.
_SETTLE_S: Final = 1.0
# So many deaths more than the one that was ordered, and it will not come back.
_DEATHS: Final = 3
# The engine decides on a restart with the death; a state that says none is looked at twice.
_LEFT_S: Final = 0.5
# Between two inspections that no event asked for.
_INSPECT_S: Final = 0.5
_PATIENCE_S: Final = 0.1


@dataclass
class Return:
    """What is known of a container since it was killed; times are epoch seconds, None for not yet.

    It reads no clock and asks nobody.
    """

    id: str
    killed_at: float
    probed: bool
    limit_s: float
    deaths: int = 0
    started_at: float | None = None
    back_at: float | None = None
    left_at: float | None = None
    failed: str = ""

    @property
    def over(self) -> bool:
        """Whether it is back, or will not come back."""
        return self.back_at is not None or bool(self.failed)

    def feed(self, event: Event) -> None:
        """Take in an event of the engine."""
        if event.container != self.id or event.at < self.killed_at:
            return
        match event.action:
            case "die":
                self.deaths += 1
                self.started_at = None
                if self.deaths > _DEATHS:
                    again = self.deaths - 1
                    self.failed = f"it crashed {again} times more, last with {event.exit_code}"
            case "start":
                self.started_at = event.at
            case "health_status: healthy" if self.started_at is not None:
                self.back_at = event.at
            case "health_status: unhealthy" if self.started_at is not None:
                self.failed = "it was started again, and its health check fails"
            case "destroy":
                self.failed = "its container was removed"

    def observe(self, container: Container, now: float) -> None:
        """Take in what an inspection shows."""
        if container.state == "running" and container.started_at > self.killed_at:
            self.started_at = container.started_at
            self.left_at = None
            if container.health == "healthy":
                self.back_at = self.back_at or now
        elif container.state in {"exited", "dead"} and container.finished_at > self.killed_at:
            self.left_at = self.left_at or now
            if now - self.left_at >= _LEFT_S:
                self.failed = (
                    f"the engine did not start it again: it is {container.state}, "
                    f"with {container.exit_code}"
                )

    def time(self, now: float) -> None:
        """Take in what time it is: one that nothing probes settles, and time runs out."""
        if not self.probed and self.started_at and now - self.started_at >= _SETTLE_S:
            self.back_at = self.started_at
        if not self.over and now - self.killed_at > self.limit_s:
            state = "running, and not healthy" if self.started_at else "not running"
            self.failed = f"it was {state} {self.limit_s:.0f} s later"


def kill_test(
    ws: Workspace,
    project: str,
    services: Sequence[str],
    limit_s: float,
    timeouts_s: Mapping[str, float],
) -> tuple[Checked, ...]:
    """Kill each service of a throwaway that restarts, one after the other, and await its return.

    Args:
        ws: the repository.
        project: the throwaway project; it is up.
        services: in the order in which they are killed.
        limit_s: longest time until one is back.
        timeouts_s: that of services which have one of their own.

    Returns:
        One entry for each service, and one for each that others took down with them. Of several
        containers of a service the first is killed.
    """
    there = _throwaway(ws, project)
    up = [each for each in there if each.state == "running"]
    found = []
    with _events(ws, project) as facts:
        for name in services:
            own = [each for each in there if each.service == name]
            limit = timeouts_s.get(name, limit_s)
            found.append(_killed(ws, facts, name, own, limit))
        failed = {each.service for each in found if each.status == "failed"}
        for container in up:
            if container.service in failed or container.service not in services:
                continue
            told = _not_ready(ws, facts, container.id, timeouts_s.get(container.service, limit_s))
            if told:
                failed.add(container.service)
                found.append(
                    Checked(container.service, STANDS, "failed", told=told, expected=_EXPECTED)
                )
    return tuple(found)


_EXPECTED: Final = "running, and healthy where it has a health check, by its restart policy"


def failures(
    ws: Workspace, killed: Sequence[Checked], containers: Sequence[Container]
) -> tuple[Failure, ...]:
    """Return why a kill test failed: one for each service that did not come back."""
    sentences = {
        KILLED: "{0} did not come back when its process was killed",
        STANDS: "{0} went down with other services, and did not come back",
    }
    advice = {
        KILLED: "it starts anew in the same container: files of its last life (pids, sockets, "
        "locks) are still there",
        STANDS: "a restart policy (restart: unless-stopped), and connections that are made anew",
    }
    return tuple(
        checks.failure(
            ws,
            each,
            containers,
            cause="kill-test-failed",
            sentence=sentences[each.name].format(each.service),
            advice=advice[each.name],
        )
        for each in killed
        if each.status == "failed"
    )


def _throwaway(ws: Workspace, project: str) -> tuple[Container, ...]:
    """Return the containers of a project, once each is known to be a throwaway's own."""
    there = engine.of_project(ws.runner, project)
    for each in there:
        if (
            each.labels.get(engine.KIND) != "throwaway"
            or each.labels.get(engine.PROJECT) != project
        ):
            raise HullwrightError(
                f"{each.name} is not a part of the throwaway project {project}",
                why="only what a cold start made is ever killed",
            )
    return there


def _killed(
    ws: Workspace,
    facts: queue.SimpleQueue[Event],
    service: str,
    own: Sequence[Container],
    limit_s: float,
) -> Checked:
    untestable = _untestable(own)
    if untestable:
        return Checked(service, KILLED, "not testable", told=untestable)
    told = _not_ready(ws, facts, own[0].id, limit_s)
    if told:
        told = f"before it was to be killed: {told}"
        return Checked(service, KILLED, "failed", told=told, expected=_EXPECTED)
    # Its process is another one, if another service took it down before.
    container = engine.inspected(ws.runner, [own[0].id])[0]
    back = Return(container.id, time.time(), container.has_probe, limit_s)
    ws.console.status(f"… kill {service}")
    try:
        hostprocess.kill(container)
    except NotOursError as error:
        return Checked(service, KILLED, "not testable", told=error.what)
    _await(ws, facts, back)
    took_s = (back.back_at or time.time()) - back.killed_at
    return Checked(
        service=service,
        name=KILLED,
        status="failed" if back.failed else "held",
        took_s=round(took_s, 3),
        told=back.failed,
        expected=_EXPECTED,
    )


def _untestable(own: Sequence[Container]) -> str:
    """Return why a service is not killed; empty where it is."""
    if not own:
        return "it has no container"
    container = own[0]
    if container.state != "running":
        return f"nothing runs in it: it is {container.state}, with {container.exit_code}"
    if container.restart_policy in {"", "no"}:
        return "it has no restart policy, so nothing would start it again"
    try:
        hostprocess.check_reachable(container)
    except NotOursError as error:
        return error.what
    return ""


def _await(ws: Workspace, facts: queue.SimpleQueue[Event], back: Return) -> None:
    """Feed what the engine tells until a container is back, or will not be."""
    looked = 0.0
    while not back.over:
        event = _next(facts)
        if event is not None:
            back.feed(event)
        now = time.time()
        if event is not None or now - looked >= _INSPECT_S:
            looked = now
            for container in engine.inspected(ws.runner, [back.id]):
                back.observe(container, now)
        back.time(time.time())


def _not_ready(
    ws: Workspace, facts: queue.SimpleQueue[Event], container: str, limit_s: float
) -> str:
    """Wait until a container runs and is healthy; return its state where it does not become so."""
    until = time.monotonic() + limit_s
    while True:
        there = engine.inspected(ws.runner, [container])
        if not there:
            return "its container was removed"
        now = there[0]
        if now.state == "running" and now.health in {"none", "healthy"}:
            return ""
        if now.state in {"exited", "dead"}:
            return f"it is {now.state}, with {now.exit_code}"
        if time.monotonic() > until:
            return f"it is {now.state}, {now.health}, after {limit_s:.0f} s"
        _next(facts)


def _next(facts: queue.SimpleQueue[Event]) -> Event | None:
    """Return what the engine tells next; None where it tells nothing for a moment."""
    try:
        return facts.get(timeout=_PATIENCE_S)
    except queue.Empty:
        return None


@contextmanager
def _events(ws: Workspace, project: str) -> Iterator[queue.SimpleQueue[Event]]:
    """Yield what happens to a project's containers from now on."""
    facts: queue.SimpleQueue[Event] = queue.SimpleQueue()
    with ws.runner.following(*engine.events_argv(project, time.time())) as follow:

        def pump() -> None:
            # The stream is closed under this thread when the test is over.
            with suppress(ValueError):
                for line in follow.stdout or ():
                    event = engine.parse_event(line)
                    if event is not None:
                        facts.put(event)

        threading.Thread(target=pump, daemon=True).start()
        yield facts
