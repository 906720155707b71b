"""Stacks: select one, plan and start it from what was built, wait, explain, look, enter, stop.

`select` names what is meant; every other function takes the selection. What changes something is
a plan (plain data, its `text()` is what a dry run shows) and its execution: `up` is `plan_up` and
`execute`, `down` is `plan_down` and `execute_down`.
"""

from hullwright.stack.checks import Checked, held, refuse_none
from hullwright.stack.consumption import ContainerStats, StackStats, stats
from hullwright.stack.down import DownPlan, down, execute_down, plan_down
from hullwright.stack.entering import exec_, shell, shell_of_image
from hullwright.stack.execution import ServiceUp, UpReport, execute, refuse_unknown_times, up
from hullwright.stack.expected import Limits
from hullwright.stack.explain import Failure
from hullwright.stack.handed import mask_handed_over
from hullwright.stack.lines import log_lines, logs
from hullwright.stack.looking import ServiceState, StackState, project_name, ps
from hullwright.stack.oneoff import RunPlan, execute_run, plan_run
from hullwright.stack.plan import Operation, UpPlan, plan_up
from hullwright.stack.probing import SlowProbe
from hullwright.stack.restarting import restart
from hullwright.stack.selection import Selection, resolved, select
from hullwright.stack.stopping import StopPlan, execute_stop, plan_stop
from hullwright.stack.unchecked import all_checked, unchecked
from hullwright.stack.variables import asked_for

__all__ = [
    "Checked",
    "ContainerStats",
    "DownPlan",
    "Failure",
    "Limits",
    "Operation",
    "RunPlan",
    "Selection",
    "ServiceState",
    "ServiceUp",
    "SlowProbe",
    "StackState",
    "StackStats",
    "StopPlan",
    "UpPlan",
    "UpReport",
    "all_checked",
    "asked_for",
    "down",
    "exec_",
    "execute",
    "execute_down",
    "execute_run",
    "execute_stop",
    "held",
    "log_lines",
    "logs",
    "mask_handed_over",
    "plan_down",
    "plan_run",
    "plan_stop",
    "plan_up",
    "project_name",
    "ps",
    "refuse_none",
    "refuse_unknown_times",
    "resolved",
    "restart",
    "select",
    "shell",
    "shell_of_image",
    "stats",
    "unchecked",
    "up",
]
