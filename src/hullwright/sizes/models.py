"""What is measured of an image, and what its budgets say: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail", "unknown", "not applicable"]


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
    """

    digest: str
    diff_id: str
    compressed_bytes: int | None
    unpacked_bytes: int | None
    created_by: str


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
    """

    platform: str
    digest: str
    compressed_bytes: int | None
    unpacked_bytes: int | None
    layers: tuple[LayerSize, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """What one budget says of one platform's image.

    Attributes:
        metric: the figure that is limited.
        value: the figure; None where it is unknown. Bytes, and a count for `layers`.
        soft: above this a warning is given.
        hard: above this the check fails.
        own_growth: limit on what a change adds over a reference.
        note: why it is not plainly held or exceeded.
    """

    metric: str
    value: int | None
    soft: int | None
    hard: int | None
    own_growth: int | None
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImageSizes:
    """One row of a report: one platform of one image."""

    subject: Subject
    figures: Figures
    budgets: tuple[BudgetResult, ...] = ()

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
    """

    images: tuple[ImageSizes, ...]
    missing: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a hard budget is exceeded."""
        return any(image.verdict == "fail" for image in self.images)
