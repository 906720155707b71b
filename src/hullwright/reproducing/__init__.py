"""Says whether two builds of the same sources gave the same bytes, and if not, where and why.

`compare` takes the archives of both builds; the task makes them.
"""

from hullwright.reproducing.comparing import compare
from hullwright.reproducing.models import (
    Cause,
    FileDifference,
    ImageResult,
    LayerDifference,
    PlatformResult,
    Verification,
)
from hullwright.reproducing.steps import Steps

__all__ = [
    "Cause",
    "FileDifference",
    "ImageResult",
    "LayerDifference",
    "PlatformResult",
    "Steps",
    "Verification",
    "compare",
]
