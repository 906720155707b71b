"""The jobs of CI in every form, each held against a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from ruamel.yaml import YAML

from goldens import goldens
from hullwright.build.matrix import Row, rows
from hullwright.build.models import PlannedTarget
from hullwright.report import matrix as report
from hullwright.tools.buildx import BakeTarget

HERE: Final = Path(__file__).parent
BOTH: Final = ("linux/amd64", "linux/arm64")

held = goldens(HERE)


def target(service: str, platforms: tuple[str, ...], *, asked: bool = True) -> PlannedTarget:
    """Return an image of a plan."""
    return PlannedTarget(
        service=service,
        target="production",
        reference=f"registry.example.com/team/{service}:1.4.1",
        platforms=platforms,
        version="1.4.1",
        revision="a" * 40,
        bake=BakeTarget(name=service, context=".", dockerfile="Dockerfile"),
        asked=asked,
    )


TARGETS: Final = (
    target("base", BOTH, asked=False),
    target("api", BOTH),
    target("web", ("linux/amd64",)),
    target("tool", ()),
)


@pytest.mark.parametrize("form", ["text", "markdown", "github", "gitlab"])
def test_jobs(form: str) -> None:
    held(f"jobs.{form}", getattr(report, form)(rows(TARGETS)))


def test_jobs_as_values() -> None:
    held("jobs.json", json.dumps(report.as_json(rows(TARGETS)), indent=2))


@pytest.mark.parametrize("form", ["text", "markdown", "github", "gitlab"])
def test_no_job_is_told_in_a_way_that_can_be_skipped_on(form: str) -> None:
    held(f"empty.{form}", getattr(report, form)(()))


def test_jobs_by_service_build_all_platforms() -> None:
    assert rows(TARGETS, "service") == (
        Row(("api",), "production", ""),
        Row(("web",), "production", ""),
        Row(("tool",), "production", ""),
    )


def test_jobs_by_platform_build_all_images_of_it() -> None:
    assert rows(TARGETS, "platform") == (
        Row(("api", "web"), "", "linux/amd64"),
        Row(("api",), "", "linux/arm64"),
        Row(("tool",), "", ""),
    )
    assert rows(TARGETS, "platform", "development")[0].target == "development"


def test_the_matrix_of_github_is_one_line_of_json() -> None:
    line = report.github(rows(TARGETS)).splitlines()[0].removeprefix("matrix=")
    assert [row["platform"] for row in json.loads(line)["include"]] == [*BOTH, "linux/amd64", ""]


@pytest.mark.parametrize("made", [rows(TARGETS), ()])
def test_the_part_of_a_child_pipeline_is_yaml_with_a_job(made: tuple[Row, ...]) -> None:
    (job,) = YAML(typ="safe").load(report.gitlab(made)).values()
    if made:
        first = {"SERVICE": "api", "TARGET": "production", "PLATFORM": BOTH[0], "ARCH": "amd64"}
        assert job["parallel"]["matrix"][0] == first
    else:
        assert job["script"] == ["echo 'nothing to build: no job is needed'"]
