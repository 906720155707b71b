"""Builds images of services: a plan from configuration and Git, then as few bake runs as possible.

`plan` says which images there are, `decide` which of them are there already, and `execute` builds
the rest and records it. `prepare` only writes what the printed bake definition needs besides the
repository's own files.
"""

from hullwright.build.affected import changed_targets
from hullwright.build.checking import CheckReport, check
from hullwright.build.currency import decide, fingerprints_now
from hullwright.build.execution import execute, prepare
from hullwright.build.kept import save_inputs
from hullwright.build.labelling import source_labels
from hullwright.build.lastrun import undone
from hullwright.build.models import BuildPlan, BuildRequest, Decision, PlannedTarget, SourceVersion
from hullwright.build.naming import labels_of, reference_of
from hullwright.build.nodes import Place, at, choose
from hullwright.build.outcome import BuildReport, Cause, EmulatedStep, Failure, TargetResult
from hullwright.build.planning import plan, select
from hullwright.build.renaming import renamed
from hullwright.build.repeatable import rewriting
from hullwright.build.spreading import spread

__all__ = [
    "BuildPlan",
    "BuildReport",
    "BuildRequest",
    "Cause",
    "CheckReport",
    "Decision",
    "EmulatedStep",
    "Failure",
    "Place",
    "PlannedTarget",
    "SourceVersion",
    "TargetResult",
    "at",
    "changed_targets",
    "check",
    "choose",
    "decide",
    "execute",
    "fingerprints_now",
    "labels_of",
    "plan",
    "prepare",
    "reference_of",
    "renamed",
    "rewriting",
    "save_inputs",
    "select",
    "source_labels",
    "spread",
    "undone",
]
