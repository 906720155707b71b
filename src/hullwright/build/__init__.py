"""Builds images of services: a plan from configuration and Git, then one bake run.

`plan` observes and decides, `execute` runs one `docker buildx bake` and records what was built.
`prepare` only writes what the printed bake definition needs besides the repository's own files.
"""

from hullwright.build.execution import execute, prepare
from hullwright.build.labelling import source_labels
from hullwright.build.models import (
    BuildPlan,
    BuildReport,
    BuildRequest,
    Cause,
    Decision,
    EmulatedStep,
    Failure,
    PlannedTarget,
    SourceVersion,
    TargetResult,
)
from hullwright.build.planning import labels_of, plan, reference_of, select

__all__ = [
    "BuildPlan",
    "BuildReport",
    "BuildRequest",
    "Cause",
    "Decision",
    "EmulatedStep",
    "Failure",
    "PlannedTarget",
    "SourceVersion",
    "TargetResult",
    "execute",
    "labels_of",
    "plan",
    "prepare",
    "reference_of",
    "select",
    "source_labels",
]
