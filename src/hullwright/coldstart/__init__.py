"""Cold starts: from no containers and no volumes to every service healthy, in a throwaway project.

`run(ws, selection, …)` takes what `hullwright.stack.select` returns.
"""

from hullwright.coldstart.lifetime import throwaway_name
from hullwright.coldstart.models import Against, Checked, ColdRun, ColdStart, Request, Usual
from hullwright.coldstart.repeated import run
from hullwright.coldstart.throwaway import ColdPlan, plan

__all__ = [
    "Against",
    "Checked",
    "ColdPlan",
    "ColdRun",
    "ColdStart",
    "Request",
    "Usual",
    "plan",
    "run",
    "throwaway_name",
]
