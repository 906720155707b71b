"""What is measured of an image, and what its budgets say: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hullwright.sizes.contents import Contents
    from hullwright.sizes.delta import Comparison

Origin = Literal["base", "own"]
Verdict = Literal["ok", "warn", "fail", "unknown", "not applicable"]
Limit = Literal["", "soft", "hard", "own-growth"]


@dataclass(frozen=True, slots=True)
class Subject:
    """An image that is measured.

    Attributes:
        reference: how people call it.
        service: name in the configuration; empty for an image that is none of its services.
        target: stage that it is.
        digest: by which the local store knows it; empty to look the reference up.
    """

    reference: str
    service: str = ""
    target: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class LayerSize:
    """One layer of one platform's image.

    Attributes:
        digest: of its blob.
        diff_id: of its content without compression.
        compressed_bytes: what a pull transfers; None where the store keeps it uncompressed only.
        unpacked_bytes: sum of its regular files; None where it could not be read.
        created_by: the step that made it; empty where the image does not say.
        origin: whether it is of the image that it is built on, or its own; None where nothing
            tells.
        step: the instruction of its Dockerfile, such as `COPY models/`; empty where none is known.
        snapshot_bytes: what it takes unpacked in an engine; None where it was not read.
    """

    digest: str
    diff_id: str
    compressed_bytes: int | None
    unpacked_bytes: int | None
    created_by: str
    origin: Origin | None = None
    step: str = ""
    snapshot_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one platform's image; they depend on its bytes only, so they are kept.

    Attributes:
        platform: such as `linux/arm64`.
        digest: of its manifest.
        compressed_bytes: sum of the layer descriptors of its manifest; None where the classic
            image store keeps no compressed layers, until it is pushed.
        unpacked_bytes: sum of the regular files over all layers, overwritten ones included;
            None where a layer could not be read.
        problem: why a figure is unknown; empty where none is.
        visible_bytes: regular files that a container sees; None where layers were not read.
        waste_bytes: bytes of files that a later layer replaces or deletes; None likewise.
        efficiency: 0 to 1, as dive defines it; None likewise.
        created: when the image says that it was made, ISO 8601; empty where it does not.
        base: digest of the image that it is built on, as it says itself; empty where it does not.
        base_name: its name, likewise.
    """

    platform: str
    digest: str
    compressed_bytes: int | None
    unpacked_bytes: int | None
    layers: tuple[LayerSize, ...]
    problem: str = ""
    visible_bytes: int | None = None
    waste_bytes: int | None = None
    efficiency: float | None = None
    created: str = ""
    base: str = ""
    base_name: str = ""


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """What one budget says of one platform's image.

    Attributes:
        metric: the figure that is limited.
        value: the figure; None where it is unknown. Bytes, and a count for `layers`.
        soft: above this a warning is given.
        hard: above this the check fails.
        own_growth: limit on what a change adds over a reference.
        note: why it is not plainly held or exceeded, and what to do about it.
        growth: what the change adds over the reference; None where that is unknown or not asked.
        exceeded: the limit that is, the worst where several are; empty where none is.
    """

    metric: str
    value: int | None
    soft: int | None
    hard: int | None
    own_growth: int | None
    verdict: Verdict
    note: str = ""
    growth: int | None = None
    exceeded: Limit = ""

    @property
    def limit(self) -> int | None:
        """The limit that is exceeded; None where none is."""
        limits = {"soft": self.soft, "hard": self.hard, "own-growth": self.own_growth}
        return limits.get(self.exceeded)

    @property
    def lacks_growth(self) -> bool:
        """Whether growth is limited and not known, though the figure is."""
        return self.own_growth is not None and self.growth is None and self.value is not None

    @property
    def over(self) -> int | None:
        """By how much the figure, or its growth, is above that limit; None where it is not."""
        figure = self.growth if self.exceeded == "own-growth" else self.value
        return None if self.limit is None or figure is None else figure - self.limit


@dataclass(frozen=True, slots=True)
class ImageSizes:
    """One row of a report: one platform of one image.

    Attributes:
        on_disk_bytes: what the engine uses for it; None where it is not in the engine.
        contents: its files and what follows from them; None without a deep look.
        compared: with what it is compared, and what differs; None where it is not.
        origin_problem: why it is not known which layers are the base's; empty where it is.
    """

    subject: Subject
    figures: Figures
    budgets: tuple[BudgetResult, ...] = ()
    on_disk_bytes: int | None = None
    contents: Contents | None = None
    compared: Comparison | None = None
    origin_problem: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of its budgets; `ok` where it has none."""
        verdicts = {budget.verdict for budget in self.budgets}
        if "fail" in verdicts:
            return "fail"
        return "warn" if verdicts & {"warn", "unknown"} else "ok"


@dataclass(frozen=True, slots=True)
class SizeReport:
    """The rows of a run.

    Attributes:
        missing: recorded images that the local store no longer has.
        on_disk_bytes: what the engine uses for all of them, shared layers once; None where
            none is in the engine.
        brief: files are known, for a comparison or a picture, and were not asked for themselves.
    """

    images: tuple[ImageSizes, ...]
    missing: tuple[str, ...] = ()
    on_disk_bytes: int | None = None
    brief: bool = False

    @property
    def failed(self) -> bool:
        """Whether a hard budget is exceeded."""
        return any(image.verdict == "fail" for image in self.images)
