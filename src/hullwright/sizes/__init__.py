"""Sizes of images in the local store, each figure under its name, and verdicts on budgets.

`subjects` says which images are meant, `measure` gives a row for each platform of each, and
`of_build` gives the figures of what was just built, from the cache where they are known.
"""

from hullwright.sizes.choosing import subjects
from hullwright.sizes.gating import hold, limits_growth, of_staged
from hullwright.sizes.measuring import measure, of_build
from hullwright.sizes.models import (
    BudgetResult,
    Figures,
    ImageSizes,
    LayerSize,
    SizeReport,
    Subject,
    Verdict,
)

__all__ = [
    "BudgetResult",
    "Figures",
    "ImageSizes",
    "LayerSize",
    "SizeReport",
    "Subject",
    "Verdict",
    "hold",
    "limits_growth",
    "measure",
    "of_build",
    "of_staged",
    "subjects",
]
