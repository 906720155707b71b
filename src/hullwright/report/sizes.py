"""Sizes of images as text, Markdown and JSON; each figure is named, none is a bare size."""

from __future__ import annotations

from hullwright.report.sizejson import as_json, recorded
from hullwright.report.sizemarkdown import markdown
from hullwright.report.sizetext import text

__all__ = ["as_json", "markdown", "recorded", "text"]
