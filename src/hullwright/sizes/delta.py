"""What differs between two images of one platform, and the one sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hullwright.sizes.models import Figures, Origin

Change = Literal["added", "removed", "grown", "shrunk", "moved", "changed"]


@dataclass(frozen=True, slots=True)
class Growth:
    """How much a figure grew, split into what the base and what the image's own layers did.

    Attributes:
        metric: compressed, unpacked, visible, on disk, waste, layers.
        now, before: None where it is not known.
        base, own: the parts; None where the layers' origin is not known.
    """

    metric: str
    now: int | None
    before: int | None
    base: int | None = None
    own: int | None = None

    @property
    def total(self) -> int | None:
        """By how much it grew; None where a figure is unknown."""
        return None if self.now is None or self.before is None else self.now - self.before


@dataclass(frozen=True, slots=True)
class Difference:
    """One layer, package or file that differs.

    Attributes:
        what: the layer's step, the package, or the path.
        change: what became of it; `changed` is another version or content of the same size.
        bytes: by how much it grew, in the figure of its comparison; negative where it shrank.
        origin: of the layer that it lies in.
        note: such as `1.2.3 → 1.3.0`; of what moved, where it was.
        ecosystem: of a package, such as `dpkg`.
    """

    what: str
    change: Change
    bytes: int
    origin: Origin | None = None
    note: str = ""
    ecosystem: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One image against another.

    Attributes:
        asked: what was asked for, such as `main`.
        reference: the image that it is compared with.
        how: how that image was found, such as `registry, tag sha-1a2b3c4`.
        cause: the one sentence: what grew, by how much and why.
        kind: whether own layers, only the base, both or nothing changed the size; unknown where
            nothing tells whose the layers are, or neither figure is known of both images.
        metric: the figure that cause and layers tell of: unpacked, or compressed where unpacked
            is not known of both.
        growth: by metric; base and own add up to the total where they are known.
        layers, packages, files: what differs, largest first; packages and files only after a deep
            look at both, and files as a container sees them.
    """

    asked: str
    reference: str
    how: str
    before: Figures
    cause: str
    kind: Literal["own", "base", "both", "same", "unknown"]
    metric: Literal["unpacked", "compressed"] = "unpacked"
    growth: tuple[Growth, ...] = ()
    layers: tuple[Difference, ...] = ()
    packages: tuple[Difference, ...] = ()
    files: tuple[Difference, ...] = ()
