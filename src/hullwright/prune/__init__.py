"""Remove what builds, pushes and crashed runs left of this project, and nothing that is in use."""

from hullwright.prune.ages import parse_age
from hullwright.prune.execute import execute
from hullwright.prune.models import Limits, Operation, PrunePlan, PruneReport
from hullwright.prune.observe import look
from hullwright.prune.plan import plan

__all__ = [
    "Limits",
    "Operation",
    "PrunePlan",
    "PruneReport",
    "execute",
    "look",
    "parse_age",
    "plan",
]
