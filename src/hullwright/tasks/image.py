"""Tasks of images: build, sizes, images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session
