"""The versions that setup builds and those that the image for CI jobs brings are the same."""

from __future__ import annotations

import re

from hullwright.provision.plan_engine import BUILDX_PIN
from hullwright.provision.plan_tools import SOPS_PIN
from sources import ROOT


def test_the_toolbox_brings_what_setup_builds() -> None:
    dockerfile = (ROOT / "deploy/toolbox/Dockerfile").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^ARG ([A-Z]+)_VERSION=(v\S+)$", dockerfile, re.MULTILINE))
    assert pinned == {"BUILDX": BUILDX_PIN, "SOPS": SOPS_PIN}
