"""Scan: proof that no secret's value lies in images, contexts, the Git history or files."""

from hullwright.scan.execute import execute
from hullwright.scan.models import (
    ScannedContext,
    ScannedImage,
    ScanPlan,
    ScanReport,
    ScanRequest,
    Searched,
)
from hullwright.scan.plan import plan

__all__ = [
    "ScanPlan",
    "ScanReport",
    "ScanRequest",
    "ScannedContext",
    "ScannedImage",
    "Searched",
    "execute",
    "plan",
]
