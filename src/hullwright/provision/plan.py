"""From facts to a plan: what setup would do on this machine, and what keeps it from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.provision import plan_engine, plan_registry, plan_tools
from hullwright.provision.operations import Operation, Plan

if TYPE_CHECKING:
    from hullwright.provision.facts import Facts


def plan(facts: Facts) -> Plan:
    """Return what setup would do; a pure function of the facts.

    With a blocker there are no operations: a machine is set up whole or left alone.
    """
    blockers = (*plan_engine.blockers(facts), *plan_tools.blockers(facts))
    steps: list[Operation | None] = [
        plan_engine.source_operation(facts),
        plan_engine.record_operation(facts),
        plan_tools.package_operation(facts),
        plan_engine.start_operation(facts),
        *plan_engine.plugin_operations(facts),
        plan_registry.registry_operation(facts),
        plan_tools.emulation_operation(facts),
        plan_tools.environment_operation(facts),
        *plan_tools.program_operations(facts),
    ]
    told = plan_tools.warnings(facts)
    # What keeps everything back is no time to speak of a registry.
    told += [] if blockers else plan_registry.warnings(facts)
    machine = facts.machine
    user = "as root" if machine.root else "as an ordinary user"
    return Plan(
        machine=f"{machine.os_name}, {machine.arch}, {user}",
        operations=() if blockers else tuple(step for step in steps if step is not None),
        blockers=blockers,
        warnings=tuple(told),
    )
