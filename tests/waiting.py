"""A wait that a test drives, by events as the engine gives them, at times that the test says."""

from __future__ import annotations

from dataclasses import replace

from hullwright.stack.expected import Expected
from hullwright.stack.wait import Wait
from hullwright.tools.engine import Container, Event, ProbeResult

BEGAN = 1000.0
RUNTIME_ERROR = 'OCI runtime exec failed: exec failed: exec: "curl": executable file not found'


def waiting(*expected: Expected, timeout_s: float = 60.0) -> Wait:
    return Wait({each.service: each for each in expected}, BEGAN, timeout_s)


def happen(
    wait: Wait, at_s: float, action: str, service: str = "db", code: int | None = None
) -> None:
    wait.feed(Event(BEGAN + at_s, action, f"id-{service}", f"x-{service}-1", service, code))


def container(service: str = "db", **changed: object) -> Container:
    """Return a container that runs since one second after the beginning."""
    shown = Container(
        id=f"id-{service}", name=f"x-{service}-1", service=service, number=1, project="x",
        image="image", image_id="sha256:1", state="running", pid=42, exit_code=0,
        oom_killed=False, error="", restarts=0, restart_policy="no",
        created_at=BEGAN + 0.5, started_at=BEGAN + 1, finished_at=0.0,
    )  # fmt: skip
    return replace(shown, **changed)  # type: ignore[arg-type]  # fields by name


def observe(wait: Wait, at_s: float, shown: Container) -> None:
    wait.observe(shown, BEGAN + at_s)


def is_over(wait: Wait) -> bool:
    return wait.over


def probe(start_s: float, end_s: float, code: int, output: str = "") -> ProbeResult:
    return ProbeResult(BEGAN + start_s, BEGAN + end_s, code, output)
