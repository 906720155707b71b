"""What `build --verify-reproducible` does: two builds without cache, and what differs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullwright.build import BuildRequest
    from hullwright.tasks.session import Session


def run_verification(session: Session, request: BuildRequest, output_format: str) -> None:
    """Build twice and show what differs; an image that does not come out the same ends with 1."""
    raise NotImplementedError
