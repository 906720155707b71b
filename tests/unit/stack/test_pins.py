"""Which configured service a compose service runs, where several share one Dockerfile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hullwright.config.models import Config, Service
from hullwright.stack.pins import built_by
from hullwright.tools.compose import parse_model

FILE = "base.dockerfile"


@pytest.mark.parametrize(
    ("name", "image", "context", "found"),
    [
        ("x", "team/web:production", "/r/elsewhere", "web"),
        ("x", "registry.example.com/team/web", "/r/api", "api"),
        ("web", "elsewhere/web", "/r", "web"),
        ("x", "", "/r/elsewhere", "api"),
    ],
)
def test_image_then_context_then_name_tell(name: str, image: str, context: str, found: str) -> None:
    services = {
        each: Service(each, context=each, dockerfile=FILE, image=f"team/{each}")
        for each in ("api", "web")
    }
    raw = {"image": image, "build": {"context": context, "dockerfile": f"/r/{FILE}"}}
    model = parse_model(json.dumps({"services": {name: raw}}))
    builder = built_by(Config("shop", services=services), Path("/r"), model.services[name])
    assert builder is not None
    assert builder.name == found
