"""What came of a push, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.push.checking import Checked
    from hullwright.push.gating import Gate
    from hullwright.push.models import Content, MoveReport
    from hullwright.push.planning import PushPlan
    from hullwright.push.signing import Signed


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of a push; where a target failed, it ends with the content that was staged.

    Attributes:
        plan: which images were to get which tags.
        version, revision: what the repository is called.
        staged: content that the registry has under its digest.
        images: the same once it was held against what was asked for.
        gates: that let the release through.
        moves: what became of the tags; None where it did not come to that.
        refusal: what did not hold, in one sentence, so that no tag moved; empty where all held.
        staging_left: staging tags that stay, and why.
        release_file: that was written; empty for none.
        seconds: of the whole run.
        signed: images that are signed now; none where nothing is to be signed.
    """

    plan: PushPlan
    version: str = ""
    revision: str = ""
    staged: tuple[Content, ...] = ()
    images: tuple[Checked, ...] = ()
    gates: tuple[Gate, ...] = field(default=())
    moves: MoveReport | None = None
    refusal: str = ""
    staging_left: Mapping[str, str] = field(default_factory=dict)
    release_file: str = ""
    seconds: float = 0.0
    signed: tuple[Signed, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the release has all of its tags; of a part, whether the registry has it."""
        if self.plan.part:
            return bool(self.images) and not self.refusal
        return self.moves is not None and not self.moves.failed

    def tags_of(self, content: Content) -> tuple[str, ...]:
        """Return the tags by which an image is known now, in the order in which they moved."""
        if self.moves is None:
            return ()
        planned = self.plan.image(content.service, content.target)
        order = {tag: place for place, tag in enumerate(planned.tags if planned else ())}
        named = [
            move.tag
            for move in (*self.moves.moved, *self.moves.unchanged)
            if (move.repository, move.digest) == (content.repository, content.digest)
        ]
        return tuple(sorted(named, key=lambda tag: order.get(tag, len(order))))
