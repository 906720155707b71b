"""The tags of images: from a ref, its commit and rules, the same on every machine."""

from hullwright.tagging.compute import DEFAULT, compute, require
from hullwright.tagging.model import Clone, Outcome, RefContext, Tags, written
from hullwright.tagging.notation import parse
from hullwright.tagging.observe import look

__all__ = [
    "DEFAULT",
    "Clone",
    "Outcome",
    "RefContext",
    "Tags",
    "compute",
    "look",
    "parse",
    "require",
    "written",
]
