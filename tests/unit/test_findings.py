"""What checks find."""

from __future__ import annotations

import pytest

from hullwright.findings import Finding, Severity, failed, ordered


def _finding(name: str, severity: Severity) -> Finding:
    return Finding(name, severity, "a file", "is wrong", "make it right")


@pytest.mark.parametrize(
    ("severity", "fails"), [("error", True), ("warning", False), ("note", False)]
)
def test_only_an_error_fails_a_check(severity: Severity, *, fails: bool) -> None:
    assert failed([_finding("a", "note"), _finding("b", severity)]) is fails


def test_the_gravest_come_first_and_others_keep_their_order() -> None:
    found = [_finding("a", "note"), _finding("b", "error"), _finding("c", "warning")]
    found.append(_finding("d", "error"))
    assert [finding.id for finding in ordered(found)] == ["b", "d", "c", "a"]


def test_json_has_every_part() -> None:
    assert _finding("a", "error").as_json() == {
        "id": "a",
        "severity": "error",
        "subject": "a file",
        "message": "is wrong",
        "remedy": "make it right",
    }
