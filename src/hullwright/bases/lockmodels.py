"""What is asked of a lock, what registries and the local store say, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from hullwright.images import shortened
from hullwright.locked import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hullwright.bases.models import Recipe
    from hullwright.bases.needs import Needs
    from hullwright.locked import Lock, LockedImage

Action = Literal["add", "move", "keep", "drop"]
# Where an image is from that no registry was asked about with success.
LOCAL: Final = "the local store"


@dataclass(frozen=True, slots=True)
class Told:
    """What was found under the name of an image.

    Attributes:
        image: the name.
        entry: what it is now; None where nobody has it.
        said: every place that was asked, and what it said.
        silent: whether no registry answered at all.
        created: when the image was made; None where nobody asked, or it does not say.
    """

    image: str
    entry: LockedImage | None = None
    said: tuple[tuple[str, str], ...] = ()
    silent: bool = False
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class LockSeen:
    """The world as the plan of a lock sees it.

    Attributes:
        needs: what Dockerfiles name.
        lock: what is locked; None without a file.
        told: what was found, by the names that were asked for.
        recipes: of stand-ins, by the names that they stand for.
        moving: names that are to be moved.
    """

    needs: Needs
    lock: Lock | None
    told: Mapping[str, Told] = field(default_factory=dict)
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    moving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one image of the lock.

    Attributes:
        cause: why, in a few words.
        reads: whether a stand-in's packages are still to be read from it.
    """

    action: Action
    image: str
    cause: str
    before: LockedImage | None = None
    after: LockedImage | None = None
    reads: bool = False

    def __str__(self) -> str:
        """Return it as a line of the plan."""
        states = [shown(each) for each in (self.before, self.after) if each is not None]
        if self.action == "drop":
            states = []
        what = " → ".join(dict.fromkeys(states))
        where = f" from {self.after.source}" if self.after and self.action in _WRITES else ""
        reads = "; its packages are read" if self.reads else ""
        return f"{self.action:<5}{self.image}{what and f'  {what}'}{where}: {self.cause}{reads}"


_WRITES: Final = frozenset({"add", "move"})


@dataclass(frozen=True, slots=True)
class LockPlan:
    """What is written to the lock, image by image in the order of their names."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def changing(self) -> tuple[Change, ...]:
        """What is not kept as it is."""
        return tuple(change for change in self.changes if change.action != "keep")

    def __str__(self) -> str:
        """Return the plan as text; stable, so tests assert it."""
        if not self.changes:
            return f"no Dockerfile names a base image: {FILE} holds none"
        return "\n".join(
            [*(str(change) for change in self.changes), *(f"note: {note}" for note in self.notes)]
        )


@dataclass(frozen=True, slots=True)
class Locked:
    """What was done to the lock.

    Attributes:
        changes: as they were made, with the packages that were read.
        lock: what is locked now.
    """

    plan: LockPlan
    changes: tuple[Change, ...]
    lock: Lock


@dataclass(frozen=True, slots=True)
class Compared:
    """One image of the lock beside what it is now.

    Attributes:
        state: `moved` is another image under the name; `unknown` where nobody could tell.
        before: what is locked.
        after: what it is now; None where it is not known.
        created: when the newer one was made; None where nobody says.
        moved: of a stand-in, what became of its recipe and packages.
        said: what was answered where nobody could tell.
    """

    image: str
    state: Literal["current", "moved", "unknown"]
    before: LockedImage
    after: LockedImage | None = None
    created: datetime | None = None
    moved: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outdated:
    """What moved since it was locked."""

    images: tuple[Compared, ...]

    @property
    def moved(self) -> tuple[Compared, ...]:
        """The images that `--update` would move."""
        return tuple(image for image in self.images if image.state == "moved")

    @property
    def unknown(self) -> tuple[Compared, ...]:
        """The images of which nobody could tell."""
        return tuple(image for image in self.images if image.state == "unknown")


def shown(image: LockedImage) -> str:
    """Return what an image is locked to, in a few words."""
    if image.stand_in:
        return f"stand-in by recipe {shortened(f'@{image.stand_in}')[1:]}"
    return shortened(f"@{image.digest}")[1:]
