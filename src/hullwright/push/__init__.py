"""Pushes a release: content first, then what must hold of it, then all of its tags or none.

Content goes to the registry under its digest or under a tag named by its fingerprint, where nobody
looks for a release (`Stager`). It is held against what was asked for (`check`), and gates get it
by digest (`gates`). Only then the release's tags are moved, by storing the same bytes under each
(`plan_moves`, `move`), and the staging tags go.
"""

from hullwright.push.checking import Checked, check, refuse_stand_ins
from hullwright.push.directing import NOWHERE, attested, by_digest, local_tags, releasing
from hullwright.push.gating import Gate, gates
from hullwright.push.models import (
    Content,
    Left,
    Move,
    MovePlan,
    MoveReport,
    Named,
    Registry,
)
from hullwright.push.moving import move, plan_moves
from hullwright.push.planning import (
    PlannedImage,
    PushPlan,
    check_rights,
    moved_by_changes,
    of_sources,
    planned_image,
    require_registry,
)
from hullwright.push.pushed import Pushed
from hullwright.push.staging import Stager, remove_staging_tags

__all__ = [
    "NOWHERE",
    "Checked",
    "Content",
    "Gate",
    "Left",
    "Move",
    "MovePlan",
    "MoveReport",
    "Named",
    "PlannedImage",
    "PushPlan",
    "Pushed",
    "Registry",
    "Stager",
    "attested",
    "by_digest",
    "check",
    "check_rights",
    "gates",
    "local_tags",
    "move",
    "moved_by_changes",
    "of_sources",
    "plan_moves",
    "planned_image",
    "refuse_stand_ins",
    "releasing",
    "remove_staging_tags",
    "require_registry",
]
