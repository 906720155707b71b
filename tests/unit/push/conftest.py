"""What the tests of pushes share: a registry in memory, and content in it."""

from __future__ import annotations

import pytest

from hullwright.push import Content
from pushing import Memory

HOST = "registry.example.com"
API = f"{HOST}/team/api"
FINGERPRINT = "0123456789abcdef" * 4


@pytest.fixture
def memory() -> Memory:
    """Return an empty registry."""
    return Memory()


def content(
    digest: str,
    *,
    local: str = "",
    status: str = "built",
    platforms: tuple[str, ...] = ("linux/amd64",),
) -> Content:
    """Return content of the service `api`."""
    return Content(
        "api", "production", API, digest, FINGERPRINT, platforms, local=local, status=status
    )
