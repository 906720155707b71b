"""What the setup command does: observe, plan, and with consent execute and look again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.errors import UnavailableError
from hullwright.files import lock
from hullwright.provision.observe import observe
from hullwright.provision.plan import plan

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.console import Console
    from hullwright.provision.facts import Facts
    from hullwright.provision.operations import Plan
    from hullwright.run import Runner


@dataclass(frozen=True)
class Outcome:
    """What setup found and did.

    Attributes:
        facts: the machine as it is now.
        plan: what there is or was to do.
        done: whether nothing is left to do.
    """

    facts: Facts
    plan: Plan
    done: bool


def set_up(root: Path, runner: Runner, console: Console, *, install: bool) -> Outcome:
    """Return what there is to do; with `install`, do it, and look again whether it holds.

    Optional operations alone never make a machine incomplete: they are tried again with `install`.

    Raises:
        UnavailableError: something is missing that setup may not or cannot add.
        LockedError: another setup runs on this machine.
    """
    facts = observe(runner, root)
    planned = plan(facts)
    if planned.blockers:
        raise blocked(planned)
    if not install or not planned.operations:
        return Outcome(facts, planned, done=not planned.required)
    # Only now, for it brings a network client, and a run with nothing to do has to be fast.
    from hullwright.provision.execute import Executor

    with lock(facts.state / "setup.lock", "setup of this machine"):
        Executor(runner, console, facts.state / "setup.log").execute(planned)
    facts = observe(runner, root)
    left = plan(facts)
    if left.blockers:
        raise blocked(left)
    if left.required:
        raise UnavailableError(
            "setup did everything it planned, and something is still missing",
            why=[(operation.resource, operation.cause) for operation in left.required],
            next_step=f"the log says what was done: {facts.state / 'setup.log'}",
        )
    return Outcome(facts, left, done=True)


def blocked(planned: Plan) -> UnavailableError:
    """Return the error for what setup may not or cannot change itself, all of it at once."""
    first, *others = planned.blockers
    if not others:
        return UnavailableError(first.what, why=first.why, next_step=first.next_step)
    rows = [
        (blocker.resource, f"{blocker.what}: {blocker.why}\nnext: {blocker.next_step}")
        for blocker in planned.blockers
    ]
    return UnavailableError(f"{len(rows)} things are missing that setup cannot add here", why=rows)


def summary(facts: Facts) -> str:
    """Return one line of what this machine has."""
    engine, tools = facts.engine, facts.tools
    told = [
        f"Engine {engine.version}",
        f"buildx {engine.buildx}",
        f"Compose {engine.compose}",
        f"sops {tools.sops}",
        f"age {tools.age}",
    ]
    if facts.signing and tools.cosign:
        told.append("cosign")
    if facts.registry.state in {"running", "foreign"}:
        told.append(f"registry 127.0.0.1:{facts.registry.port}")
    if facts.python.state != "unmanaged":
        told.append(f".venv {facts.python.state}")
    return " · ".join(told)
