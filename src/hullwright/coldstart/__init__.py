"""Cold starts: from no containers and no volumes to every service healthy, in a throwaway project.

`run(ws, selection, …)` takes what `hullwright.stack.select` returns.
"""

from hullwright.coldstart.throwaway import ColdPlan, ColdStart, plan, run, throwaway_name

__all__ = ["ColdPlan", "ColdStart", "plan", "run", "throwaway_name"]
