"""Cold starts: from no containers and no volumes to every service healthy, in a throwaway project.

`run(ws, selection, …)` takes what `hullwright.stack.select` returns. `compare` starts two revisions
in turn; `checked_out` has the other one in a folder of its own, where the caller builds it.
"""

from hullwright.coldstart.against import Side, compare, counted, of_base
from hullwright.coldstart.checkout import Checkout, checked_out, commit_of
from hullwright.coldstart.judging import told
from hullwright.coldstart.lifetime import interruptible, throwaway_name
from hullwright.coldstart.models import Against, Checked, ColdRun, ColdStart, Request, Usual
from hullwright.coldstart.repeated import run
from hullwright.coldstart.throwaway import ColdPlan, plan

__all__ = [
    "Against",
    "Checked",
    "Checkout",
    "ColdPlan",
    "ColdRun",
    "ColdStart",
    "Request",
    "Side",
    "Usual",
    "checked_out",
    "commit_of",
    "compare",
    "counted",
    "interruptible",
    "of_base",
    "plan",
    "run",
    "throwaway_name",
    "told",
]
