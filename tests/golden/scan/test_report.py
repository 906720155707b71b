"""The plan and the report of a scan in their forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from goldens import goldens
from hullwright.findings import Finding, ordered
from hullwright.report import scan as report
from hullwright.scan import ScannedContext, ScannedImage, ScanPlan, ScanReport, Searched

HERE: Final = Path(__file__).parent
PLAN: Final = ScanPlan(
    images=(ScannedImage("shop/api:1.4.1", "sha256:1"), ScannedImage("shop/web:1.4.0", "")),
    files=("compose.yaml", "Dockerfile", ".env.example"),
    contexts=(ScannedContext(".", Path("/shop"), b""),),
    git_history=True,
    gitleaks=True,
)
REBUILD: Final = "rotate the secret, then build without it"
REPORT: Final = ScanReport(
    values=("API_TOKEN", "DB_PASSWORD", "API_TOKEN of staging"),
    short=("PIN",),
    searched=(Searched("image shop/api:1.4.1", 218_000_000), Searched("file .env.example", 312)),
    findings=ordered(
        (
            Finding(
                "scan.gitleaks", "note", "gitleaks", "is not on PATH", "install it from its page"
            ),
            Finding(
                "scan.layer",
                "error",
                "shop/api:1.4.1 layer 3: app/.env",
                "holds the value of API_TOKEN, as it is; made by COPY . /app | tee",
                REBUILD,
            ),
            Finding(
                "scan.configuration",
                "error",
                "shop/api:1.4.1 configuration: ENV DB_PASSWORD",
                "holds the value of DB_PASSWORD, base64",
                REBUILD,
            ),
            Finding(
                "scan.unsearched", "error", "shop/api:1.4.1 layer 4", "was not searched: it is cut"
            ),
        )
    ),
)
CLEAN: Final = ScanReport(
    ("API_TOKEN",), (), (Searched("Git history", 2_000_000),), (), ("development", "staging")
)

held = goldens(HERE)


def test_a_plan_names_each_place() -> None:
    held("plan.txt", PLAN.text())


def test_a_plan_of_nothing_says_so() -> None:
    assert ScanPlan((), ()).text() == "search nothing: there is no image and no file to search"


def test_a_person_sees_findings_and_what_to_do_first() -> None:
    held("report.txt", report.text(REPORT))


def test_a_pull_request_gets_tables() -> None:
    held("report.md", report.markdown(REPORT))


def test_machines_get_documented_values() -> None:
    held("report.json", json.dumps(report.as_json(REPORT), indent=2))


def test_a_clean_scan_says_what_it_looked_at() -> None:
    held("clean.txt", report.text(CLEAN))
    assert not CLEAN.failed


def test_a_damaged_file_fails_a_scan_that_found_nothing() -> None:
    damaged = Finding("scan.unread", "error", "the values of staging", "are not searched for: cut")
    found = CLEAN.beside(["development"], [damaged])
    assert found.failed
    assert report.text(found).startswith("✗ the values of staging are not searched for: cut\n")
    assert report.text(found).endswith("values of: development")
