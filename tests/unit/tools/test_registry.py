"""Where an image is asked for, as the engine is configured."""

from __future__ import annotations

from typing import Any

import pytest
from python_on_whales import SystemInfo

from hullwright.images import Reference
from hullwright.tools.registry import Endpoint, endpoints, is_loopback

INFO: dict[str, Any] = {
    "IndexServerAddress": "https://index.example.com/v1/",
    "RegistryConfig": {
        "Mirrors": ["https://mirror.example.com/"],
        "IndexConfigs": {"plain.example.com:5000": {"Secure": False}},
    },
}


@pytest.mark.parametrize(
    ("image", "addresses"),
    [
        ("redis:8", ["https://mirror.example.com", "https://index.example.com"]),
        ("ghcr.example.com/a/b:1", ["https://ghcr.example.com"]),
        ("plain.example.com:5000/b:1", ["http://plain.example.com:5000"]),
        ("127.0.0.1:5000/b:1", ["http://127.0.0.1:5000"]),
        ("localhost:5000/b:1", ["http://localhost:5000"]),
    ],
)
def test_an_image_is_asked_for_where_the_engine_pulls_from(
    image: str, addresses: list[str]
) -> None:
    assert [
        e.address for e in endpoints(Reference.parse(image), SystemInfo.model_validate(INFO))
    ] == addresses


def test_the_engines_proxy_is_used_as_the_engine_would() -> None:
    info = SystemInfo.model_validate({**INFO, "HttpsProxy": "http://proxy.example.com:3128"})
    remote = endpoints(Reference.parse("ghcr.example.com/a:1"), info)
    assert remote == (Endpoint("https://ghcr.example.com", "http://proxy.example.com:3128"),)
    local = endpoints(Reference.parse("localhost:5000/a:1"), info)
    assert local == (Endpoint("http://localhost:5000"),)


def test_an_engine_without_a_default_registry_is_asked_nowhere() -> None:
    assert endpoints(Reference.parse("redis:8"), SystemInfo()) == ()


@pytest.mark.parametrize(
    ("domain", "loopback"),
    [("127.0.0.1:5000", True), ("[::1]:5000", True), ("localhost", True), ("127.example", False)],
)
def test_loopback_is_this_machine_only(domain: str, loopback: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert is_loopback(domain) is loopback
