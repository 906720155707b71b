"""Gates: what they are told, and what their answers mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import CheckFailedError
from hullwright.outcome import Result
from hullwright.push import Checked, PlannedImage, PushPlan, gates
from replaying import Replay, workspace

from .conftest import API, FINGERPRINT, content

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = f"sha256:{'a' * 64}"
IMAGE = PlannedImage("api", "production", API, ("1.2.3",), ("latest",))
CHECKED = Checked(content(DIGEST), "an/index", {"linux/amd64": DIGEST}, frozenset({"sbom"}))


def run(tmp_path: Path, *commands: tuple[str, ...], code: int = 0) -> Replay:
    """Run gates that end with a code; returns what was started."""
    runner = Replay({}, results={(): Result(("scan",), code, "1 critical finding\n")})
    ws = workspace(tmp_path, runner=runner)
    plan = PushPlan((IMAGE,), commands)
    gates(ws, plan, [CHECKED], version="1.2.3", revision="c" * 40)
    return runner


def test_a_gate_gets_the_release_by_digest(tmp_path: Path) -> None:
    (call,) = run(tmp_path, ("scan", "--strict")).calls
    assert call.argv == ("scan", "--strict")
    assert call.env == {
        "HULLWRIGHT_PUSH_PROJECT": "shop",
        "HULLWRIGHT_PUSH_VERSION": "1.2.3",
        "HULLWRIGHT_PUSH_REVISION": "c" * 40,
        "HULLWRIGHT_PUSH_SERVICES": "api",
        "HULLWRIGHT_PUSH_DIGESTS": DIGEST,
        "HULLWRIGHT_PUSH_REFERENCES": f"{API}@{DIGEST}",
    }
    assert json.loads(call.stdin or "") == {
        "schema": 1,
        "event": "gate",
        "project": "shop",
        "version": "1.2.3",
        "revision": "c" * 40,
        "images": [
            {
                "service": "api",
                "target": "production",
                "repository": API,
                "digest": DIGEST,
                "reference": f"{API}@{DIGEST}",
                "media_type": "an/index",
                "platforms": {"linux/amd64": DIGEST},
                "attestations": ["sbom"],
                "version": "",
                "revision": "",
                "fingerprint": FINGERPRINT,
                "tags": ["1.2.3", "latest"],
            }
        ],
    }


def test_each_gate_runs_once_for_a_release_and_a_path_is_from_the_top(tmp_path: Path) -> None:
    calls = run(tmp_path, ("scripts/scan",), ("sign", "--all")).calls
    assert [call.argv for call in calls] == [(f"{tmp_path}/scripts/scan",), ("sign", "--all")]
    assert {call.cwd for call in calls} == {tmp_path}


def test_without_gates_nothing_is_started(tmp_path: Path) -> None:
    assert run(tmp_path).calls == []


def test_a_gate_that_refuses_ends_the_push_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError) as raised:
        run(tmp_path, ("scan", "--strict"), ("sign",), code=9)
    told = str(raised.value)
    assert told.startswith("a gate refused this release: it ended with 9\n  gate    scan --strict")
    assert "1 critical finding" in told
    assert "none was changed" in told
