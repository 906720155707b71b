"""What differs between two images of one platform, and the one sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hullwright.sizes.models import Figures, Origin

Change = Literal["added", "removed", "grown", "shrunk", "moved"]


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
        bytes: by how much it grew, unpacked; negative where it shrank.
        origin: of the layer that it lies in.
        note: such as `1.2.3 → 1.3.0`.
    """

    what: str
    change: Change
    bytes: int
    origin: Origin | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One image against another.

    Attributes:
        asked: what was asked for, such as `main`.
        reference: the image that it is compared with.
        how: how that image was found, such as `registry, tag sha-1a2b3c4`.
        cause: the one sentence: what grew, by how much and why.
        kind: whether own layers, only the base, both or nothing changed the size.
        growth: by metric.
        layers, packages, files: largest first; packages and files only after a deep look.
    """

    asked: str
    reference: str
    how: str
    before: Figures
    cause: str
    kind: Literal["own", "base", "both", "same"]
    growth: tuple[Growth, ...] = ()
    layers: tuple[Difference, ...] = ()
    packages: tuple[Difference, ...] = ()
    files: tuple[Difference, ...] = ()
