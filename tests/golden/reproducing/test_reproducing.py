"""What differs between two builds, in its forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from goldens import goldens
from hullwright.report import reproducing as report
from hullwright.reproducing import (
    FileDifference,
    ImageResult,
    LayerDifference,
    PlatformResult,
    Verification,
    causes,
)

HERE: Final = Path(__file__).parent
SAME: Final = f"sha256:{'a' * 64}"
OTHER: Final = f"sha256:{'b' * 64}"
APT: Final = "RUN apt-get update && apt-get install --yes --no-install-recommends curl git | tee /x"
LAYER: Final = LayerDifference(
    number=3,
    count=5,
    step=f"{APT} && date >> /built && ldconfig",
    place="api/Dockerfile:7",
    files=(
        FileDifference("built", ("content",), "", causes.DATE),
        FileDifference("var/log/dpkg.log", ("content", "size"), "12 and 14 bytes", causes.APT),
        FileDifference("var/log/apt/term.log", ("content",), "", causes.APT),
        FileDifference("opt/tool", ("second",)),
        FileDifference("opt", ("time",), "1700000000 and 1700000002", causes.TIMES),
    ),
    file_count=12,
    further=2,
)
REPORT: Final = Verification(
    images=(
        ImageResult(
            "api",
            "production",
            (
                PlatformResult("linux/amd64", (SAME, OTHER), LAYER),
                PlatformResult("linux/arm64", (SAME, SAME)),
            ),
        ),
        ImageResult(
            "web",
            "",
            (
                PlatformResult(
                    "linux/amd64",
                    (SAME, OTHER),
                    settings=("config.Labels.run", "created"),
                    cause=causes.SETTINGS,
                ),
                PlatformResult("linux/arm64", (SAME, "")),
            ),
        ),
        ImageResult(
            "job",
            "",
            (
                PlatformResult(
                    "linux/amd64", (SAME, OTHER), LayerDifference(1, 1, cause=causes.COMPRESSION)
                ),
            ),
        ),
    ),
    builders=("far", "near"),
    seconds=81.25,
)
HELD: Final = Verification(
    images=(ImageResult("api", "", (PlatformResult("linux/amd64", (SAME, SAME)),)),),
    builders=("default", "default"),
    seconds=3.9,
)

held = goldens(HERE, end="")


def test_what_differs_is_told_with_its_step_its_files_and_what_helps() -> None:
    held("differing.txt", report.text(REPORT) + "\n")


def test_what_differs_in_markdown() -> None:
    held("differing.md", report.markdown(REPORT) + "\n")


def test_what_differs_in_json() -> None:
    held("differing.json", json.dumps(report.as_json(REPORT), indent=2) + "\n")


def test_what_is_the_same_has_its_digest() -> None:
    held("same.txt", report.text(HELD) + "\n")
    assert report.as_json(HELD)["held"] is True
