"""Pushes a release: content first, then what must hold of it, then all of its tags or none.

Content goes to the registry under its digest or under a tag named by its fingerprint, where nobody
looks for a release. Checks and gates get it by digest. Only then the release's tags are moved, by
storing the same bytes under each: `plan_moves` and `move`.
"""

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

__all__ = [
    "Content",
    "Left",
    "Move",
    "MovePlan",
    "MoveReport",
    "Named",
    "Registry",
    "move",
    "plan_moves",
]
