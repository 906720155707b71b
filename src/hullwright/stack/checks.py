"""What must hold once a stack is up: tried until it holds or its time is over, all side by side."""

from __future__ import annotations

import shlex
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from hullwright.errors import UsageError, suggestion
from hullwright.stack.checking import CURRENT, HEAD, look
from hullwright.stack.explain import Failure
from hullwright.stack.words import logs_of
from hullwright.tools import engine, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.config.models import Check, Stack
    from hullwright.stack.execution import UpReport
    from hullwright.stack.plan import UpPlan
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

# How long a check may take where it says nothing itself.
WITHIN_S: Final = 5.0
# Between two tries of one check.
_AGAIN_S: Final = 0.1
_SIDE_BY_SIDE: Final = 8
_LOG_LINES: Final = 5
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of something that must hold of a service once it is up.

    Attributes:
        service: the compose service.
        name: what was looked at, in a few words: `GET /healthz`, `killed`, …
        status: whether it held; `not testable` where it could not be tried from here.
        took_s: until it held, or until it was given up.
        told: what was seen instead, or why it cannot be tried; empty where it held.
        expected: what must hold, in a few words.
    """

    service: str
    name: str
    status: Literal["held", "failed", "not testable"]
    took_s: float = 0.0
    told: str = ""
    expected: str = ""


def refuse_unknown(stack: Stack, known: Iterable[str]) -> None:
    """Refuse a stack whose tables name services that its files do not have.

    Raises:
        UsageError: all of them at once, each by its key.
    """
    names = sorted(known)
    key = f"stacks.{stack.name}"
    named = [(f"{key}.timeouts.{name}", name) for name in stack.timeouts]
    named += [(f"{key}.one-shots[{i}]", name) for i, name in enumerate(stack.one_shots)]
    named += [(f"{key}.checks[{i}].service", each.service) for i, each in enumerate(stack.checks)]
    wrong = [
        (place, f'unknown service "{name}"{suggestion(name, names)}')
        for place, name in named
        if name not in names
    ]
    if wrong:
        raise UsageError(
            f'stack "{stack.name}" is told of services that its files do not have',
            why=[*wrong, ("known", ", ".join(names))],
            next_step="correct those keys; nothing was started",
        )


def refuse_none(stack: Stack) -> None:
    """Refuse to check a stack that is told of nothing to check.

    Raises:
        UsageError: so it is.
    """
    if not stack.checks:
        raise UsageError(
            f'stack "{stack.name}" has no checks',
            why="nothing is configured that must hold once it is up",
            next_step=f"write [[stacks.{stack.name}.checks]], or leave --check out",
        )


def run(
    ws: Workspace, checks: Sequence[Check], containers: Sequence[Container]
) -> tuple[Checked, ...]:
    """Return what came of each check, in their order, of the containers of a stack that is up.

    It holds of a service when it holds of each of its containers.

    Raises:
        UsageError: a check names no port, and its service has several.
    """
    from concurrent.futures import ThreadPoolExecutor

    if not checks:
        return ()
    ids = {
        check.service: [each.id for each in containers if each.service == check.service]
        for check in checks
    }
    over = threading.Event()
    with ThreadPoolExecutor(min(len(checks), _SIDE_BY_SIDE)) as pool:
        try:
            running = [pool.submit(_tried, ws, check, ids[check.service], over) for check in checks]
            return tuple(each.result() for each in running)
        finally:
            # Interrupted, or a check that cannot be meant: the others have no use any more.
            over.set()


def of_plan(plan: UpPlan) -> tuple[Check, ...]:
    """Return the checks of those services that a plan starts."""
    return tuple(each for each in plan.selection.stack.checks if each.service in plan.services)


def of_stack(ws: Workspace, plan: UpPlan) -> tuple[tuple[Checked, ...], tuple[Failure, ...]]:
    """Return what came of the checks of those services that a plan started, and why one failed.

    Raises:
        UsageError: a check names no port, and its service has several.
    """
    wanted = of_plan(plan)
    if not wanted:
        return (), ()
    there = engine.of_project(ws.runner, plan.project)
    with ws.console.step("check what must hold"):
        checked = run(ws, wanted, there)
    return checked, tuple(
        failure(
            ws,
            each,
            there,
            cause="check-failed",
            sentence=f"{each.service} is up, but its check does not hold: {each.name}",
            advice=_advice(each),
            stack=plan.selection.lasting_name,
        )
        for each in checked
        if each.status == "failed"
    )


def held(ws: Workspace, plan: UpPlan, report: UpReport) -> UpReport:
    """Return the report of a start with what came of the stack's checks; as it is if that failed.

    Raises:
        UsageError: a check names no port, and its service has several.
    """
    if report.failures:
        return report
    checked, failures = of_stack(ws, plan)
    return replace(report, checks=checked, failures=failures)


def failure(
    ws: Workspace,
    checked: Checked,
    containers: Sequence[Container],
    *,
    cause: str,
    sentence: str,
    advice: str,
    stack: str = "",
) -> Failure:
    """Return what did not hold as a failure: what was expected and seen, and the last lines.

    `stack` is its name, empty for a throwaway.
    """
    own = next((each for each in containers if each.service == checked.service), None)
    logs = engine.last_lines(ws.runner, own.id, _LOG_LINES) if own else ()
    facts = (
        ("expected", checked.expected),
        ("seen", ws.runner.redacted(checked.told)),
        ("tried", f"for {checked.took_s:.1f} s" if checked.took_s else ""),
        ("try", advice),
        ("logs", logs_of(stack, checked.service, len(logs))),
    )
    kept = tuple((name, fact) for name, fact in facts if fact)
    return Failure(checked.service, cause, sentence, kept, logs)


def name_of(check: Check) -> str:
    """Return what a check is called: its own name, else words made of the rest."""
    if check.name:
        return check.name
    match check.type:
        case "http":
            name = f"GET {check.path}"
        case "tcp":
            name = f"port {check.port}" if check.port else "its port"
        case "command":
            name = shlex.join(check.command)
        case "logs":
            name = f"logs match {check.contains}" if check.contains else "logs are visible"
        case _:
            name = "migrations are at head"
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def expected_of(check: Check) -> str:
    """Return what a check expects, in one line."""
    port = f" on port {check.port}" if check.port else ""
    match check.type:
        case "http":
            body = f", a body that matches {check.body}" if check.body else ""
            return f"GET {check.path}{port} answers {check.status}{body}"
        case "tcp":
            return f"a connection{port}"
        case "command":
            return f"{shlex.join(check.command)} ends with 0 in its container"
        case "logs":
            return f"a line of its log{f' that matches {check.contains}' * bool(check.contains)}"
        case _:
            current, head = shlex.join(check.current or CURRENT), shlex.join(check.head or HEAD)
            return f"{current} names the revisions of {head}"


def _tried(ws: Workspace, check: Check, ids: Sequence[str], over: threading.Event) -> Checked:
    """Look at a check until it holds or its time is over."""
    within_s = check.within.total_seconds() if check.within else WITHIN_S
    began, told = time.monotonic(), ""
    while True:
        tried = time.monotonic()
        left_s = max(began + within_s - tried, _AGAIN_S)
        now = _seen(ws, check, ids, left_s)
        # A try that the end of its time cut short saw less than the one before it.
        cut = time.monotonic() - tried >= left_s
        told = told if now and told and cut else now
        took_s = time.monotonic() - began
        if not told or took_s + _AGAIN_S >= within_s or over.wait(_AGAIN_S):
            return Checked(
                service=check.service,
                name=name_of(check),
                status="failed" if told else "held",
                took_s=round(took_s, 3),
                told=ws.runner.redacted(told),
                expected=expected_of(check),
            )


def _seen(ws: Workspace, check: Check, ids: Sequence[str], left_s: float) -> str:
    """Return what was seen instead of what must hold of each container; empty where it does."""
    there = reach.look(ws.runner, ids)
    if not there:
        return "it has no container"
    for seen in there:
        told = look(ws, check, seen, left_s)
        if told:
            return f"{seen.container.name}: {told}" if len(there) > 1 else told
    return ""


def _advice(checked: Checked) -> str:
    if "cannot be reached from here" in checked.told:
        return "ports: in its compose service, or a check of type command, which runs inside"
    if "names no revision" in checked.told or "missing in the database" in checked.told:
        return "a one-shot service that migrates, which this one waits for"
    return 'mend what was seen; where it is only slow, write within = "20s" in that check'
