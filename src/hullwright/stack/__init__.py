"""Stacks: select one, plan and start it from what was built, wait, explain, look, enter, stop.

`select` names what is meant; every other function takes the selection. `up` is `plan_up` (plain
data, `UpPlan.text`) and `execute`; a dry run ends at the plan.
"""

from hullwright.stack.execution import ServiceUp, UpReport, execute, up
from hullwright.stack.explain import Failure
from hullwright.stack.plan import Operation, UpPlan, plan_up
from hullwright.stack.selection import Selection, resolved, select

__all__ = [
    "Failure",
    "Operation",
    "Selection",
    "ServiceUp",
    "UpPlan",
    "UpReport",
    "execute",
    "plan_up",
    "resolved",
    "select",
    "up",
]
