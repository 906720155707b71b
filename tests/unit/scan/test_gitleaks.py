"""gitleaks: its command, and a report that is read without what matched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hullwright.tools.gitleaks import Leak, command, parse


def test_the_command_masks_values_and_does_not_fail() -> None:
    assert command("git", Path("/repo"), Path("/mem/report.json")) == (
        *("gitleaks", "git", "--no-banner", "--redact", "--exit-code", "0"),
        *("--report-format", "json", "--report-path", "/mem/report.json", "/repo"),
    )


def test_a_report_is_read_without_values() -> None:
    row = {
        "RuleID": "generic-api-key",
        "Description": "Detected a Generic API Key",
        "StartLine": 3,
        "Match": "key = q7Vt0zB1u8Xw2Yd3",
        "Secret": "q7Vt0zB1u8Xw2Yd3",
        "File": "src/app.py",
        "Commit": "0123456789abcdef",
        "Message": "add q7Vt0zB1u8Xw2Yd3",
    }
    found = parse(json.dumps([row]))
    assert found == (
        Leak("generic-api-key", "Detected a Generic API Key", "src/app.py", 3, "0123456789abcdef"),
    )
    assert "q7Vt" not in repr(found)


@pytest.mark.parametrize("report", ["", "[]", "null"])
def test_no_finding_is_no_leak(report: str) -> None:
    assert parse(report) == ()


@pytest.mark.parametrize("report", ['{"a": 1}', "[1]", "not json"])
def test_another_report_is_refused(report: str) -> None:
    with pytest.raises(ValueError, match=r"list of findings|Expecting value"):
        parse(report)
