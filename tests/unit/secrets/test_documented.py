"""Findings are an interface: each one that the check can give is in its documentation."""

from __future__ import annotations

import re
from typing import Final

from sources import PACKAGE, ROOT

ID: Final = re.compile(r"\b((?:names|file|values|rules|recipients|key)\.[a-z]+)\b")


def test_every_finding_is_documented_and_no_other() -> None:
    source = (PACKAGE / "secrets/checking.py").read_text(encoding="utf-8")
    given = {name for text in re.findall(r'"([a-z.]+)"', source) for name in ID.findall(text)}
    page = (ROOT / "docs/secrets/ci.md").read_text(encoding="utf-8")
    told = {name for text in re.findall(r"`([a-z.]+)`", page) for name in ID.findall(text)}
    assert len(given) > 10
    assert told == given
